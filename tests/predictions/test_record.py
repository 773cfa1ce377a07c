"""The record of a prediction and its row."""

from typing import cast

import numpy as np

from api.core.imaging.decode import decode
from api.core.imaging.hashing import near_rows
from api.model.grade import Grade
from api.predictions.record import Record
from api.predictions.schemas import (
    Explanation,
    FoundFruits,
    ImageSize,
    Instance,
    InstanceSummary,
    PixelBox,
)
from tests.predictions.samples import a_record
from tests.synthetic_images import draw_fruit, encode


def test_row_has_signature_and_features() -> None:
    image = draw_fruit("freshapples")
    row = a_record(image, features=np.array([1.5, -2], np.float16)).row("predicted/x.jpg")
    assert row.features is not None
    assert np.frombuffer(row.features, np.float16).tolist() == [1.5, -2]
    assert row.blob == "predicted/x.jpg"


def test_signatures_distinguish_copies_from_other_images() -> None:
    image = draw_fruit("freshapples", size=160)
    recompressed = decode(encode(image, "JPEG", quality=60)).image
    images = (image, recompressed, draw_fruit("freshapples", seed=1, size=160))
    original, *other_signatures = (
        np.frombuffer(bytes.fromhex(a_record(picture).row(None).signature or ""), np.uint8)
        for picture in images
    )
    assert near_rows(original, np.stack(other_signatures)).tolist() == [0]


def test_record_without_images_has_a_row() -> None:
    row = a_record(draw_fruit("freshapples")).without_images().row(None)
    assert (row.signature, row.blob) == (None, None)
    assert row.features


def test_any_file_name_can_be_stored() -> None:
    assert a_record(filename="a\x00b\ud800.jpg").row(None).filename == "ab?.jpg"
    assert len(a_record(filename="x" * 300).row(None).filename) == 255


def test_heat_map_is_dropped_from_the_record() -> None:
    plain = a_record()
    prediction = plain.prediction.model_copy(update={"explanation": Explanation(heatmap="a PNG")})
    # `Record.of` reads only images and features, which a record has as well.
    record = Record.of(prediction, cast("Grade", plain), plain.filename)
    assert record.prediction.explanation is None
    assert prediction.explanation is not None
    assert record.id == prediction.prediction_id


def test_fruits_are_recorded_as_text() -> None:
    plain = a_record()
    fruit = Instance(
        box=PixelBox(x_min=0, y_min=0, x_max=9, y_max=9),
        score=0.9,
        fruit="apple",
        predicted_class="freshapples",
        confidence=1,
        probabilities={"freshapples": 1},
        freshness="fresh",
        freshness_level="fresh",
        freshness_score=1,
        recognised=True,
    )
    summary = InstanceSummary(
        count=1, by_class={}, by_level={}, unrecognised=0, worst=None, ungraded=0
    )
    found = FoundFruits(image=ImageSize(width=9, height=9), instances=[fruit], summary=summary)
    prediction = plain.prediction.model_copy(update=dict(found) | {"several": False})
    record = Record.of(prediction, cast("Grade", plain), plain.filename, "a batch")
    # Kept as JSON, since as objects they would be larger than the rest of the record.
    assert record.prediction.instances is None
    assert prediction.instances == [fruit]
    row = record.row(None)
    assert FoundFruits.model_validate_json(row.fruits or "") == found
    assert (row.several, row.batch_id) == (False, "a batch")
    assert record.image_bytes == len(row.fruits or "")
    assert record.without_images().row(None).fruits is None
