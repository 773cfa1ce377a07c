"""The part of a picture around a box: what the grader sees of one fruit among several."""

from PIL import Image

from api.core.boxes import Box
from api.core.imaging.decode import DecodedImage

# The margin on each side of a box, as a share of its longer side; training varies it.
BOX_MARGIN = 0.15


def crop_around(image: Image.Image, box: Box, margin: float = BOX_MARGIN) -> Image.Image:
    """Crop to a square around `box`, in pixels of `image`, with a margin on all sides.

    It is clipped to the picture, so a crop at the edge is not square.
    """
    half = max(box.x_max - box.x_min, box.y_max - box.y_min) * (0.5 + margin)
    x, y = (box.x_min + box.x_max) / 2, (box.y_min + box.y_max) / 2
    left, top = max(0, round(x - half)), max(0, round(y - half))
    # Even a box smaller than a pixel gets one.
    right = max(left + 1, min(image.width, round(x + half)))
    bottom = max(top + 1, min(image.height, round(y + half)))
    return image.crop((left, top, right, bottom))


def crop_photo(photograph: DecodedImage, box: Box, margin: float = BOX_MARGIN) -> Image.Image:
    """`crop_around` a box in pixels of the upright photograph, whatever size was decoded."""
    scale = photograph.image.width / photograph.width
    scaled = Box(*(corner * scale for corner in box))
    return crop_around(photograph.image, scaled, margin)


def square_side(box: Box, margin: float = BOX_MARGIN) -> float:
    """The side of the square that is cropped around `box`, in the box's pixels."""
    return max(box.x_max - box.x_min, box.y_max - box.y_min) * (1 + 2 * margin)
