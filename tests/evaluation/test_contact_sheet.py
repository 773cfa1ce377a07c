import io

import numpy as np
import pytest
from PIL import Image

from api.evaluation.contact_sheet import CAPTION_HEIGHT, contact_sheet
from tests.drawing import draw_fruit


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    assert image.format == "JPEG"
    return image


def test_pictures_lie_in_rows_in_their_order() -> None:
    colours = ["red", "lime", "blue"]
    pictures = [Image.new("RGB", (50, 30), colour) for colour in colours]
    sheet = opened(contact_sheet(pictures, colours, columns=2, side=40))
    assert sheet.size == (84, 2 * (40 + CAPTION_HEIGHT))
    for channel, (x, y) in enumerate([(20, 34), (62, 34), (20, 34 + 54)]):
        pixel = np.array(sheet.getpixel((x, y)))
        assert pixel[channel] > 200
        assert np.delete(pixel, channel).max() < 60
    assert sheet.getpixel((62, 34 + 54)) == pytest.approx((255, 255, 255), abs=6)


def test_a_long_caption_stays_in_its_column() -> None:
    pictures = [Image.new("RGB", (40, 40), "white")] * 2
    without = opened(contact_sheet(pictures, ["", ""], columns=2, side=40))
    long = opened(contact_sheet(pictures, ["a caption that is far too long", ""], 2, side=40))
    changed = np.abs(np.asarray(without, int) - np.asarray(long, int)).max(axis=2) > 40
    assert changed[:, :40].any()
    assert not changed[:, 48:].any()


def test_a_sheet_of_thirty_is_small() -> None:
    pictures = [draw_fruit("freshapples", seed=seed) for seed in range(30)]
    assert len(contact_sheet(pictures, ["fresh apple"] * 30, columns=10)) < 80_000
