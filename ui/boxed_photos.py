"""Photos with boxes: describes their fruits and draws their boxes."""

from collections import Counter

from api_models import BoxedPhotoAnswer, FruitBox
from charts.style import LEVELS, UNKNOWN_LEVEL, LevelStyle
from corrections import class_of
from formatting import class_label, fruit_and_freshness, pluralize
from photos import DrawnBox


def describe(photo: BoxedPhotoAnswer) -> str:
    """The photo's fruits: "2 fresh apples, 1 only marked", or "No fruit"."""
    counts = Counter(class_of(each) for each in photo.boxes)
    named = [
        pluralize(count, class_label(name).lower())
        for name, count in counts.items()
        if name is not None
    ]
    if marked := counts[None]:
        named.append(f"{marked} without a class")
    return ", ".join(named) or "No fruit"


def drawn(photo: BoxedPhotoAnswer) -> list[DrawnBox]:
    """The photo's boxes to draw on it, without numbers."""
    return [draw_box(each.box, class_of(each), photo.width, photo.height) for each in photo.boxes]


def draw_box(
    box: FruitBox, class_name: str | None, width: int, height: int, number: int = 0
) -> DrawnBox:
    """A box on a photo of `width` and `height`; a `number` of 0 is not shown."""
    shares = (box.x_min / width, box.y_min / height, box.x_max / width, box.y_max / height)
    return DrawnBox(shares, level_style(class_name).colour, str(number) if number else "")


def level_style(class_name: str | None) -> LevelStyle:
    """The style of the freshness level in a class name."""
    _, level = fruit_and_freshness(class_name or "")
    return LEVELS.get(level or "", UNKNOWN_LEVEL)
