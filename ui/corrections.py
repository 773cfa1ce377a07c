"""What a person says about the fruits of one photo, kept step by step until it is saved."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from api_models import BoxedPhotoAnswer, FruitBox, ImageSize, Instance, MarkedFruit, PixelBox
from formatting import fruit_and_freshness

Said = Literal["", "confirmed", "corrected", "added"]
# Minimum side of a box, as a share of the photo's shorter side.
_LEAST_SIDE = 0.015


class Step(NamedTuple):
    """One statement about the fruit `number`.

    With a `box` it is a missed fruit; `removed` means that it is no fruit. `class_name` is None if
    only its place is known. `new_class` means that the class is new although its name resembles a
    known one.
    """

    number: int
    class_name: str | None = None
    box: PixelBox | None = None
    removed: bool = False
    new_class: bool = False


@dataclass(frozen=True)
class Marked:
    """A fruit after all steps. `class_name` is what the person called it."""

    number: int
    fruit: Instance
    said: Said = ""
    class_name: str | None = None


@dataclass
class BoxChanges:
    """The boxes of a photo while a person changes them: place and class by number; the class is
    None if only the place is known."""

    photo_id: str
    boxes: dict[int, tuple[FruitBox, str | None]]
    next_number: int = field(init=False)
    new_class: bool = False

    def __post_init__(self) -> None:
        self.next_number = len(self.boxes) + 1

    @classmethod
    def of(cls, photo: BoxedPhotoAnswer) -> "BoxChanges":
        numbered = enumerate(photo.boxes, start=1)
        boxes = {number: (each.box, class_of(each)) for number, each in numbered}
        return cls(photo.id, boxes)

    def add(self, box: FruitBox, class_name: str | None) -> None:
        self.boxes[self.next_number] = box, class_name
        self.next_number += 1

    def name(self, number: int, class_name: str | None) -> None:
        self.boxes[number] = self.boxes[number][0], class_name

    def remove(self, number: int) -> None:
        self.boxes.pop(number, None)

    def body(self, *, complete: bool) -> dict[str, Any]:
        """The body of `PUT /dataset/boxed-photos/{id}/boxes`."""
        boxes = [
            {"box": box.model_dump(), "class_name": class_name}
            for box, class_name in self.boxes.values()
        ]
        return {"boxes": boxes, "complete": complete, "new_class": self.new_class}


def apply(found: Sequence[Instance], steps: Sequence[Step]) -> list[Marked]:
    """The fruits after the steps. The found ones are numbered from 1, in order."""
    marked = {number: Marked(number, fruit) for number, fruit in enumerate(found, start=1)}
    for step in steps:
        if step.removed:
            marked.pop(step.number, None)
        elif step.box:
            fruit = _as_said(step.box, step.class_name)
            marked[step.number] = Marked(step.number, fruit, "added", step.class_name)
        elif before := marked.get(step.number):
            marked[step.number] = _named(before, found, step)
    return list(marked.values())


def next_number(found: Sequence[Instance], steps: Sequence[Step]) -> int:
    """The number for the next missed fruit."""
    return max([len(found), *(step.number for step in steps)]) + 1


def describe(found: Sequence[Instance], marked: Sequence[Marked]) -> str:
    """How many fruits the person commented on: "1 corrected, 2 removed"."""
    said = [one.said for one in marked]
    counts = {word: said.count(word) for word in ("corrected", "confirmed", "added")}
    left = {one.number for one in marked}
    counts["removed"] = sum(number not in left for number in range(1, len(found) + 1))
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count)


def as_body(
    marked: Sequence[Marked], steps: Sequence[Step], image: ImageSize, *, complete: bool
) -> dict[str, Any]:
    """The body of `PUT /predictions/{id}/boxes`.

    A fruit that the person did not comment on keeps its place but has no class, since the model
    must not learn from its own grades.
    """
    body: dict[str, Any] = {
        "boxes": [
            {"box": one.fruit.box.model_dump(), "class_name": one.class_name} for one in marked
        ],
        "complete": complete,
        "image": image.model_dump(),
    }
    return body | ({"new_class": True} if any(step.new_class for step in steps) else {})


def box_between(x: Sequence[float], y: Sequence[float], image: ImageSize) -> PixelBox | None:
    """The box between two corners, clipped to the photo; None if it is too small."""
    x_min, x_max = (round(min(max(0, value), image.width)) for value in (min(x), max(x)))
    y_min, y_max = (round(min(max(0, value), image.height)) for value in (min(y), max(y)))
    least = max(2, _LEAST_SIDE * min(image.width, image.height))
    if min(x_max - x_min, y_max - y_min) < least:
        return None
    return PixelBox(x_min=x_min, y_min=y_min, x_max=x_max, y_max=y_max)


def _named(before: Marked, found: Sequence[Instance], step: Step) -> Marked:
    """The fruit with the class of the step; confirmed if the grader gave it the same class."""
    if before.said == "added":
        fruit = _as_said(before.fruit.box, step.class_name)
        return replace(before, fruit=fruit, class_name=step.class_name)
    graded = found[step.number - 1]
    if graded.recognised and graded.predicted_class == step.class_name:
        return Marked(step.number, graded, "confirmed", step.class_name)
    fruit = _as_said(graded.box, step.class_name)
    return Marked(step.number, fruit, "corrected", step.class_name)


def _as_said(box: PixelBox, class_name: str | None) -> Instance:
    """A fruit with the person's class, or with only a place."""
    fruit, freshness = fruit_and_freshness(class_name or "")
    return Instance(
        box=box,
        score=1,
        fruit=fruit,
        predicted_class=class_name or "",
        confidence=1,
        probabilities={},
        freshness=freshness,
        freshness_level=freshness,
        recognised=class_name is not None,
    )


def class_of(fruit: MarkedFruit) -> str | None:
    """The fruit's class; None if only its place is known."""
    return fruit.class_name.root if fruit.class_name else None
