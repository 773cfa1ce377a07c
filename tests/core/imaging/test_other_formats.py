"""A refused file is named: a GIF, a video, a kind of JPEG that is not read."""

import base64
from typing import Any

import pytest

from api.core.imaging.decode import NotAnImageError, TruncatedImageError, decode
from tests.synthetic_images import draw_fruit, encode

FRUIT = draw_fruit("freshapples")
JPEG = encode(FRUIT, "JPEG")
FRAME = b"\xff\xc0\x00\x11\x08"
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


@pytest.mark.parametrize(("kind", "data"), FILES.items(), ids=FILES)
def test_refusal_names_what_the_file_is(kind: str, data: bytes) -> None:
    with pytest.raises(NotAnImageError, match=f"The file is {kind}"):
        decode(data)


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_jpeg_that_is_cut_off_is_told_to_be_that(options: dict[str, Any]) -> None:
    data = encode(FRUIT, "JPEG", **options)
    with pytest.raises(TruncatedImageError):
        decode(data[: len(data) // 2])


def test_nothing_known_is_told_to_be_no_photograph() -> None:
    with pytest.raises(NotAnImageError, match="is no photograph"):
        decode(b"words")
