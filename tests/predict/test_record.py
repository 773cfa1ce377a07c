"""What is kept of a prediction."""

import io

import numpy as np
from PIL import ExifTags, Image

from api.imaging.decode import decode
from api.predict.record import KEPT_SIDE, kept_photograph
from tests.drawing import draw_fruit, encode
from tests.predict.predictions import a_record, hexadecimal


def test_a_kept_photograph_is_a_small_jpeg_without_metadata() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Secret Camera"
    large = Image.new("RGB", (3000, 1200), "red")
    kept = kept_photograph(decode(encode(large, "JPEG", exif=exif)).image)
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


def test_a_row_has_signature_and_features() -> None:
    image = draw_fruit("freshapples")
    row = a_record(image, features=np.array([1.5, -2], np.float16)).row("predicted/x.jpg")
    assert row.signature == hexadecimal(image)
    assert row.features is not None
    assert np.frombuffer(row.features, np.float16).tolist() == [1.5, -2]
    assert row.blob == "predicted/x.jpg"


def test_a_record_without_its_photograph_is_still_a_row() -> None:
    row = a_record(draw_fruit("freshapples")).without_image().row(None)
    assert (row.signature, row.blob) == (None, None)
    assert row.features


def test_any_file_name_can_be_stored() -> None:
    assert a_record(filename="a\x00b\ud800.jpg").row(None).filename == "ab?.jpg"
    assert len(a_record(filename="x" * 300).row(None).filename) == 255
