"""What is kept of a prediction."""

import io

import numpy as np
import pytest
from PIL import ExifTags, Image

from api.imaging.decode import decode
from api.imaging.hashing import near_rows
from api.predict.record import KEPT_SIDE, kept_photograph, to_keep
from tests.drawing import draw_fruit, encode
from tests.predict.predictions import a_record

LARGE = Image.new("RGB", (3000, 1200), "red")


def test_a_kept_photograph_is_a_small_jpeg_without_metadata() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Secret Camera"
    data = encode(LARGE, "JPEG", exif=exif)
    kept = kept_photograph(to_keep(data, decode(data)))
    image = Image.open(io.BytesIO(kept))
    assert image.format == "JPEG"
    assert max(image.size) <= KEPT_SIDE
    assert not image.getexif()
    assert b"Secret" not in kept


def test_a_small_photograph_keeps_its_size_and_is_not_changed() -> None:
    image = draw_fruit("freshapples", size=96)
    before = image.tobytes()
    assert Image.open(io.BytesIO(kept_photograph(image))).size == (96, 96)
    assert image.tobytes() == before


def test_a_small_jpeg_is_kept_as_it_came_but_for_its_metadata() -> None:
    """Encoding it again would take longer than all else that is recorded, and lose detail."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Secret Camera"
    exif[ExifTags.Base.Orientation] = 6
    data = encode(draw_fruit("freshapples"), "JPEG", exif=exif)
    photograph = decode(data)
    chosen = to_keep(data, photograph)
    assert chosen is data
    kept = kept_photograph(chosen)
    assert b"Secret" not in kept
    assert np.array_equal(np.asarray(decode(kept).image), np.asarray(photograph.image))


def test_other_files_are_encoded() -> None:
    for data in (encode(draw_fruit("freshapples"), "PNG"), encode(LARGE, "JPEG")):
        chosen = to_keep(data, decode(data))
        assert isinstance(chosen, Image.Image)
        assert kept_photograph(chosen).startswith(b"\xff\xd8")


def test_a_jpeg_that_cannot_be_taken_apart_is_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.predict.record.strip_metadata", lambda _data: None)
    data = encode(draw_fruit("freshapples"), "JPEG", comment=b"Secret")
    kept = kept_photograph(data)
    assert decode(kept).image.size == (96, 96)
    assert b"Secret" not in kept


def test_a_row_has_signature_and_features() -> None:
    image = draw_fruit("freshapples")
    row = a_record(image, features=np.array([1.5, -2], np.float16)).row("predicted/x.jpg")
    assert row.features is not None
    assert np.frombuffer(row.features, np.float16).tolist() == [1.5, -2]
    assert row.blob == "predicted/x.jpg"


def test_signatures_tell_copies_from_other_photographs() -> None:
    image = draw_fruit("freshapples", size=160)
    again = decode(encode(image, "JPEG", quality=60)).image
    pictures = (image, again, draw_fruit("freshapples", seed=1, size=160))
    of_image, *others = (
        np.frombuffer(bytes.fromhex(a_record(picture).row(None).signature or ""), np.uint8)
        for picture in pictures
    )
    assert near_rows(of_image, np.stack(others)).tolist() == [0]


def test_a_record_without_its_photograph_is_still_a_row() -> None:
    row = a_record(draw_fruit("freshapples")).without_image().row(None)
    assert (row.signature, row.blob) == (None, None)
    assert row.features


def test_any_file_name_can_be_stored() -> None:
    assert a_record(filename="a\x00b\ud800.jpg").row(None).filename == "ab?.jpg"
    assert len(a_record(filename="x" * 300).row(None).filename) == 255
