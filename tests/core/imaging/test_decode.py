"""Images are decoded completely, upright and to RGB; anything else is a 4xx error."""

import struct
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from api.core.errors import ProblemError
from api.core.imaging.decode import (
    DRAFT_SIDE,
    MAX_PIXELS,
    EmptyImageError,
    ImageTooLargeError,
    NotAnImageError,
    decode,
    decodes_quickly,
)
from tests.synthetic_images import draw_fruit, draw_quarters, encode

ORIENTATION = 0x0112
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
GREYS = [(76,) * 3, (150,) * 3, (29,) * 3, WHITE]


def corners(image: Image.Image) -> NDArray[np.int_]:
    """The colours near the corners: top left, top right, bottom left, bottom right."""
    pixels = np.asarray(image, dtype=int)
    return np.stack([pixels[4, 4], pixels[4, -5], pixels[-5, 4], pixels[-5, -5]])


def similar(colours: NDArray[np.int_], expected: object) -> bool:
    return bool(np.abs(colours - np.array(expected)).max() <= 6)


def decode_or_reject(data: bytes, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8] | None:
    """The pixels, or None for a 4xx error; any other error is raised."""
    try:
        return np.asarray(decode(data, max_pixels).image)
    except ProblemError as error:
        if not 400 <= error.status < 500:
            raise
        return None


@pytest.mark.parametrize(
    ("mode", "file_format", "options", "expected"),
    [
        ("RGB", "JPEG", {}, None),
        ("RGB", "JPEG", {"progressive": True}, None),
        ("CMYK", "JPEG", {}, None),
        ("L", "JPEG", {}, GREYS),
        ("RGB", "PNG", {}, None),
        ("P", "PNG", {}, None),
        ("RGBA", "PNG", {}, None),
        ("L", "PNG", {}, GREYS),
        ("LA", "PNG", {}, GREYS),
        ("RGB", "WEBP", {}, None),
        ("RGBA", "WEBP", {"lossless": True}, None),
        ("RGB", "BMP", {}, None),
        ("L", "BMP", {}, GREYS),
        ("RGB", "HEIF", {}, None),
        ("RGBA", "HEIF", {}, None),
    ],
)
def test_every_format_is_decoded_to_rgb(
    mode: str, file_format: str, options: dict[str, bool], expected: list[tuple[int, ...]] | None
) -> None:
    photograph = decode(encode(draw_quarters().convert(mode), file_format, **options))
    assert photograph.image.mode == "RGB"
    assert photograph.image.size == (photograph.width, photograph.height) == (96, 64)
    assert photograph.format == file_format
    assert similar(corners(photograph.image), expected or [RED, GREEN, BLUE, WHITE])


@pytest.mark.parametrize("options", [{}, {"transparency": 1}])
def test_16_bit_grey_keeps_its_brightness(options: dict[str, int]) -> None:
    ramp = np.repeat(np.linspace(0, 65535, 64).astype(np.uint16)[None], 8, axis=0)
    photograph = decode(encode(Image.fromarray(ramp), "PNG", **options))
    pixels = np.asarray(photograph.image, dtype=int)[0]
    assert np.abs(pixels - np.linspace(0, 255, 64)[:, None]).max() <= 1


@pytest.mark.parametrize(
    ("file_format", "mode"), [("PNG", "RGBA"), ("PNG", "LA"), ("WEBP", "RGBA")]
)
def test_transparency_is_flattened_onto_white(file_format: str, mode: str) -> None:
    image = Image.new("L", (60, 40), 0).convert(mode)
    alpha = Image.new("L", (60, 40), 0)
    alpha.paste(255, (20, 0, 40, 40))
    alpha.paste(128, (40, 0, 60, 40))
    image.putalpha(alpha)
    pixels = np.asarray(decode(encode(image, file_format, **_lossless(file_format))).image)
    assert (pixels[:, :20] == 255).all()
    assert (pixels[:, 20:40] == 0).all()
    assert np.abs(pixels[:, 40:].astype(int) - 127).max() <= 1


def test_transparent_palette_colour_is_flattened_onto_white() -> None:
    palette = draw_quarters().convert("P")
    data = encode(palette, "PNG", transparency=palette.getpixel((4, 4)))
    assert similar(corners(decode(data).image), [WHITE, GREEN, BLUE, WHITE])


# Where red, green, blue and white, stored in this order, are displayed with each orientation.
CORNERS_BY_ORIENTATION = {
    1: [RED, GREEN, BLUE, WHITE],
    2: [GREEN, RED, WHITE, BLUE],
    3: [WHITE, BLUE, GREEN, RED],
    4: [BLUE, WHITE, RED, GREEN],
    5: [RED, BLUE, GREEN, WHITE],
    6: [BLUE, RED, WHITE, GREEN],
    7: [WHITE, GREEN, BLUE, RED],
    8: [GREEN, WHITE, RED, BLUE],
}


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "HEIF"])
@pytest.mark.parametrize("orientation", CORNERS_BY_ORIENTATION)
def test_every_orientation_is_applied(file_format: str, orientation: int) -> None:
    image = draw_quarters()
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    image.info["exif"] = exif.tobytes()
    options = {} if file_format == "HEIF" else {"exif": exif}
    photograph = decode(encode(image, file_format, **options))
    assert similar(corners(photograph.image), CORNERS_BY_ORIENTATION[orientation])
    size = (64, 96) if orientation > 4 else (96, 64)
    assert photograph.image.size == (photograph.width, photograph.height) == size
    assert photograph.image.getexif().get(ORIENTATION, 1) == 1


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0", b"Exif\0\0II*\0\x08\0\0\0\0\0"])
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_broken_exif_is_ignored(file_format: str, exif: bytes) -> None:
    photograph = decode(encode(draw_quarters(), file_format, exif=exif))
    assert similar(corners(photograph.image), CORNERS_BY_ORIENTATION[1])


@pytest.mark.parametrize("file_format", ["JPEG", "MPO"])
@pytest.mark.parametrize(
    ("size", "orientation", "upright"),
    [
        ((2000, 1500), 1, (2000, 1500)),
        ((2000, 1500), 6, (1500, 2000)),
        # Sides that become equal when the decoder reduces the image.
        ((1792, 1791), 1, (1792, 1791)),
        ((1791, 1792), 8, (1792, 1791)),
    ],
)
def test_large_jpeg_is_reduced_and_reports_its_full_size(
    file_format: str, size: tuple[int, int], orientation: int, upright: tuple[int, int]
) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    options = {"save_all": True, "append_images": [draw_quarters()]} if file_format == "MPO" else {}
    photograph = decode(encode(draw_quarters(*size), file_format, exif=exif, **options))
    assert photograph.format == "JPEG"
    assert (photograph.width, photograph.height) == upright
    assert min(photograph.image.size) >= DRAFT_SIDE
    assert photograph.image.width <= photograph.width / 2
    assert similar(corners(photograph.image), CORNERS_BY_ORIENTATION[orientation])


@pytest.mark.parametrize("file_format", ["JPEG", "PNG"])
@pytest.mark.parametrize(("min_side", "size"), [(1500, (2000, 1500)), (700, (1000, 750))])
def test_image_is_reduced_no_further_than_asked(
    file_format: str, min_side: int, size: tuple[int, int]
) -> None:
    data = encode(draw_quarters(2000, 1500), file_format)
    photograph = decode(data, min_side=min_side)
    assert photograph.image.size == size
    assert (photograph.width, photograph.height) == (2000, 1500)
    assert min(decode(data).image.size) <= 750


def test_empty_file_is_rejected() -> None:
    with pytest.raises(EmptyImageError):
        decode(b"")


@pytest.mark.parametrize(
    "data",
    [
        b"\0",
        b"hello, this is no photograph\n" * 50,
        b"%PDF-1.7\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        encode(draw_quarters(), "GIF"),
        encode(draw_quarters(), "TIFF"),
        encode(draw_quarters(), "PPM"),
    ],
    ids=["one byte", "text", "PDF", "SVG", "GIF", "TIFF", "PPM"],
)
def test_unsupported_files_are_rejected(data: bytes) -> None:
    with pytest.raises(NotAnImageError) as refusal:
        decode(data)
    assert refusal.value.status == 415
    assert "JPEG, PNG, WEBP" in refusal.value.detail


@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("BMP", {}),
        ("HEIF", {}),
    ],
)
def test_truncated_file_is_rejected_or_complete(file_format: str, options: dict[str, bool]) -> None:
    """If only the end marker is missing, all pixels are present."""
    data = encode(draw_fruit("freshapples"), file_format, **options)
    whole = np.asarray(decode(data).image)
    cuts = range(1, len(data) - 14, max(1, len(data) // 60))
    assert all(decode_or_reject(data[:length]) is None for length in cuts)
    for length in range(len(data) - 14, len(data)):
        pixels = decode_or_reject(data[:length])
        assert pixels is None or np.array_equal(pixels, whole)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "BMP", "HEIF"])
def test_damaged_body_raises_only_4xx_errors(file_format: str) -> None:
    data = encode(draw_fruit("rottenbanana"), file_format)
    random = np.random.default_rng(7)
    for _ in range(40):
        damaged = bytearray(data)
        for place in random.integers(0, len(data), 6):
            damaged[place] = random.integers(256)
        pixels = decode_or_reject(bytes(damaged), max_pixels=1_000_000)
        assert pixels is None or pixels.shape[2] == 3


def test_400_megapixels_are_rejected_before_decoding() -> None:
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 100)
    data = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", body)
    with pytest.raises(ImageTooLargeError) as refusal:
        decode(data + _chunk(b"IEND", b""))
    assert refusal.value.status == 413
    assert "20000 x 20000" in refusal.value.detail


def test_image_of_exactly_the_pixel_limit_is_accepted() -> None:
    data = encode(draw_quarters(40, 30), "PNG")
    assert decode(data, max_pixels=1200).width == 40
    with pytest.raises(ImageTooLargeError):
        decode(data, max_pixels=1199)


def _lossless(file_format: str) -> dict[str, bool]:
    return {"lossless": True, "exact": True} if file_format == "WEBP" else {}


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "I;16"])
def test_large_image_of_any_mode_is_reduced_correctly(mode: str) -> None:
    """Reducing in strips must leave no seams and lose no row."""
    ramp = np.linspace(0, 255, 2000)[:, None] * np.ones((1, 1500))
    if mode == "I;16":
        image = Image.fromarray((ramp * 257).astype(np.uint16))
    else:
        image = Image.fromarray(ramp.astype(np.uint8)).convert(mode)
    photograph = decode(encode(image, "PNG"))
    assert (photograph.width, photograph.height) == (1500, 2000)
    assert photograph.image.size == (500, 667)
    rows = np.asarray(photograph.image.convert("L"), float).mean(axis=1)
    assert np.abs(rows - np.linspace(0, 255, 667)).max() < 4


@pytest.mark.parametrize("file_format", ["JPEG", "PNG"])
def test_full_size_is_decoded_on_request(file_format: str) -> None:
    data = encode(draw_quarters(1400, 1000), file_format)
    assert decode(data).image.width < 1400
    whole = decode(data, full_size=True)
    assert whole.image.size == (whole.width, whole.height) == (1400, 1000)
    assert similar(corners(whole.image), CORNERS_BY_ORIENTATION[1])


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (encode(draw_fruit("freshapples"), "JPEG"), True),
        (encode(Image.new("RGB", (1024, 1024)), "JPEG"), True),
        (encode(Image.new("RGB", (1025, 1024)), "JPEG"), False),
        (encode(Image.new("RGB", (224, 224)), "JPEG", progressive=True), False),
        (encode(Image.new("RGB", (224, 224)), "PNG"), False),
        (encode(Image.new("RGB", (224, 224)), "JPEG") + bytes(2**18), False),
        (b"\xff\xd8 no photo", False),
        (b"", False),
    ],
    ids=["small", "limit", "wide", "scans", "PNG", "long", "no photo", "empty"],
)
def test_only_a_small_jpeg_in_one_scan_decodes_quickly(data: bytes, expected: bool) -> None:
    assert decodes_quickly(data) is expected
