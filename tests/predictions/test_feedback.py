"""Submitting and replacing feedback on a prediction."""

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.catalog import repository
from api.catalog.duplicate_index import DuplicateIndex, KnownPhotos
from api.catalog.service import PhotographStore
from api.core.labels import BadClassNameError
from api.model.training_index import TrainingIndex
from api.predictions import feedback_repository
from api.predictions.feedback import FeedbackService
from api.predictions.history import PredictionNotFoundError
from api.predictions.recorder import Recorder
from api.storage.blobs import RANGE, Blobs
from api.storage.db import Database
from api.storage.tables.photos import ImageRow
from api.storage.tables.predictions import FeedbackRow
from tests.predictions.samples import a_prediction, a_record, a_stored_prediction
from tests.synthetic_images import draw_fruit


def make_service(
    database: Database, blobs: Blobs, recorder: Recorder | None = None
) -> FeedbackService:
    with database.reading() as session:
        index = DuplicateIndex(session, KnownPhotos(blobs, TrainingIndex.empty(), None))
    return FeedbackService(
        PhotographStore(database, blobs, index), recorder or Recorder(database, blobs, True)
    )


def images(database: Database) -> list[ImageRow]:
    with database.reading() as session:
        return list(session.scalars(select(ImageRow)))


def feedback_row(database: Database, prediction_id: str) -> FeedbackRow:
    with database.reading() as session:
        return session.get_one(FeedbackRow, prediction_id)


def test_feedback_makes_a_training_image(database: Database, blobs: Blobs) -> None:
    prediction = a_stored_prediction(database, blobs)
    result = make_service(database, blobs).submit(prediction.id, "Rotten Apples", "feedback")
    assert (result.photograph, result.label, result.correct) == ("stored", "rotten_apples", False)
    (image,) = images(database)
    assert (image.id, image.class_name, image.origin) == (result.image_id, result.label, "feedback")
    assert blobs.exists(image.blob)
    stored = feedback_row(database, prediction.id)
    assert (stored.label, stored.correct, stored.image_id) == (result.label, False, image.id)


def test_feedback_can_confirm_a_prediction(database: Database, blobs: Blobs) -> None:
    prediction = a_stored_prediction(database, blobs)
    result = make_service(database, blobs).submit(prediction.id, None, "feedback")
    assert (result.label, result.correct) == ("freshapples", True)
    assert images(database)[0].class_name == "freshapples"


def test_label_that_normalises_to_the_prediction_is_correct(
    database: Database, blobs: Blobs
) -> None:
    prediction = a_stored_prediction(database, blobs)
    assert make_service(database, blobs).submit(prediction.id, " FreshApples ", "feedback").correct


def test_later_feedback_replaces_earlier(database: Database, blobs: Blobs) -> None:
    prediction = a_stored_prediction(database, blobs)
    first = make_service(database, blobs).submit(prediction.id, "rottenapples", "feedback")
    second = make_service(database, blobs).submit(prediction.id, "pears", "review")
    assert (second.photograph, second.image_id) == ("relabelled", first.image_id)
    assert [image.class_name for image in images(database)] == ["pears"]
    assert feedback_row(database, prediction.id).label == "pears"


def test_later_feedback_relabels_even_without_the_stored_image(
    database: Database, blobs: Blobs
) -> None:
    prediction = a_stored_prediction(database, blobs)
    make_service(database, blobs).submit(prediction.id, "rottenapples", "feedback")
    assert prediction.blob is not None
    blobs.delete(prediction.blob)
    assert (
        make_service(database, blobs).submit(prediction.id, "pears", "feedback").photograph
        == "relabelled"
    )
    assert [image.class_name for image in images(database)] == ["pears"]


def test_feedback_without_a_stored_image_still_counts(database: Database, blobs: Blobs) -> None:
    prediction = a_prediction(database)
    result = make_service(database, blobs).submit(prediction.id, "rottenapples", "feedback")
    assert (result.photograph, result.image_id) == ("not-kept", None)
    assert "no longer kept" in result.message
    assert images(database) == []
    assert feedback_row(database, prediction.id).correct is False


@pytest.mark.parametrize("data", [b"", b"no photo", "cut off", "unreadable"])
def test_feedback_on_a_damaged_photo_still_counts(
    database: Database, blobs: Blobs, data: bytes | str
) -> None:
    prediction = a_stored_prediction(database, blobs)
    key = str(prediction.blob)
    if data == "unreadable":  # As on a bad sector.
        file = Path(blobs.url) / key.partition(RANGE)[0]
        file.unlink()
        file.mkdir()
    else:
        blobs.put(key, data if isinstance(data, bytes) else blobs.get(key)[:100])
    result = make_service(database, blobs).submit(prediction.id, "kiwi", "feedback")
    assert (result.photograph, result.image_id) == ("not-kept", None)
    assert feedback_row(database, prediction.id).label == "kiwi"
    assert images(database) == []


def test_photo_graded_twice_is_stored_once(database: Database, blobs: Blobs) -> None:
    first, second = (a_stored_prediction(database, blobs) for _ in range(2))
    service = make_service(database, blobs)
    service.submit(first.id, "rottenapples", "feedback")
    assert service.submit(second.id, "rottenapples", "feedback").photograph == "known"
    assert service.submit(second.id, "pears", "feedback").photograph == "relabelled"
    assert [image.class_name for image in images(database)] == ["pears"]


def test_uploads_are_not_relabelled_by_feedback(database: Database, blobs: Blobs) -> None:
    prediction = a_stored_prediction(database, blobs)
    service = make_service(database, blobs)
    assert prediction.blob is not None
    service.store.add(
        blobs.get(prediction.blob), class_name="freshapples", origin="upload", filename="a.jpg"
    )
    result = service.submit(prediction.id, "pears", "feedback")
    assert (result.photograph, result.image_id) == ("contradicts", None)
    assert "PATCH /dataset/images/" in result.message
    assert [image.class_name for image in images(database)] == ["freshapples"]
    assert feedback_row(database, prediction.id).label == "pears"


def test_invalid_label_changes_nothing(database: Database, blobs: Blobs) -> None:
    prediction = a_stored_prediction(database, blobs)
    with pytest.raises(BadClassNameError):
        make_service(database, blobs).submit(prediction.id, "…", "feedback")
    assert images(database) == []
    with database.reading() as session:
        assert session.get(FeedbackRow, prediction.id) is None


def test_feedback_waits_for_the_prediction_to_be_recorded(database: Database, blobs: Blobs) -> None:
    record = a_record(draw_fruit("freshapples"))
    with Recorder(database, blobs, store_images=True) as recorder:
        recorder.put(record)
        result = make_service(database, blobs, recorder).submit(
            record.id, None, "feedback", timeout=0
        )
    assert result.photograph == "stored"


def test_unknown_prediction_is_an_error(database: Database, blobs: Blobs) -> None:
    with pytest.raises(PredictionNotFoundError):
        make_service(database, blobs).submit("0" * 32, None, "feedback", timeout=0)


def test_feedback_that_fails_changes_nothing(
    database: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    prediction = a_stored_prediction(database, blobs)

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(feedback_repository, "put", interrupt)
        with pytest.raises(KeyboardInterrupt):
            make_service(database, blobs).submit(prediction.id, "pears", "feedback")
    assert images(database) == []
    result = make_service(database, blobs).submit(prediction.id, "rottenapples", "feedback")
    assert result.photograph == "stored"
    assert [image.class_name for image in images(database)] == ["rottenapples"]


class BeforeTheLock(Blobs):
    """A store that must be read and written before the catalog is locked, since it may be slow."""

    is_locked = False
    written = 0

    def get(self, key: str) -> bytes:
        assert not self.is_locked
        return super().get(key)

    def put(self, key: str, data: bytes) -> None:
        assert not self.is_locked
        self.written += 1
        super().put(key, data)


@pytest.mark.parametrize("known", [False, True])
def test_slow_store_holds_no_lock(
    database: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    if known:
        same = a_stored_prediction(database, blobs)
        make_service(database, blobs).submit(same.id, "pears", "feedback")
    slow, lock = BeforeTheLock(blobs.url), repository.lock_images
    prediction = a_stored_prediction(database, blobs)

    def locked(session: Session) -> None:
        slow.is_locked = True
        lock(session)

    monkeypatch.setattr(repository, "lock_images", locked)
    service = make_service(database, slow)
    answer = service.submit(prediction.id, "pears", "feedback")
    assert answer.photograph == ("known" if known else "stored")
    assert slow.is_locked
    assert slow.written == (0 if known else 1)
    # Relabelling the image needs no photo.
    slow.is_locked = False
    answer = service.submit(prediction.id, "plums", "feedback")
    assert answer.photograph == "relabelled"
    assert slow.written == (0 if known else 1)
