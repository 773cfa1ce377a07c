"""Previews show the colours that the API grades, even if a file names them without a profile."""

import struct
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from photos import preview
from PIL import Image

from api.core.imaging.decode import decode
from tests.core.imaging.test_code_points import FILES, PLAIN, avif, plain, png

LINEAR, PQ, HLG, BT2020, BT709 = 8, 16, 18, 9, 1
COLOURS = [
    (200, 60, 50),
    (70, 150, 60),
    (20, 20, 20),
    (128, 128, 128),
    (255, 255, 255),
    (9, 60, 200),
]
WIDE = (31270, 32900, 73470, 26530, 11520, 82640, 15660, 1770)
BROKEN = struct.pack(">8I", *(0,) * 6, 31270, 32900)


def patches() -> Image.Image:
    image = Image.new("RGB", (40 * len(COLOURS), 40))
    for place, colour in enumerate(COLOURS):
        image.paste(colour, (40 * place, 0, 40 * place + 40, 40))
    return image


def off_by(data: bytes) -> int:
    """The largest difference in the middle of any patch, 0 to 255."""
    shown = preview(data)
    assert shown is not None
    return int(np.abs(_middles(Image.open(BytesIO(shown))) - _middles(decode(data).image)).max())


def _middles(image: Image.Image) -> NDArray[np.int_]:
    return np.asarray(image.convert("RGB"), dtype=int)[20, 20::40]


NAMED = {
    "linear": png(patches(), gAMA=struct.pack(">I", 100_000)),
    "dark": png(patches(), gAMA=struct.pack(">I", 30_000)),
    "wide": png(patches(), gAMA=struct.pack(">I", 45_455), cHRM=struct.pack(">8I", *WIDE)),
    "wide and linear": png(
        patches(), gAMA=struct.pack(">I", 100_000), cHRM=struct.pack(">8I", *WIDE)
    ),
    "broken primaries": png(patches(), gAMA=struct.pack(">I", 45_455), cHRM=BROKEN),
    "linear code points": png(patches(), cICP=bytes((BT709, LINEAR, 0, 1))),
    "PQ": png(patches(), cICP=bytes((BT2020, PQ, 0, 1))),
    "HLG": png(patches(), cICP=bytes((BT2020, HLG, 0, 1))),
    "grey": png(patches().convert("L"), gAMA=struct.pack(">I", 100_000)),
    "transparent": png(patches().convert("RGBA"), gAMA=struct.pack(">I", 100_000)),
    "AVIF in PQ": avif(plain((120, 90, 60), 80), BT2020, PQ),
}


@pytest.mark.parametrize("name", NAMED)
def test_named_colours_are_those_that_are_graded(name: str) -> None:
    assert off_by(NAMED[name]) <= 6


# Cases of the API's tests, except HEIF and broken chunks, which plain Pillow cannot show, and the
# large one, which is reduced.
OTHERS = {
    name: data
    for name, data in (FILES | PLAIN).items()
    if "HEIF" not in name and name not in ("large PNG", "chunk cut short")
}


@pytest.mark.parametrize("name", OTHERS)
def test_preview_of_every_kind_is_as_graded(name: str) -> None:
    assert off_by(OTHERS[name]) <= 6
