"""Taking out of a file what is no part of the picture: where, when and with what it was taken.

The file is taken apart and put together again without its metadata; the compressed pixels are
copied as they are, so that they decode to the same bytes. Of all metadata only the orientation
stays, without which the picture would lie on its side. Colour profiles go too: `decode` reads
colours without them.
"""

import io
import re
import struct
import zlib
from collections.abc import Iterator

from PIL import Image

from api.core.imaging.decode import FORMATS, orientation_of

_ORIENTATION_TAG = 0x0112
_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_PICTURE = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_PNG_WORDS = {b"eXIf", b"tEXt", b"zTXt", b"iTXt"}
_WEBP_PICTURE = {b"VP8X", b"VP8 ", b"VP8L", b"ALPH"}
_WEBP_ALPHA, _WEBP_EXIF = 0x10, 0x08
_JFIF, _EXIF, _ADOBE, _COMMENT, _SCAN, _END = 0xE0, 0xE1, 0xEE, 0xFE, 0xDA, 0xD9
# Within a scan 0xFF is followed by zero, by a restart mark or, as filling, by another 0xFF.
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


def strip_metadata(data: bytes) -> bytes | None:
    """The file without metadata, for a JPEG, PNG or WebP; its pixels decode as before.

    None for other formats, for moving pictures and for a file that is not built as it should be:
    such a picture has to be encoded anew.
    """
    try:
        if data.startswith(b"\xff\xd8"):
            return _jpeg(data)
        if data.startswith(_PNG_START):
            return _png(data)
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return _webp(data)
    except (struct.error, IndexError):  # It ends before its parts do.
        return None
    return None


def _jpeg(data: bytes) -> bytes | None:
    # Looking for the orientation opens the picture, so only where EXIF or XMP may tell one.
    orientation = _orientation(data) if b"Exif" in data or b"rientation" in data else 1
    if orientation is None:
        return None
    kept = [data[:2]]
    if orientation != 1:
        kept.append(_segment(_EXIF, b"Exif\0\0" + _exif(orientation)))
    place = 2
    while data[place] == 0xFF:
        while data[place + 1] == 0xFF:
            place += 1
        marker = data[place + 1]
        if marker == _END:  # What follows are other pictures, or a film.
            return b"".join([*kept, b"\xff\xd9"])
        length = struct.unpack_from(">H", data, place + 2)[0]
        body, end = data[place + 4 : place + 2 + length], place + 2 + length
        if marker == _JFIF and body.startswith(b"JFIF\0"):
            kept.append(_segment(_JFIF, body[:12] + b"\0\0"))  # Without its thumbnail.
        elif marker == _ADOBE and body.startswith(b"Adobe"):
            kept.append(_segment(_ADOBE, body[:12]))  # It says how colours are stored.
        elif marker != _COMMENT and not _JFIF <= marker <= 0xEF:
            kept.append(data[place:end])
        if marker == _SCAN:
            after = _AFTER_SCAN.search(data, end)
            if after is None:
                return None
            kept.append(data[end : after.start()])
            end = after.start()
        place = end
    return None


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _png(data: bytes) -> bytes | None:
    chunks = list(_png_chunks(data))
    names = {name for name, _ in chunks}
    if b"acTL" in names or not chunks or chunks[-1][0] != b"IEND":
        return None
    # Looking for the orientation decodes the picture, so only where there may be one.
    orientation = _orientation(data) if names & _PNG_WORDS else 1
    if orientation is None:
        return None
    kept = [whole for name, whole in chunks if name in _PNG_PICTURE]
    if orientation != 1:
        kept.insert(1, _png_chunk(b"eXIf", _exif(orientation)))
    return _PNG_START + b"".join(kept)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and bytes of each chunk, up to the one that ends the picture."""
    place, name = len(_PNG_START), b""
    while place < len(data) and name != b"IEND":
        length, name = struct.unpack_from(">I4s", data, place)
        end = place + 12 + length
        if end > len(data):
            return
        yield name, data[place:end]
        place = end


def _png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _webp(data: bytes) -> bytes | None:
    orientation = _orientation(data)
    chunks = dict(_webp_chunks(data))
    if orientation is None or b"ANIM" in chunks or not chunks.keys() & {b"VP8 ", b"VP8L"}:
        return None
    kept = {name: body for name, body in chunks.items() if name in _WEBP_PICTURE}
    if header := kept.get(b"VP8X"):
        flags = header[0] & _WEBP_ALPHA | (_WEBP_EXIF if orientation != 1 else 0)
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
    place, whole = 12, 8 + struct.unpack_from("<I", data, 4)[0]
    while place < whole:
        name, length = struct.unpack_from("<4sI", data, place)
        # The unpacking fails where the file ends before the chunk does.
        yield name, struct.unpack_from(f"{length}s", data, place + 8)[0]
        place += 8 + length + length % 2


def _orientation(data: bytes) -> int | None:
    """The orientation, 1 to 8, that `decode` would turn by; None where it could not be read."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            return orientation_of(image)
    except Exception:  # Pillow's plugins raise whatever a broken header leads them to.
        return None


def _exif(orientation: int) -> bytes:
    """EXIF data of one entry."""
    entry = struct.pack(">HHIHH", _ORIENTATION_TAG, 3, 1, orientation, 0)
    return struct.pack(">2sHIH", b"MM", 42, 8, 1) + entry + bytes(4)
