"""Checks boxes, and converts them to pixels of the upright photo.

People may have drawn on a larger photo than the stored one, and other tools may ignore the EXIF
orientation: the picture size that comes with the boxes tells which.
"""

from collections.abc import Sequence
from math import isfinite
from typing import NamedTuple

from api.core.boxes import Box
from api.core.errors import UnprocessableError
from api.core.formatting import number
from api.core.imaging.decode import SIDEWAYS

MAX_BOXES = 200
# People draw, and tools round, up to a pixel over the edge; a side must be at least this long.
PIXEL = 1.0


class LabelledBox(NamedTuple):
    """A box around one fruit. `class_name` is None if only its place is known."""

    box: Box
    class_name: str | None


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int


class BadBoxError(UnprocessableError):
    code = "bad-box"


class TooManyBoxesError(UnprocessableError):
    code = "too-many-boxes"

    def __init__(self, count: int) -> None:
        super().__init__(
            f"The photo has {number(count, 'box', 'boxes')}; at most {MAX_BOXES} are taken. Send "
            "it in parts, as several photos."
        )


class OtherSizeError(UnprocessableError):
    code = "other-photo-size"

    def __init__(self, stated: Size, size: Size) -> None:
        super().__init__(
            f"The boxes are of a photo of {stated.width} x {stated.height} pixels, and this "
            f"photo has {size.width} x {size.height}. Send the photo that they were drawn on."
        )


def checked(boxes: Sequence[LabelledBox], size: Size) -> list[LabelledBox]:
    """The boxes, cut off at the edges of a picture of `size`.

    Raises TooManyBoxesError, and BadBoxError for a box that is outside, smaller than a pixel, or
    not made of numbers.
    """
    if len(boxes) > MAX_BOXES:
        raise TooManyBoxesError(len(boxes))
    return [
        LabelledBox(_checked(place, box, size), class_name)
        for place, (box, class_name) in enumerate(boxes, start=1)
    ]


def scaled(boxes: Sequence[LabelledBox], stated: Size, size: Size) -> list[LabelledBox]:
    """Boxes on a picture of `stated` size, in pixels of the same picture at another `size`.

    Raises OtherSizeError if the pictures have different shapes.
    """
    if stated == size:
        return list(boxes)
    x_factor, y_factor = size.width / stated.width, size.height / stated.height
    # Each side of the smaller picture was rounded to whole pixels.
    least = min(*stated, *size)
    if abs(x_factor / y_factor - 1) > 2 * PIXEL / least:
        raise OtherSizeError(stated, size)
    return [
        LabelledBox(
            Box(
                min(box.x_min * x_factor, size.width),
                min(box.y_min * y_factor, size.height),
                min(box.x_max * x_factor, size.width),
                min(box.y_max * y_factor, size.height),
            ),
            class_name,
        )
        for box, class_name in boxes
    ]


def upright(
    boxes: Sequence[LabelledBox], stated: Size, size: Size, orientation: int
) -> list[LabelledBox]:
    """Boxes from a file, in pixels of the upright photo of `size`.

    `stated` is the photo's size by that file: the unrotated size if the tool ignored the EXIF
    `orientation`, 1 to 8. Raises OtherSizeError.
    """
    if stated == size:
        return list(boxes)
    if orientation in SIDEWAYS and stated == Size(size.height, size.width):
        return [LabelledBox(_turned(box, stated, orientation), name) for box, name in boxes]
    raise OtherSizeError(stated, size)


def _turned(box: Box, stored: Size, orientation: int) -> Box:
    """Rotate a box from the stored pixels to the upright photo; `orientation` is 5 to 8."""
    x_min, y_min, x_max, y_max = box
    if orientation in (6, 7):
        y_min, y_max = stored.height - y_max, stored.height - y_min
    if orientation in (7, 8):
        x_min, x_max = stored.width - x_max, stored.width - x_min
    return Box(y_min, x_min, y_max, x_max)


def _checked(place: int, box: Box, size: Size) -> Box:
    if not all(map(isfinite, box)):
        raise BadBoxError(f"Box {place} has an edge that is not a number.")
    x_min, y_min, x_max, y_max = box
    if x_max - x_min < PIXEL or y_max - y_min < PIXEL:
        raise BadBoxError(
            f"Box {place} is narrower or lower than a pixel. Its x_min and y_min are of the upper "
            "left corner, x_max and y_max of the lower right one."
        )
    inside = Box(max(x_min, 0.0), max(y_min, 0.0), min(x_max, size.width), min(y_max, size.height))
    if any(abs(edge - sent) > PIXEL for edge, sent in zip(inside, box, strict=True)):
        raise BadBoxError(
            f"Box {place} lies outside of the photo, which has {size.width} x {size.height} pixels."
        )
    return inside
