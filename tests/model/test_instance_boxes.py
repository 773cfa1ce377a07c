"""The box of each fruit in the pixels of its photo, and the pixels used to grade it."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from api.core.boxes import Box
from api.core.imaging.decode import DRAFT_SIDE
from api.model.detector import Detection
from api.model.instances import (
    MAX_DETAIL_PIXELS,
)
from api.model.predictor import Predictor
from tests.model.test_instances import BLUE, RED, TRAY, found, scene
from tests.model.test_instances import predictor as predictor  # noqa: PLC0414 - a fixture


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_boxes_of_a_turned_photo_are_upright(predictor: Predictor, orientation: int) -> None:
    back = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90}
    back[8] = Image.Transpose.ROTATE_270
    stored = TRAY.transpose(back[orientation]) if orientation in back else TRAY
    exif = Image.Exif()
    exif[0x0112] = orientation
    instances = found(predictor, stored, exif=exif)
    assert (instances.width, instances.height) == TRAY.size
    assert tuple(instances.fruits[0].box) == (10, 10, 50, 50)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_boxes_of_a_reduced_photo_are_in_its_own_pixels(
    predictor: Predictor, file_format: str
) -> None:
    size = (2400, 1800)
    red, blue = (200, 200, 1000, 1000), (1400, 400, 2000, 1000)
    instances = found(predictor, scene((red, RED), (blue, BLUE), size=size), format=file_format)
    assert (instances.width, instances.height) == size
    assert [tuple(fruit.box) for fruit in instances.fruits] == [
        pytest.approx(red, abs=4),
        pytest.approx(blue, abs=4),
    ]


def record_decodes(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Record the `min_side` of each decoding from now on."""
    sides: list[int] = []
    decode = predictor.decode

    def recording(data: bytes, min_side: int = DRAFT_SIDE) -> Any:
        sides.append(min_side)
        return decode(data, min_side)

    monkeypatch.setattr(predictor, "decode", recording)
    return sides


def test_small_fruit_of_a_large_photo_is_cut_from_its_own_pixels(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Narrow stripes stay visible instead of being averaged."""
    size, box = (2400, 1800), (1000, 800, 1032, 832)
    image = scene((box, BLUE), size=size)
    sides = record_decodes(predictor, monkeypatch)
    pictures = record_pictures(predictor, monkeypatch)
    image.paste(Image.fromarray(stripes(32)), box[:2])
    predictor.detector = lambda pixels: [at(pixels, size, box)]
    assert len(found(predictor, image).fruits) == 1
    assert sides == [DRAFT_SIDE, 1800]
    fruit = pictures[1][8:-8, 8:-8].astype(float)
    assert np.abs(np.diff(fruit[..., 0], axis=1)).mean() > 60


def test_photo_is_decoded_once_where_that_is_enough(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sides = record_decodes(predictor, monkeypatch)
    found(predictor, TRAY)
    found(predictor, scene(((200, 200, 1500, 1500), RED), size=(2400, 1800)))
    found(predictor, scene(size=(2400, 1800)))
    assert sides == [DRAFT_SIDE] * 3


def test_detail_of_a_huge_photo_is_bounded(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    size, box = (7000, 4000), (3000, 3000, 3020, 3020)
    predictor.detector = lambda pixels: [at(pixels, size, box)]
    sides = record_decodes(predictor, monkeypatch)
    assert tuple(found(predictor, scene(size=size), format="JPEG").fruits[0].box) == box
    assert sides[0] == DRAFT_SIDE
    assert sides[1] == 2000
    assert 7000 * 4000 > MAX_DETAIL_PIXELS > 3500 * 2000


@pytest.mark.parametrize(
    "image",
    [
        Image.new("L", (90, 60), 128),
        Image.new("RGBA", (90, 60), (255, 0, 0, 0)),
        Image.new("LA", (90, 60), (0, 255)),
        Image.new("1", (90, 60)),
        Image.new("I;16", (90, 60), 9000),
        Image.new("RGB", (1, 1), RED),
        Image.new("RGB", (3000, 1), RED),
        Image.new("RGB", (2, 5000), RED),
    ],
    ids=["grey", "transparent", "grey and alpha", "bits", "16 bits", "a pixel", "wide", "high"],
)
@pytest.mark.parametrize("detector", ["blobs", "corners"])
def test_boxes_of_odd_pictures_lie_inside(
    predictor: Predictor, image: Image.Image, detector: str
) -> None:
    if detector == "corners":
        predictor.detector = hairs_at_the_corners
    instances = found(predictor, image)
    assert (instances.width, instances.height) == image.size
    assert detector == "blobs" or len(instances.fruits) == 4
    for fruit in instances.fruits:
        assert 0 <= fruit.box.x_min < fruit.box.x_max <= image.width
        assert 0 <= fruit.box.y_min < fruit.box.y_max <= image.height
        assert all(isinstance(corner, int) for corner in fruit.box)


def record_pictures(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> list[NDArray[np.uint8]]:
    """Record the network's inputs from now on."""
    pictures: list[NDArray[np.uint8]] = []
    forward = predictor.forward

    def recording(inputs: list[Image.Image]) -> Any:
        pictures.extend(np.asarray(image) for image in inputs)
        return forward(inputs)

    monkeypatch.setattr(predictor, "forward", recording)
    return pictures


def stripes(side: int) -> NDArray[np.uint8]:
    """Columns of red and blue, two pixels wide."""
    pixels = np.zeros((side, side, 3), np.uint8)
    pixels[..., 0] = 255 * (np.arange(side) // 2 % 2)
    pixels[..., 2] = 255 - pixels[..., 0]
    return pixels


def at(
    pixels: NDArray[np.uint8], size: tuple[int, int], box: tuple[int, int, int, int]
) -> Detection:
    """A detection in the reduced picture at `box`, which is in pixels of a photo of `size`."""
    across, down = pixels.shape[1] / size[0], pixels.shape[0] / size[1]
    corners = (box[0] * across, box[1] * down, box[2] * across, box[3] * down)
    return Detection(Box(*corners), 0.9, "apple")


def hairs_at_the_corners(pixels: NDArray[np.uint8]) -> list[Detection]:
    """Boxes without area in the corners of the picture."""
    height, width = pixels.shape[:2]
    return [
        Detection(Box(x, y, x, y), 0.5, "apple") for x in (0.0, float(width)) for y in (0.0, height)
    ]
