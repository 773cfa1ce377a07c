"""Detects copies that stopped early: files of full length whose end is zeros.

Decoders read the zeros as pixels. JPEG and PNG are read without them.
"""

import io
import struct
from collections.abc import Iterator
from itertools import islice

from PIL import Image

from api.core.imaging.repair import PNG_START, repaired, webp_chunks

# A file that ends in this many zeros is examined.
UNWRITTEN = bytes(8)
_WEBP_PIXELS, _WEBP_START = (b"VP8 ", b"VP8L"), 12
# EXIF data in HEIF and AVIF, which may end in zeros, has one of these after its first four bytes.
_EXIF = (b"Exif", b"II*\0", b"MM\0*")
_MAX_ITEMS = 10_000
_FULL_COLOUR = 24
# A cut-off row lacks at least this many pixels; of those below, fewer than one in this many are
# black.
_FEWEST_PIXELS, _ONE_IN = 4, 10


def without_unwritten(data: bytes) -> bytes:
    """A JPEG or PNG without zeros at its end: a complete one has none there."""
    if data.endswith(UNWRITTEN) and data.startswith((b"\xff\xd8", PNG_START)):
        return data.rstrip(b"\0")
    return data


def has_unwritten_pixels(data: bytes) -> bool:
    """Whether a WebP, HEIF, AVIF or BMP has zeros in place of pixels."""
    if not data.endswith(UNWRITTEN):
        return False
    try:
        if data.startswith(b"RIFF"):
            return _webp(data)
        if data.startswith(b"BM"):
            return _bmp(data)
        items = islice(_items(data), _MAX_ITEMS) if data[4:8] == b"ftyp" else ()
        return any(map(_ends_unwritten, items))
    except (IndexError, struct.error):  # Decoders refuse such a file.
        return False


def _webp(data: bytes) -> bool:
    """Whether the file decodes without its last zeros. A complete photo needs them, even a plain
    one."""
    at = _WEBP_START
    for name, chunk in webp_chunks(data):
        if name in _WEBP_PIXELS:
            (length,) = struct.unpack_from("<I", chunk, 4)
            pixels = chunk[8 : 8 + length]
            zeros = len(pixels) - len(pixels.rstrip(b"\0"))
            if zeros < len(UNWRITTEN):
                return False
            pixels = pixels[: -(len(UNWRITTEN) // 2)]
            head = name + struct.pack("<I", len(pixels))
            shorter = data[:at] + head + pixels + b"\0" * (len(pixels) % 2)
            return any(map(_is_whole_webp, repaired(shorter)))
        at += len(chunk)
    return False


def _is_whole_webp(data: bytes) -> bool:
    try:
        Image.open(io.BytesIO(data), formats=("WEBP",)).load()
    except (OSError, ValueError):
        return False
    return True


def _ends_unwritten(item: memoryview) -> bool:
    """Encoders end the pixels of HEIF and AVIF with a bit that is set."""
    return item[-len(UNWRITTEN) :] == UNWRITTEN and item[4:8] not in _EXIF


def _items(data: bytes) -> Iterator[memoryview]:
    """The items that the `iloc` box (ISO 14496-12) names; empty for those outside the file."""
    view = memoryview(data)
    place = data.find(b"iloc") + len(b"iloc")
    if place < len(b"iloc"):
        return
    version = data[place]
    offset_size, length_size = data[place + 4] >> 4, data[place + 4] & 15
    base_size, index_size = data[place + 5] >> 4, data[place + 5] & 15 if version else 0
    number_size = 4 if version == 2 else 2
    at = place + 6

    def take(size: int) -> int:
        nonlocal at
        at += size
        return int.from_bytes(data[at - size : at])

    for _ in range(min(take(number_size), _MAX_ITEMS)):
        take(number_size)
        is_in_file = not version or take(2) & 15 == 0
        take(2)
        base = take(base_size)
        for _ in range(min(take(2), _MAX_ITEMS)):
            take(index_size)
            start, length = base + take(offset_size), take(length_size)
            yield view[start : start + length * is_in_file]


def _bmp(data: bytes) -> bool:
    """Whether black begins within a row, while the row below is hardly black from there on.

    Rows are stored from the bottom up. A black edge or background does not begin like this.
    """
    start, width, height, bits = (
        struct.unpack_from(kind, data, at)[0]
        for kind, at in (("<I", 10), ("<i", 18), ("<i", 22), ("<H", 28))
    )
    bytes_each = bits // 8
    row = (width * bits + 31) // 32 * 4
    written = len(data[: start + row * abs(height)].rstrip(b"\0")) - start
    is_long = written > row and row * abs(height) - written >= row
    if bits < _FULL_COLOUR or not is_long or written % row == 0:
        return False
    column = -(-(written % row) // bytes_each)
    below = start + (written // row - 1) * row + column * bytes_each
    pixels = [
        data[at : at + 3] for at in range(below, below + (width - column) * bytes_each, bytes_each)
    ]
    return len(pixels) >= _FEWEST_PIXELS and pixels.count(bytes(3)) * _ONE_IN < len(pixels)
