"""What a file is that is not read, so that its refusal can say so."""

import struct

_STARTS = (
    (b"GIF8", "a GIF"),
    (b"II*\0", "a TIFF or a raw photo"),
    (b"MM\0*", "a TIFF or a raw photo"),
    (b"II+\0", "a TIFF"),
    (b"MM\0+", "a TIFF"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL"),
    (b"\xff\x0a", "a JPEG XL"),
    (b"8BPS", "a Photoshop file"),
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a zip"),
    (b"Rar!\x1a", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x1f\x8b", "packed by gzip"),
    (b"data:image/", "a data URL in place of the bytes that it stands for"),
    (b"<!DOCTYPE html", "a web page"),
    (b"<html", "a web page"),
    (b"<svg", "an SVG drawing"),
)
_VIDEOS = (b"qt  ", b"isom", b"mp41", b"mp42", b"M4V ", b"3gp4", b"3gp5")
# By the marker of its frame, which says how its pixels are packed.
_LOSSLESS = (0xC3, 0xC7, 0xCB, 0xCF)
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_JPEG_LS = 0xF7


def kind_of(data: bytes) -> str | None:
    """In words, with its article; None if it is not known, or of a kind that is read."""
    for start, kind in _STARTS:
        if data.startswith(start):
            return kind
    if data[4:8] == b"ftyp" and data[8:12] in _VIDEOS:
        return "a video"
    return _kind_of_jpeg(data) if data.startswith(b"\xff\xd8\xff") else None


def _kind_of_jpeg(data: bytes) -> str | None:
    offset = 2
    while offset + 5 <= len(data) and data[offset] == 0xFF:
        marker, length, bits = struct.unpack_from(">xBHB", data, offset)
        if marker in _LOSSLESS or marker == _JPEG_LS:
            return "a lossless JPEG"
        if marker in _FRAMES:
            return None if bits == 8 else f"a JPEG of {bits} bits a colour"
        offset += 2 + length
    return None
