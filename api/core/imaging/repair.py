"""Repairs damaged image files whose pixels are complete.

Editors, cameras and transfers leave long texts and broken chunks in a PNG, drop the end mark, or
put bytes before the start. Pixels are never made up.
"""

import re
import struct
import zlib
from collections.abc import Iterator

from api.core.imaging.colour import MAX_PROFILE_BYTES

PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_PIXELS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_PNG_SHOWN = {b"iCCP", b"eXIf", b"cICP", b"gAMA", b"cHRM", b"sRGB"}
_PNG_LENGTHS = {b"cICP": 4, b"gAMA": 4, b"cHRM": 32, b"sRGB": 1}
_STARTS = (b"\xff\xd8\xff", PNG_START, b"RIFF", b"BM")
# What scripts and editors write before a file: line ends, spaces, a byte order mark.
_BEFORE = b"\xef\xbb\xbf\r\n\t \0"
_JPEG_SCAN, _JPEG_END = 0xDA, 0xD9
_JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
# Longer than the code of any block, so that a missing block changes the pixels. The restart markers
# reveal missing intervals: a decoder skips one whose marker comes one or two too early.
_FILLINGS = tuple(
    b"".join(
        bytes([value]) * 256 + bytes([0xFF, 0xD0 + (first + number) % 8]) for number in range(8)
    )
    for value, first in ((0x55, 0), (0xE4, 3), (0xAA, 5), (0xEB, 7), (0x39, 2))
)
_COEFFICIENTS = 64
_WEBP_PROFILE, _WEBP_ALPHA = 0x20, 0x10


def repaired(data: bytes) -> Iterator[bytes]:
    """Versions of a damaged file that may be readable; none if nothing is known to help.

    The file has all its pixels if every version can be decoded and all give the same ones. Only one
    version is in memory at a time.
    """
    start = data.lstrip(_BEFORE)
    if start.startswith(_STARTS) and len(start) < len(data):
        yield start
    elif data.startswith(PNG_START):
        yield from _png(data)
    elif data.startswith(b"\xff\xd8"):
        yield from _jpeg(data)
    elif data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        yield from _webp(data)


def _png(data: bytes) -> Iterator[bytes]:
    """Keep the pixel chunks, and those that affect the display if they are intact."""
    kept = [PNG_START]
    offset, name = len(PNG_START), b""
    while offset + 8 <= len(data) and name != b"IEND":
        length, name = struct.unpack_from(">I4s", data, offset)
        end = offset + 12 + length
        chunk = data[offset:end]
        if name in _PNG_PIXELS or (name in _PNG_SHOWN and _is_whole(chunk)):
            kept.append(chunk)
        offset = end
    shorter = b"".join(kept)
    if shorter != data:
        yield shorter


def _is_whole(chunk: bytes) -> bool:
    """Whether a PNG chunk has the right checksum and length, and a profile is not too large."""
    name, body, checksum = chunk[4:8], chunk[8:-4], chunk[-4:]
    if struct.pack(">I", zlib.crc32(name + body)) != checksum:
        return False
    if len(body) != _PNG_LENGTHS.get(name, len(body)):
        return False
    if name != b"iCCP":
        return True
    unpacking = zlib.decompressobj()
    try:
        unpacking.decompress(body.partition(b"\0")[2][1:], MAX_PROFILE_BYTES)
    except zlib.error:
        return False
    return unpacking.eof


def _jpeg(data: bytes) -> Iterator[bytes]:
    """Versions with a filling after the last scan, which shows where pixels are missing."""
    end = end_of_scans(data)
    if end is not None:
        cut = data[:end].removesuffix(b"\xff")
        for filling in _FILLINGS:
            yield b"".join((cut, filling, b"\xff\xd9"))


def end_of_scans(jpeg: bytes) -> int | None:
    """Where the last scan ends, at the end mark or the file's end; None if a scan is missing.

    The last scan itself may be cut off.
    """
    missing: dict[int, set[int]] = {}  # By component, the coefficients that lack their last bit.
    offset = 2
    try:
        while jpeg[offset] == 0xFF and jpeg[offset + 1] != _JPEG_END:
            marker, length = struct.unpack_from(">xBH", jpeg, offset)
            body, offset = jpeg[offset + 4 : offset + 2 + length], offset + 2 + length
            if marker in _JPEG_FRAMES:
                missing = {component: set(range(_COEFFICIENTS)) for component in body[6::3]}
            if marker == _JPEG_SCAN:
                first, last, bits = body[-3:]
                if bits & 0xF == 0:
                    for component in body[1:-3:2]:
                        missing[component] -= set(range(first, last + 1))
                after = _AFTER_SCAN.search(jpeg, offset)
                offset = after.start() if after else len(jpeg)
                if after is None:
                    break
        is_whole = missing and not any(missing.values())
    except (IndexError, KeyError, ValueError, struct.error):
        return None
    return offset if is_whole else None


def _webp(data: bytes) -> Iterator[bytes]:
    """The file without what follows the pixels, and with the right length."""
    kept: list[bytes] = []
    for name, chunk in webp_chunks(data):
        if name == b"VP8X":
            flags = chunk[8] & (_WEBP_ALPHA | _WEBP_PROFILE)
            kept.append(chunk[:8] + bytes([flags]) + chunk[9:])
        else:
            kept.append(chunk)
        if name in (b"VP8 ", b"VP8L"):
            body = b"WEBP" + b"".join(kept)
            yield b"RIFF" + struct.pack("<I", len(body)) + body
            return


def webp_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and bytes of each chunk, up to the first that is cut off."""
    offset = 12
    while offset + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, offset)
        end = offset + 8 + length
        if end > len(data):
            return
        yield name, data[offset:end] + b"\0" * (length % 2)
        offset = end + length % 2
