"""Photos with a colour profile are converted to sRGB for grading, and keep their colours when
stored."""

import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from api.core.imaging.decode import DRAFT_SIDE, decode
from api.core.imaging.metadata import strip_metadata
from api.core.imaging.resize import encode_stored_image, select_stored_image, thumbnail
from tests.colour_profiles import SPACES, cmyk_profile, grey_profile, in_space, rgb_profile
from tests.synthetic_images import draw_fruit, draw_quarters, encode

RED, GREEN = (200, 60, 50), (70, 150, 60)
WIDE = ("Display P3", "Adobe RGB", "ProPhoto")
FORMATS = ("JPEG", "PNG", "WEBP", "HEIF", "AVIF")
LOSSLESS: dict[str, dict[str, Any]] = {
    "WEBP": {"lossless": True},
    "JPEG": {"quality": 95, "subsampling": "4:4:4"},
}


def two_colours(space: str, size: int = 64) -> Image.Image:
    """Red above green, in the values of `space`."""
    image = Image.new("RGB", (size, size), in_space(RED, SPACES[space]))
    image.paste(in_space(GREEN, SPACES[space]), (0, size // 2, size, size))
    return image


def with_profile(image: Image.Image, file_format: str, profile: bytes) -> bytes:
    options = LOSSLESS.get(file_format, {})
    return encode(image, file_format, icc_profile=profile, **options)


def top_and_bottom(image: Image.Image) -> NDArray[np.int_]:
    pixels = np.asarray(image.convert("RGB"), dtype=int)
    return np.stack([pixels[8, 8], pixels[-8, 8]])


def off_by(image: Image.Image) -> int:
    return int(np.abs(top_and_bottom(image) - [RED, GREEN]).max())


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("space", WIDE)
def test_colours_are_those_that_the_person_saw(file_format: str, space: str) -> None:
    data = with_profile(two_colours(space), file_format, rgb_profile(SPACES[space]))
    assert off_by(decode(data).image) <= 5
    assert off_by(decode(data, full_size=True).image) <= 5


@pytest.mark.parametrize("mode", ["RGBA", "P"])
@pytest.mark.parametrize("size", [64, 4 * DRAFT_SIDE])
def test_modes_and_sizes_of_a_png(mode: str, size: int) -> None:
    image = two_colours("Display P3", size)
    image = image.quantize(4) if mode == "P" else image.convert(mode)
    photograph = decode(with_profile(image, "PNG", rgb_profile(SPACES["Display P3"])))
    assert photograph.image.mode == "RGB"
    assert off_by(photograph.image) <= 5


def test_large_jpeg_is_converted_after_its_reduction() -> None:
    data = with_profile(
        two_colours("ProPhoto", 4 * DRAFT_SIDE), "JPEG", rgb_profile(SPACES["ProPhoto"])
    )
    photograph = decode(data)
    assert photograph.image.width < photograph.width
    assert off_by(photograph.image) <= 5


def test_transparent_pixels_stay_white() -> None:
    clear = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    data = with_profile(clear, "PNG", rgb_profile(SPACES["ProPhoto"]))
    assert np.asarray(decode(data).image).min() >= 254


@pytest.mark.parametrize("mode", ["L", "LA", "I;16"])
def test_grey_profile_is_applied(mode: str) -> None:
    """Scanners and industrial cameras give linear light, in which 128 is a light grey."""
    if mode == "I;16":
        image = Image.fromarray(np.full((40, 40), 128 * 257, np.uint16))
    else:
        image = Image.new("L", (40, 40), 128).convert(mode)
    data = with_profile(image, "PNG", grey_profile(1.0))
    assert np.abs(np.asarray(decode(data).image, int) - 188).max() <= 1


def test_grey_jpeg_with_a_profile_of_rgb_keeps_its_tones() -> None:
    data = with_profile(Image.new("L", (40, 40), 120), "JPEG", rgb_profile(SPACES["Display P3"]))
    assert np.ptp(np.asarray(decode(data).image)) == 0
    assert np.abs(np.asarray(decode(data).image, int) - 120).max() <= 4


@pytest.mark.parametrize("size", [64, 4 * DRAFT_SIDE])
def test_cmyk_is_printed_by_its_profile(size: int) -> None:
    """Real inks are duller than the complements of red, green and blue."""
    inks = Image.new("CMYK", (size, size), (0, 255, 255, 0))
    (red, green, blue), _ = top_and_bottom(decode(with_profile(inks, "JPEG", cmyk_profile())).image)
    assert abs(red - 232) <= 6
    assert abs(green - 82) <= 10
    assert abs(blue - 44) <= 14
    plain, _ = top_and_bottom(decode(encode(inks, "JPEG")).image)
    assert plain[0] > 245


@pytest.mark.parametrize(
    "profile",
    [
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        b"no profile at all",
        rgb_profile(SPACES["ProPhoto"])[:200],
        grey_profile(1.0),
        cmyk_profile(),
    ],
    ids=["sRGB", "text", "cut off", "of grey", "of CMYK"],
)
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_srgb_and_unusable_profiles_change_no_pixel(file_format: str, profile: bytes) -> None:
    image, options = draw_fruit("freshapples"), LOSSLESS.get(file_format, {})
    plain = decode(encode(image, file_format, **options))
    profiled = decode(with_profile(image, file_format, profile))
    assert np.array_equal(np.asarray(plain.image), np.asarray(profiled.image))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_damaged_profiles_raise_nothing() -> None:
    random = np.random.default_rng(3)
    for whole in (rgb_profile(SPACES["Adobe RGB"]), cmyk_profile(), grey_profile(2.2)):
        for _ in range(60):
            profile = bytearray(whole)
            for place in random.integers(0, len(profile), 5):
                profile[place] = random.integers(256)
            for mode in ("RGB", "L", "CMYK"):
                image = draw_quarters().convert(mode)
                decode(encode(image, "JPEG", icc_profile=bytes(profile)))


@pytest.mark.parametrize(
    ("file_format", "mode"),
    [
        *(("JPEG", mode) for mode in ("RGB", "L", "CMYK")),
        *((file_format, mode) for file_format in ("PNG", "WEBP") for mode in ("RGB", "RGBA", "L")),
    ],
)
def test_stored_photo_keeps_its_colours(file_format: str, mode: str) -> None:
    """The stored pixels are exactly those that were graded, so that training sees what serving
    saw."""
    profile = cmyk_profile() if mode == "CMYK" else rgb_profile(SPACES["ProPhoto"])
    data = with_profile(draw_fruit("rottenapples", size=200).convert(mode), file_format, profile)
    stripped = strip_metadata(data)
    assert stripped is not None
    before, after = decode(data).image, decode(stripped).image
    assert np.array_equal(np.asarray(before), np.asarray(after))
    assert not np.array_equal(
        np.asarray(before), np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    )


@pytest.mark.parametrize("size", [64, 1400])
def test_history_and_thumbnails_keep_the_colours(size: int) -> None:
    data = with_profile(two_colours("Display P3", size), "JPEG", rgb_profile(SPACES["Display P3"]))
    kept = encode_stored_image(select_stored_image(data, decode(data)))
    for shown in (decode(kept).image, Image.open(io.BytesIO(thumbnail(kept, 48)))):
        assert off_by(shown) <= 6
