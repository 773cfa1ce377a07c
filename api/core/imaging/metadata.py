"""Lossless removal of metadata (offset, time, camera) from image files.

Compressed pixels are copied unchanged, with what they need to look the same: the orientation, and a
colour profile that `decode` converts from.
"""

import io
import re
import struct
import zlib
from collections.abc import Iterator

from PIL import Image

from api.core.imaging.code_points import add_named_profile
from api.core.imaging.colour import conversion_of
from api.core.imaging.decode import FORMATS, orientation_of

_ORIENTATION_TAG = 0x0112
_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_PNG_METADATA = {b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"gAMA", b"cICP"}
_PNG_COLOURS = {b"iCCP", b"cICP", b"gAMA", b"cHRM", b"sRGB"}
_WEBP_PROFILE, _JPEG_PROFILE = b"ICCP", b"ICC_PROFILE\0"
_WEBP_KEPT = {b"VP8X", b"VP8 ", b"VP8L", b"ALPH"}
_WEBP_HAS_PROFILE, _WEBP_HAS_ALPHA, _WEBP_HAS_EXIF = 0x20, 0x10, 0x08
_JFIF, _EXIF, _ICC, _ADOBE, _COMMENT, _SCAN, _END = 0xE0, 0xE1, 0xE2, 0xEE, 0xFE, 0xDA, 0xD9
# Within a scan 0xFF is followed by zero, a restart marker or, as padding, another 0xFF.
_PLAIN = (1, False)
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


def strip_metadata(data: bytes) -> bytes | None:
    """A JPEG, PNG or WebP file without its metadata; None for other formats, animations and
    malformed files, which have to be re-encoded.
    """
    try:
        if data.startswith(b"\xff\xd8"):
            return _jpeg(data)
        if data.startswith(_PNG_START):
            return _png(data)
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return _webp(data)
    except (struct.error, IndexError, ValueError):  # Truncated or damaged.
        return None
    return None


def _jpeg(data: bytes) -> bytes | None:
    # Opening the image takes time, so only if there is EXIF or XMP data or a profile.
    needed = b"Exif" in data or b"rientation" in data or _JPEG_PROFILE in data
    orientation, is_converted = _orientation_and_profile(data) if needed else _PLAIN
    kept = [data[:2]]
    if orientation != 1:
        kept.append(_segment(_EXIF, b"Exif\0\0" + _exif(orientation)))
    offset = 2
    while data[offset] == 0xFF:
        while data[offset + 1] == 0xFF:
            offset += 1
        marker = data[offset + 1]
        if marker == _END:  # Other images or a video may follow.
            return b"".join([*kept, b"\xff\xd9"])
        length = struct.unpack_from(">H", data, offset + 2)[0]
        body, end = data[offset + 4 : offset + 2 + length], offset + 2 + length
        if marker == _JFIF and body.startswith(b"JFIF\0"):
            kept.append(_segment(_JFIF, body[:12] + b"\0\0"))  # Without its thumbnail.
        elif marker == _ADOBE and body.startswith(b"Adobe"):
            kept.append(_segment(_ADOBE, body[:12]))  # The colour transform.
        elif marker == _ICC and body.startswith(_JPEG_PROFILE):
            if is_converted:
                kept.append(data[offset:end])
        elif marker != _COMMENT and not _JFIF <= marker <= 0xEF:
            kept.append(data[offset:end])
        if marker == _SCAN:
            after = _AFTER_SCAN.search(data, end)
            if after is None:
                return None
            kept.append(data[end : after.start()])
            end = after.start()
        offset = end
    return None


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _png(data: bytes) -> bytes | None:
    chunks = list(_png_chunks(data))
    names = {name for name, _ in chunks}
    if b"acTL" in names or not chunks or chunks[-1][0] != b"IEND":
        return None
    # Decoding the image takes time, so only if there may be something to find.
    orientation, is_converted = _orientation_and_profile(data) if names & _PNG_METADATA else _PLAIN
    kept_names = _PNG_KEPT | (_PNG_COLOURS if is_converted else set())
    kept = [whole for name, whole in chunks if name in kept_names]
    if orientation != 1:
        kept.insert(1, _png_exif(orientation))
    return _PNG_START + b"".join(kept)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and bytes of each chunk, up to IEND."""
    offset, name = len(_PNG_START), b""
    while offset < len(data) and name != b"IEND":
        length, name = struct.unpack_from(">I4s", data, offset)
        end = offset + 12 + length
        if end > len(data):
            return
        yield name, data[offset:end]
        offset = end


def _png_exif(orientation: int) -> bytes:
    body = _exif(orientation)
    chunk = b"eXIf" + body
    return struct.pack(">I", len(body)) + chunk + struct.pack(">I", zlib.crc32(chunk))


def _webp(data: bytes) -> bytes | None:
    orientation, is_converted = _orientation_and_profile(data)
    chunks = dict(_webp_chunks(data))
    if b"ANIM" in chunks or not chunks.keys() & {b"VP8 ", b"VP8L"}:
        return None
    kept_names = _WEBP_KEPT | ({_WEBP_PROFILE} if is_converted else set())
    kept = {name: body for name, body in chunks.items() if name in kept_names}
    if header := kept.get(b"VP8X"):
        flags = header[0] & _WEBP_HAS_ALPHA
        flags |= _WEBP_HAS_EXIF if orientation != 1 else 0
        flags |= _WEBP_HAS_PROFILE if is_converted else 0
        kept[b"VP8X"] = bytes([flags]) + header[1:]
        if orientation != 1:
            kept[b"EXIF"] = _exif(orientation)
    parts = [
        name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
        for name, body in kept.items()
    ]
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _webp_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    offset, whole = 12, 8 + struct.unpack_from("<I", data, 4)[0]
    while offset < whole:
        name, length = struct.unpack_from("<4sI", data, offset)
        # Fails for a truncated chunk.
        yield name, struct.unpack_from(f"{length}s", data, offset + 8)[0]
        offset += 8 + length + length % 2


def _orientation_and_profile(data: bytes) -> tuple[int, bool]:
    """The EXIF orientation, 1 to 8, and whether the colours are converted from a profile.

    Raises ValueError where the image cannot be opened.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            add_named_profile(image, data)
            return orientation_of(image), conversion_of(image) is not None
    except Exception as error:  # As in `decode`.
        raise ValueError("The image cannot be opened.") from error


def _exif(orientation: int) -> bytes:
    """EXIF data with the orientation alone."""
    entry = struct.pack(">HHIHH", _ORIENTATION_TAG, 3, 1, orientation, 0)
    return struct.pack(">2sHIH", b"MM", 42, 8, 1) + entry + bytes(4)
