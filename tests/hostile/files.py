"""Drawn images in every format, and mutations of their bytes."""

import io
import random
import struct
import zlib
from collections.abc import Callable, Mapping

from PIL import Image

from tests.colour_profiles import SPACES, rgb_profile
from tests.synthetic_images import draw_fruit, draw_quarters, encode

# Sizes in headers that should make a decoder allocate memory.
HUGE = (65_535, 16_383, 20_000, 2**31 - 1)


def whole_files() -> dict[str, bytes]:
    """One file of each format and pixel mode, by name."""
    fruit, large = draw_fruit("freshapples", 1), draw_fruit("rottenbanana", 2, size=900)
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation.
    exif[0x9286] = b"ASCII\0\0\0" + b"x" * 2000  # A comment.
    return {
        "apple.jpg": encode(fruit, "JPEG", exif=exif.tobytes()),
        "large.jpg": encode(large, "JPEG", progressive=True, quality=95),
        "ink.jpg": encode(fruit.convert("CMYK"), "JPEG"),
        "grey.jpg": encode(fruit.convert("L"), "JPEG"),
        "apple.png": encode(fruit, "PNG"),
        "glass.png": encode(fruit.convert("RGBA"), "PNG"),
        "palette.png": encode(fruit.convert("P"), "PNG", transparency=0),
        "deep.png": encode(fruit.convert("L").convert("I;16"), "PNG"),
        "bit.png": encode(fruit.convert("1"), "PNG"),
        "apple.webp": encode(fruit, "WEBP"),
        "lossless.webp": encode(fruit, "WEBP", lossless=True),
        "film.webp": encode(fruit, "WEBP", save_all=True, append_images=[draw_quarters(96, 96)]),
        "apple.bmp": encode(fruit, "BMP"),
        "palette.bmp": encode(fruit.convert("P"), "BMP"),
        "apple.avif": encode(fruit, "AVIF"),
        "film.png": encode(fruit, "PNG", save_all=True, append_images=[draw_quarters(96, 96)]),
        "named.png": with_chunk(encode(fruit, "PNG"), b"cICP", bytes((9, 16, 0, 1))),
        "dark.png": with_chunk(encode(fruit, "PNG"), b"gAMA", struct.pack(">I", 100_000)),
        "profile.png": encode(fruit, "PNG", icc_profile=rgb_profile(SPACES["ProPhoto"])),
        "copied.webp": half_written(encode(fruit, "WEBP")),
        "copied.heic": half_written(encode(fruit, "HEIF")),
        "copied.avif": half_written(encode(fruit, "AVIF")),
        "copied.bmp": half_written(encode(fruit, "BMP")),
        "apple.heic": encode(fruit, "HEIF"),
        "large.heic": encode(large, "HEIF"),
        "apple.gif": encode(fruit, "GIF"),
        "apple.tiff": encode(fruit, "TIFF"),
        "apple.ico": encode(fruit, "ICO"),
        "apple.ppm": encode(fruit, "PPM"),
        "apple.pdf": encode(fruit, "PDF"),
        "phone.mpo": encode(fruit, "MPO", save_all=True, append_images=[fruit]),
        "apple.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/>",
        "apple.html": b"<html><img src=http://127.0.0.1:1/></html>",
        "apple.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run\n",
        "empty.jpg": b"",
    }


def half_written(data: bytes) -> bytes:
    """As left by a copy that stopped early in a file of full length."""
    return data[: len(data) // 2].ljust(len(data), b"\0")


def with_chunk(image: bytes, name: bytes, body: bytes) -> bytes:
    """A PNG with one more chunk after its header."""
    return image[:33] + _chunk(name, body) + image[33:]


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _with_bit_flips(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 2, 8, 64))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _truncated(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def _without_start(data: bytes, rng: random.Random) -> bytes:
    return data[rng.randrange(min(64, len(data))) :]


def _repeated(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    part = data[start : start + rng.randrange(1, 400)]
    return data[:start] + part * rng.randrange(2, 40) + data[start:]


def _overwritten(data: bytes, rng: random.Random) -> bytes:
    start, length = rng.randrange(len(data)), rng.randrange(1, 300)
    filling = rng.choice((b"\0", b"\xff", b"PK\x03\x04", rng.randbytes(1)))
    return data[:start] + (filling * length)[:length] + data[start + length :]


def _with_wrong_integer(data: bytes, rng: random.Random) -> bytes:
    """Overwrite an integer at a place where a length, size or offset may be."""
    changed = bytearray(data)
    kind = rng.choice((">I", "<I", ">H", "<H"))
    size = struct.calcsize(kind)
    value = rng.choice((0, 1, *HUGE, 2 ** (8 * size) - 1)) % 2 ** (8 * size)
    if len(changed) > size:
        offset = rng.randrange(min(len(changed) - size, 200))
        struct.pack_into(kind, changed, offset, value)
    return bytes(changed)


def _unwritten(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))].ljust(len(data), b"\0")


def _with_trailing_bytes(data: bytes, rng: random.Random) -> bytes:
    return data + rng.randbytes(rng.randrange(1, 5000))


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _with_bit_flips,
    _truncated,
    _without_start,
    _repeated,
    _overwritten,
    _with_wrong_integer,
    _unwritten,
    _with_trailing_bytes,
)


def mutated(files: Mapping[str, bytes], rng: random.Random) -> tuple[str, bytes]:
    """One of the files with some mutations, sometimes with the header of another file."""
    name = rng.choice(sorted(files))
    data = files[name]
    if rng.random() < 0.15:
        other = files[rng.choice(sorted(files))]
        data = data[: rng.randrange(1, 200)] + other[rng.randrange(0, 200) :]
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if data:
            data = rng.choice(MUTATIONS)(data, rng)
    return name, data


def bombs() -> dict[str, bytes]:
    """Small files that claim to be huge or unpack to much data."""
    many = b"\0" * 2_000_000
    return {
        "400-megapixels.png": png(20_000, 20_000, zlib.compress(many)),
        "long-side.png": png(2**31 - 1, 1, zlib.compress(many)),
        "no-pixels.png": png(0, 0, b""),
        "no-data.png": png(5000, 5000, b""),
        "text.png": png(8, 8, zlib.compress(many), [(b"zTXt", b"a\0\0" + zlib.compress(many))]),
        "profile.png": png(8, 8, zlib.compress(many), [(b"iCCP", b"a\0\0" + zlib.compress(many))]),
        "frames.png": png(8, 8, zlib.compress(many), [(b"acTL", struct.pack(">II", 2**31 - 1, 0))]),
        "huge.bmp": _sized(encode(draw_quarters(), "BMP"), 18, "<ii", (40_000, 40_000)),
        "upside-down.bmp": _sized(encode(draw_quarters(), "BMP"), 18, "<ii", (96, -(2**31))),
        "huge.jpg": _jpeg_sized(65_500, 65_500),
        "huge.webp": _sized(encode(draw_quarters(), "WEBP"), 26, "<HH", (16_383, 16_383)),
        # Within the limit: 60 megapixels in 60 KB.
        "black.png": png(7700, 7700, zlib.compress(b"\0" * 7701 * 7700, 9), depth=1),
    }


def png(
    width: int,
    height: int,
    data: bytes,
    chunks: list[tuple[bytes, bytes]] | None = None,
    depth: int = 8,
) -> bytes:
    """A grey PNG with this header and data."""
    head = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    stream = io.BytesIO()
    stream.write(b"\x89PNG\r\n\x1a\n")
    for kind, content in [(b"IHDR", head), *(chunks or []), (b"IDAT", data), (b"IEND", b"")]:
        stream.write(_chunk(kind, content))
    return stream.getvalue()


def _sized(data: bytes, offset: int, kind: str, values: tuple[int, ...]) -> bytes:
    changed = bytearray(data)
    struct.pack_into(kind, changed, offset, *values)
    return bytes(changed)


def _jpeg_sized(width: int, height: int) -> bytes:
    data = encode(draw_quarters(), "JPEG")
    return _sized(data, data.index(b"\xff\xc0") + 5, ">HH", (height, width))
