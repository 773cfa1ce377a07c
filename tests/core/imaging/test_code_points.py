"""Colour spaces named without a profile: by code points in HEIF and AVIF, by chunks in PNG."""

import io
import struct
import zlib

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from api.core.imaging.code_points import add_named_profile
from api.core.imaging.decode import DRAFT_SIDE, decode
from api.core.imaging.metadata import strip_metadata
from tests.colour_profiles import SPACES, in_space
from tests.synthetic_images import encode, windows_bmp

RED = (200, 60, 50)
P3_RED = in_space(RED, SPACES["Display P3"])
P3, BT709, BT2020 = 12, 1, 9
SRGB, LINEAR, PQ, HLG = 13, 8, 16, 18
P3_POINTS = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
GAMMA, LINEAR_GAMMA = struct.pack(">I", 45455), struct.pack(">I", 100_000)


def plain(colour: tuple[int, ...], side: int = 64) -> Image.Image:
    return Image.new("RGB", (side, side), colour)


def heif(image: Image.Image, primaries: int, transfer: int) -> bytes:
    stream = io.BytesIO()
    pillow_heif.from_pillow(image).save(
        stream,
        quality=95,
        color_primaries=primaries,
        transfer_characteristics=transfer,
        matrix_coefficients=6,
        full_range_flag=1,
    )
    return stream.getvalue()


def avif(image: Image.Image, primaries: int, transfer: int) -> bytes:
    data = encode(image, "AVIF", quality=95)
    start = data.index(b"colrnclx") + 8
    return data[:start] + struct.pack(">HH", primaries, transfer) + data[start + 4 :]


def png(image: Image.Image, **chunks: bytes) -> bytes:
    data = encode(image, "PNG")
    added = b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in ((key.encode(), body) for key, body in chunks.items())
    )
    return data[:33] + added + data[33:]


def off_by(data: bytes, colour: tuple[int, ...]) -> int:
    pixel = np.asarray(decode(data).image, dtype=int)[5, 5]
    return int(np.abs(pixel - colour).max())


FILES = {
    "HEIF": heif(plain(P3_RED), P3, SRGB),
    "AVIF": avif(plain(P3_RED), P3, SRGB),
    "PNG, code points": png(plain(P3_RED), cICP=bytes((P3, SRGB, 0, 1))),
    "PNG, primaries": png(plain(P3_RED), gAMA=GAMMA, cHRM=struct.pack(">8I", *P3_POINTS)),
    "large PNG": png(plain(P3_RED, 3 * DRAFT_SIDE), cICP=bytes((P3, SRGB, 0, 1))),
}


@pytest.mark.parametrize("data", FILES.values(), ids=FILES)
def test_colours_are_those_that_the_person_saw(data: bytes) -> None:
    assert off_by(data, RED) <= 6


@pytest.mark.parametrize("name", ["PNG, code points", "PNG, primaries"])
def test_colours_stay_when_metadata_is_removed(name: str) -> None:
    kept = strip_metadata(FILES[name])
    assert kept is not None
    assert off_by(kept, RED) <= 6


@pytest.mark.parametrize("grey", [20, 128, 240])
def test_grey_stays_grey_under_wide_primaries(grey: int) -> None:
    for primaries in (P3, BT2020):
        assert off_by(avif(plain((grey,) * 3), primaries, SRGB), (grey,) * 3) <= 2


def test_linear_png_is_as_light_as_browsers_show_it() -> None:
    dark = plain((55, 55, 55))
    assert off_by(png(dark, gAMA=LINEAR_GAMMA), (128, 128, 128)) <= 2
    assert off_by(png(dark, cICP=bytes((BT709, LINEAR, 0, 1))), (128, 128, 128)) <= 2


@pytest.mark.parametrize(("transfer", "white"), [(PQ, 148), (HLG, 191)])
def test_white_of_an_hdr_picture_is_white(transfer: int, white: int) -> None:
    assert off_by(avif(plain((white,) * 3), BT2020, transfer), (255, 255, 255)) <= 4
    assert off_by(avif(plain((255, 255, 255)), BT2020, transfer), (255, 255, 255)) <= 1
    assert off_by(avif(plain((0, 0, 0)), BT2020, transfer), (0, 0, 0)) <= 1


PLAIN = {
    "HEIF in sRGB": heif(plain(RED), BT709, SRGB),
    "not known": avif(plain(RED), 2, 2),
    "usual exponent": png(plain(RED), gAMA=GAMMA),
    "no exponent": png(plain(RED), gAMA=bytes(4)),
    "said to be sRGB": png(plain(RED), gAMA=LINEAR_GAMMA, sRGB=b"\0"),
    "no code points": png(plain(RED), cICP=b""),
    "no primaries": png(plain(RED), gAMA=GAMMA, cHRM=bytes(32)),
    "chunk cut short": png(plain(RED), gAMA=b"\0"),
}


@pytest.mark.parametrize("data", PLAIN.values(), ids=PLAIN)
def test_srgb_and_nonsense_change_nothing(data: bytes) -> None:
    assert off_by(data, RED) <= 3


def test_profile_takes_precedence_over_code_points() -> None:
    data = FILES["PNG, code points"]
    image = Image.open(io.BytesIO(data))
    image.info["icc_profile"] = b"its own"
    add_named_profile(image, data)
    assert image.info["icc_profile"] == b"its own"


@pytest.mark.parametrize("side", [64, 3 * DRAFT_SIDE])
@pytest.mark.parametrize("fourth", [0, 255])
def test_all_zero_fourth_bytes_of_a_bmp_are_not_transparency(side: int, fourth: int) -> None:
    image = plain(RED, side).convert("RGBA")
    image.putalpha(fourth)
    assert off_by(windows_bmp(image), RED) == 0


def test_transparency_of_a_bmp_is_white() -> None:
    image = plain(RED).convert("RGBA")
    image.putpixel((5, 5), (*RED, 0))
    assert off_by(windows_bmp(image), (255, 255, 255)) == 0
