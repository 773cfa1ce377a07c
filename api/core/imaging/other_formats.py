"""Names the kind of a file that is not accepted, for the error message."""

import re
import struct

# Leading bytes that `kind_of` needs, except for the kinds of JPEG.
START_BYTES = 512
_AS_TEXT = "damaged in transit, where its bytes were treated as text"
_STARTS = (
    (b"GIF8", "a GIF"),
    (b"II*\0", "a TIFF or a raw photo"),
    (b"MM\0*", "a TIFF or a raw photo"),
    (b"II+\0", "a TIFF"),
    (b"MM\0+", "a TIFF"),
    *(
        (start, "a raw photo")
        for start in (b"IIU\0", b"IIRO", b"MMOR", b"FUJIFILMCCD-RAW", b"FOVb")
    ),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL"),
    (b"\xff\x0a", "a JPEG XL"),
    (b"8BPS", "a Photoshop file"),
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a zip"),
    (b"PK\x07\x08", "a part of a split zip"),
    (b"MZ", "a Windows program, perhaps a self-extracting zip"),
    (b"Rar!\x1a", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ", "compressed with xz"),
    (b"\x28\xb5\x2f\xfd", "compressed with Zstandard"),
    (b"\x1a\x45\xdf\xa3", "a video"),
    (b"\0\0\x01\0", "a Windows icon"),
    (b"\0\x05\x16\x07", "what macOS keeps beside a file, not the file itself"),
    (b"v/1\x01", "an OpenEXR"),
    (b"#?RADIANCE", "a Radiance picture"),
    (b"P5\n", "a PGM"),
    (b"P6\n", "a PPM"),
    (b"qoif", "a QOI"),
    (b"DDS ", "a DDS"),
    # Transferred as text: bytes were replaced, or line ends changed.
    (b"\x89PNG\n\x1a", f"a PNG {_AS_TEXT}"),
    (b"\x89PNG\r\r\n", f"a PNG {_AS_TEXT}"),
    (b"\xef\xbf\xbdPNG", f"a PNG {_AS_TEXT}"),
    (b"\xc2\x89PNG", f"a PNG {_AS_TEXT}"),
    (b"\xef\xbf\xbd" * 2, _AS_TEXT),
    (b"\xc3\xbf\xc3\x98\xc3\xbf", f"a JPEG {_AS_TEXT}"),
)
# Offset, bytes, kind.
_MARKS = (
    *((0, start, kind) for start, kind in _STARTS),
    (257, b"ustar", "a tar archive"),
    (128, b"DICM", "a DICOM"),
    (8, b"AVI ", "a video"),
)
# How text begins, in lower case, after spaces and a byte order mark.
_TEXT_STARTS = (
    (b"data:image/", "a data URL in place of the bytes that it stands for"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"<svg", "an SVG drawing"),
    (b"<?xml", "an XML document or an SVG drawing"),
    (b"version https://git-lfs", "a Git LFS pointer in place of the photo (git lfs pull)"),
    (b"http/1.", "a whole HTTP message in place of the photo in it"),
    (b"content-", "a part of a form with its headers, in place of the photo in it"),
    (b"--", "a form that is sent as if it were a photo"),
    (b"{", "JSON"),
    (b"[", "JSON"),
)
# Brands of ISO media files that are photos; most others are videos.
_ISO_PHOTOS = (
    *(b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"mif2", b"msf1"),
    *(b"miaf", b"avif", b"avis", b"1pic"),
)
_ISO_RAW = b"crx "
_TEXT = re.compile(rb"[\t\n\r -~]+")
_TEXT_BYTES = 200
_BASE64 = re.compile(rb"[A-Za-z0-9+/_=-]+")
# The first bytes of a JPEG, PNG or WebP in base64.
_BASE64_STARTS = (b"/9j/", b"_9j_", b"iVBORw0KGgo", b"UklGR")
# Markers of a JPEG's frame, which say how its pixels are compressed.
_LOSSLESS = (0xC3, 0xC7, 0xCB, 0xCF)
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_JPEG_LS = 0xF7


def kind_of(data: bytes) -> str | None:
    """The kind in words, with an article; None if it is unknown, or one that is accepted."""
    for offset, start, kind in _MARKS:
        if data.startswith(start, offset):
            return kind
    if data.startswith(b"\xff\xd8\xff"):
        return _kind_of_jpeg(data)
    if data[4:8] == b"ftyp":
        return _kind_of_iso(data[8:12])
    if not data.strip(b"\0"):
        return "nothing but zeros, as a failed copy leaves"
    return _kind_of_text(data)


def _kind_of_iso(brand: bytes) -> str | None:
    if brand in _ISO_PHOTOS:
        return None
    return "a raw photo" if brand == _ISO_RAW else "a video"


def _kind_of_text(data: bytes) -> str | None:
    start = data[:_TEXT_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip().strip(b'"')
    if _BASE64.fullmatch(start) and start.startswith(_BASE64_STARTS):
        return "base64 text in place of the bytes that it stands for"
    for text, kind in _TEXT_STARTS:
        if start.lower().startswith(text):
            return kind
    return "text" if _TEXT.fullmatch(start) else None


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
