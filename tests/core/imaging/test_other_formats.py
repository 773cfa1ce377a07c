"""A refusal names the kind of file: a GIF, a video, a kind of JPEG that cannot be read."""

import base64
from typing import Any

import pytest

from api.core.imaging.decode import NotAnImageError, TruncatedImageError, decode
from tests.synthetic_images import draw_fruit, encode

FRUIT = draw_fruit("freshapples")
JPEG = encode(FRUIT, "JPEG")
FRAME = b"\xff\xc0\x00\x11\x08"
AS_TEXT = "damaged in transit, where its bytes were treated as text"
FORM = b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n'
FILES: dict[str, bytes] = {
    "a GIF": encode(FRUIT, "GIF"),
    "a TIFF or a raw photo": encode(FRUIT, "TIFF"),
    "a JPEG 2000": encode(FRUIT, "JPEG2000"),
    "a JPEG XL": b"\xff\x0a" + bytes(100),
    "a PDF": encode(FRUIT, "PDF"),
    "a video": b"\0\0\0\x14ftypqt  " + bytes(500),
    "a RAR archive": b"Rar!\x1a\x07\x01\0" + bytes(100),
    "a 7-Zip archive": b"7z\xbc\xaf\x27\x1c" + bytes(100),
    "a data URL": b"data:image/jpeg;base64," + base64.b64encode(JPEG),
    "a lossless JPEG": JPEG.replace(FRAME, b"\xff\xc3\x00\x11\x08"),
    "a JPEG of 12 bits a colour": JPEG.replace(FRAME, b"\xff\xc0\x00\x11\x0c"),
}
# What cameras, browsers, scripts and other tools send instead of a photo.
COUSINS: dict[str, tuple[str, bytes]] = {
    "BigTIFF": ("a TIFF", encode(FRUIT, "TIFF", big_tiff=True)),
    "JPEG XL in boxes": ("a JPEG XL", b"\0\0\0\x0cJXL \r\n\x87\n"),
    "Canon": ("a raw photo", b"\0\0\0\x18ftypcrx " + bytes(50)),
    "Fujifilm": ("a raw photo", b"FUJIFILMCCD-RAW 0201" + bytes(50)),
    "Panasonic": ("a raw photo", b"IIU\0" + bytes(50)),
    "video of a phone": ("a video", b"\0\0\0\x18ftyp3gp6" + bytes(50)),
    "AVI": ("a video", b"RIFF\0\0\0\0AVI LIST"),
    "Matroska": ("a video", b"\x1a\x45\xdf\xa3" + bytes(50)),
    "tar": ("a tar archive", b"a.jpg".ljust(257, b"\0") + b"ustar\0" + bytes(300)),
    "xz": ("compressed with xz", b"\xfd7zXZ\0" + bytes(50)),
    "DICOM": ("a DICOM", bytes(128) + b"DICM" + bytes(50)),
    "PPM": ("a PPM", encode(FRUIT, "PPM")),
    "QOI": ("a QOI", encode(FRUIT, "QOI")),
    "SVG of Inkscape": ("an XML document or an SVG", b"<?xml version='1.0'?>\n<svg/>"),
    "SVG after a mark": ("an SVG drawing", b"\xef\xbb\xbf\n<svg/>"),
    "page in small letters": ("a web page", b"\n<!doctype html><html>"),
    "error of a server": ("JSON", b'{"error": "not found"}'),
    "words": ("text", b"Not found\n"),
    "pointer": (
        "a Git LFS pointer",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0",
    ),
    "AppleDouble": ("what macOS keeps beside a file", b"\0\x05\x16\x07\0\x02\0\0" + bytes(50)),
    "empty copy": ("nothing but zeros", bytes(5000)),
    "base64": ("base64 text", base64.b64encode(JPEG)),
    "base64 in quotes": ("base64 text", b'"' + base64.urlsafe_b64encode(encode(FRUIT)) + b'"'),
    "whole answer": ("a whole HTTP message", b"HTTP/1.1 200 OK\r\n\r\n" + JPEG),
    "form": ("a form that is sent as if", FORM + JPEG),
    "JPEG as UTF-8": (AS_TEXT, JPEG.decode("utf-8", "replace").encode()),
    "JPEG as Latin-1": (f"a JPEG {AS_TEXT}", JPEG.decode("latin-1").encode()),
    "PNG as UTF-8": (f"a PNG {AS_TEXT}", encode(FRUIT).decode("utf-8", "replace").encode()),
    "PNG by FTP to Unix": (f"a PNG {AS_TEXT}", encode(FRUIT).replace(b"\r\n", b"\n")),
    "PNG by FTP to Windows": (f"a PNG {AS_TEXT}", encode(FRUIT).replace(b"\n", b"\r\n")),
}


@pytest.mark.parametrize(("kind", "data"), COUSINS.values(), ids=COUSINS)
def test_refusal_names_what_came_in_place_of_a_photo(kind: str, data: bytes) -> None:
    with pytest.raises(NotAnImageError, match=f"The file is {kind}"):
        decode(data)


@pytest.mark.parametrize("file_format", ["HEIF", "AVIF"])
def test_damaged_phone_photo_is_reported_as_damaged(file_format: str) -> None:
    data = encode(FRUIT, file_format)
    with pytest.raises(TruncatedImageError):
        decode(data[: len(data) * 3 // 4])


@pytest.mark.parametrize(("kind", "data"), FILES.items(), ids=FILES)
def test_refusal_names_what_the_file_is(kind: str, data: bytes) -> None:
    with pytest.raises(NotAnImageError, match=f"The file is {kind}"):
        decode(data)


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_truncated_jpeg_is_reported_as_truncated(options: dict[str, Any]) -> None:
    data = encode(FRUIT, "JPEG", **options)
    with pytest.raises(TruncatedImageError):
        decode(data[: len(data) // 2])


def test_unknown_bytes_are_refused_as_not_a_photo() -> None:
    with pytest.raises(NotAnImageError, match="is not a photo"):
        decode(b"\x01\x02 unknown \x03")
