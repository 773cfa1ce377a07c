"""The texts and boxes shown over a live camera's picture, from the grade of a frame."""

from typing import NotRequired, TypedDict

import fruits
from api_models import Instance, Prediction
from charts.style import LEVELS, UNKNOWN_LEVEL
from photos import RelativeBox

from components.predict.prediction import heading

NOTHING_FOUND = "No fruit found"
_HOW_TO_HOLD = "Hold the camera still over the fruits, in good light."
_WHOLE_PICTURE = "The model in use grades the whole picture: show it one fruit at a time."


class LiveBox(TypedDict):
    """A box over the picture; `border` is its CSS border."""

    box: RelativeBox
    colour: str
    border: str
    text: str


class LiveAnswer(TypedDict):
    """The answer to the frame `number`: what it shows, or the `problem` that prevented one."""

    number: int
    headline: NotRequired[str]
    detail: NotRequired[str]
    boxes: NotRequired[list[LiveBox]]
    problem: NotRequired[str]


def answer_frame(number: int, prediction: Prediction) -> LiveAnswer:
    """The counts, the worst fruit in words, and a box for each fruit, all as plain text."""
    if prediction.instances is None:
        return _whole(number, prediction)
    found = fruits.worst_first(prediction)
    if not found or prediction.image is None:
        return {"number": number, "headline": NOTHING_FOUND, "detail": _HOW_TO_HOLD, "boxes": []}
    boxes = [fruits.relative_box(fruit, prediction.image) for fruit in found]
    worst = found[0]
    place = f"{fruits.place(boxes[0])}. {_certainty(worst)}."
    first = f"The worst: {fruits.name(worst).lower()}, {place}"
    return {
        "number": number,
        "headline": fruits.headline(prediction),
        "detail": first if len(found) > 1 else f"{fruits.name(worst)}, {place}",
        "boxes": [
            _box(fruit, box, is_worst=not rank and len(found) > 1)
            for rank, (fruit, box) in enumerate(zip(found, boxes, strict=True))
        ],
    }


def _whole(number: int, prediction: Prediction) -> LiveAnswer:
    """The answer of a model that cannot find each fruit."""
    level = prediction.freshness_level if prediction.recognised else None
    sign = LEVELS.get(level or "", UNKNOWN_LEVEL).sign
    return {
        "number": number,
        "headline": f"{sign} {heading(prediction)}",
        "detail": _WHOLE_PICTURE,
        "boxes": [],
    }


def _certainty(fruit: Instance) -> str:
    certainty = fruits.certainty(fruit)
    return f"{certainty} sure" if certainty.endswith("%") else certainty


def _box(fruit: Instance, box: RelativeBox, *, is_worst: bool) -> LiveBox:
    style = LEVELS.get(fruits.level(fruit) or "", UNKNOWN_LEVEL)
    return {
        "box": box,
        "colour": style.colour,
        "border": style.border,
        "text": f"{style.sign} worst" if is_worst else style.sign,
    }
