"""The fruits found in one photo: their order, and their names, counts and places in words."""

from collections import Counter
from collections.abc import Sequence

from api_models import ImageSize, InspectionFruit, InspectionPhoto, Instance, Prediction
from formatting import capitalize, class_label, level_label, percent, pluralize
from photos import RelativeBox

# As in the API, `model.interpretation.LIKELY`.
_LIKELY = 0.6
# For a model that sees that there are several fruits but cannot find each.
SEVERAL_FRUITS = "Several fruits"
_WORST_FIRST = ("rotten", "past_best", "fresh")
_PLACES = (
    ("top left", "top", "top right"),
    ("left", "middle", "right"),
    ("bottom left", "bottom", "bottom right"),
)
_WHAT_TO_DO = {
    "rotten": "Take it out: rot spreads to the fruits that it touches.",
    "past_best": "Use or sell it soon.",
    "fresh": "Good to keep.",
}


def worst_first(prediction: Prediction) -> list[Instance]:
    """The fruits by freshness, worst first; those without a level or not recognised come last."""
    return sorted(prediction.instances or [], key=_order)


def level(fruit: Instance) -> str | None:
    """The fruit's level; None if it has none or was not recognised."""
    return fruit.freshness_level if fruit.recognised else None


def worst_level(prediction: Prediction) -> str | None:
    """The level of the worst fruit; None if none has one."""
    fruits = worst_first(prediction)
    return level(fruits[0]) if fruits else None


def name(fruit: Instance) -> str:
    """The fruit's level and kind: "Rotten apple", "Apple, past its best"."""
    if not fruit.recognised:
        return "Not known"
    if fruit.freshness_level is None:
        return class_label(fruit.predicted_class)
    if fruit.freshness_level == "past_best":
        return capitalize(f"{fruit.fruit}, {level_label('past_best').lower()}")
    return capitalize(f"{fruit.freshness_level} {fruit.fruit}")


def count_known(prediction: Prediction) -> int | None:
    """How many of the found things are known fruits; None if the photo was not searched."""
    if prediction.instances is None:
        return None
    return sum(fruit.recognised for fruit in prediction.instances)


def headline(prediction: Prediction) -> str:
    """All fruits by level, worst first: "5 fruits: 1 rotten, 4 fresh". Without a grade of each:
    "Several fruits"."""
    if prediction.instances is None:
        return SEVERAL_FRUITS
    fruits = prediction.instances
    levels = Counter(level(fruit) for fruit in fruits)
    parts = [
        f"{levels[step]} {_past(level_label(step).lower(), levels[step])}"
        for step in _WORST_FIRST
        if levels[step]
    ]
    if unknown := sum(not fruit.recognised for fruit in fruits):
        parts.append(f"{unknown} not known")
    ungraded = prediction.summary.ungraded if prediction.summary else 0
    if ungraded:
        parts.append(f"{ungraded} not graded")
    total = pluralize(len(fruits) + ungraded, "fruit")
    return f"{total}: {', '.join(parts)}" if parts else total


def count_names(fruits: Sequence[Instance]) -> str:
    """The known ones, in order: "1 rotten apple, 3 fresh apples"."""
    counts = Counter(name(fruit) for fruit in fruits if fruit.recognised)
    return ", ".join(_counted(number, label) for label, number in counts.items())


def is_unsure(fruit: Instance) -> bool:
    """Whether another class is nearly as likely."""
    return fruit.recognised and fruit.confidence < _LIKELY


def certainty(fruit: Instance) -> str:
    """The confidence, and whether it is too low to rely on."""
    if not fruit.recognised:
        return "Look at it yourself"
    share = percent(fruit.confidence)
    return f"{share}, not sure" if is_unsure(fruit) else share


def what_to_do(fruit: Instance) -> str:
    """A sentence for the person who sorts; empty for a class without freshness."""
    if not fruit.recognised:
        return "Not one of the fruits that I know: look at it yourself."
    if is_unsure(fruit):
        return "The grader is not sure: look at it yourself, or photograph it alone."
    return _WHAT_TO_DO.get(fruit.freshness_level or "", "")


def relative_box(
    fruit: Instance | InspectionFruit, image: ImageSize | InspectionPhoto
) -> RelativeBox:
    """The fruit's box as shares of the photo's width and height."""
    box = fruit.box
    return (
        box.x_min / image.width,
        box.y_min / image.height,
        box.x_max / image.width,
        box.y_max / image.height,
    )


def place(box: RelativeBox) -> str:
    """The box's place in the photo: "top left", "middle", "bottom right"."""
    left, top, right, bottom = box
    column, row = (min(2, int(3 * middle)) for middle in ((left + right) / 2, (top + bottom) / 2))
    return _PLACES[row][column]


def _order(fruit: Instance) -> tuple[bool, bool, float]:
    score = None if level(fruit) is None else fruit.freshness_score
    return not fruit.recognised, score is None, score or 0.0


def _counted(number: int, label: str) -> str:
    """ "3 fresh apples", "2 apples, past their best"."""
    noun, comma, rest = f"{label[:1].lower()}{label[1:]}".partition(",")
    return f"{pluralize(number, noun)}{' ' if comma else ''}{_past(rest.strip(), number)}"


def _past(label: str, number: int) -> str:
    return label.replace("its", "their") if number > 1 else label
