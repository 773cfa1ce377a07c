"""The pictures of a report: photos with boxes around their fruits, and single fruits."""

from collections.abc import Mapping

from PIL import Image, ImageDraw

from api.core.boxes import Box
from api.core.imaging.crop import crop_around
from api.core.imaging.decode import UNREADABLE, decode
from api.core.labels import Level
from api.inspections.report import real_fruits
from api.inspections.repository import Photo, level_of
from api.storage.blobs import Blobs
from api.storage.tables.inspections import InspectionFruitRow

PHOTO_PIXELS, FRUIT_PIXELS = 480, 200
# As in the app.
COLOURS: Mapping[Level | None, str] = {
    "fresh": "#3f9a66",
    "past_best": "#d9b23c",
    "rotten": "#cf7a2f",
    None: "#b4bdb6",
}
_LINE = 4


def load_picture(blobs: Blobs, photo: Photo) -> Image.Image | None:
    """The stored picture of a photo; None if it is not kept, or damaged."""
    key = photo.prediction.blob
    data = key and blobs.get_if_readable(key)
    try:
        return decode(data, full_size=True).image if data else None
    except UNREADABLE:
        return None


def with_boxes(picture: Image.Image, photo: Photo) -> Image.Image:
    """A smaller copy of the picture with a box around each fruit, in the colour of its level."""
    small = picture.copy()
    small.thumbnail((PHOTO_PIXELS, PHOTO_PIXELS))
    draw = ImageDraw.Draw(small)
    for fruit in real_fruits(photo):
        box = _on(small, photo, fruit)
        # Damaged or tiny boxes are still drawn.
        corners = (box.x_min, box.y_min, max(box.x_min, box.x_max), max(box.y_min, box.y_max))
        draw.rectangle(corners, outline=COLOURS[level_of(fruit)], width=_LINE)
    return small


def crop_fruit(picture: Image.Image, photo: Photo, fruit: InspectionFruitRow) -> Image.Image:
    """A square around a fruit."""
    crop = crop_around(picture, _on(picture, photo, fruit))
    crop.thumbnail((FRUIT_PIXELS, FRUIT_PIXELS))
    return crop


def _on(picture: Image.Image, photo: Photo, fruit: InspectionFruitRow) -> Box:
    """The fruit's box in pixels of `picture`."""
    across, down = picture.width / photo.row.width, picture.height / photo.row.height
    return Box(fruit.x_min * across, fruit.y_min * down, fruit.x_max * across, fruit.y_max * down)
