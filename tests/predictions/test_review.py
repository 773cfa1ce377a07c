"""The order of the review queue."""

from datetime import timedelta

from api.predictions import dismissal, feedback_repository
from api.predictions.review import least_sure, random_sample
from api.storage.blobs import Blobs
from api.storage.db import Database, now
from tests.predictions.samples import a_prediction, a_stored_prediction


def queue(database: Database, limit: int = 50) -> list[str]:
    with database.reading() as session:
        return [row.id for row in least_sure(session, limit)]


def test_unrecognised_first_then_lowest_confidence(database: Database, blobs: Blobs) -> None:
    values = [(True, 0.99), (True, 0.5), (False, 0.9), (False, 0.4), (True, 0.7)]
    rows = [
        a_stored_prediction(database, blobs, seed, recognised=recognised, confidence=confidence)
        for seed, (recognised, confidence) in enumerate(values)
    ]
    expected = [rows[number].id for number in (3, 2, 1, 4, 0)]
    assert queue(database) == expected
    assert queue(database, limit=2) == expected[:2]


def test_near_duplicates_are_queued_once(database: Database, blobs: Blobs) -> None:
    for confidence in (0.6, 0.5, 0.7):
        a_stored_prediction(database, blobs, seed=1, confidence=confidence)
    other = a_stored_prediction(database, blobs, seed=2, confidence=0.9)
    queued = queue(database)
    assert len(queued) == 2
    assert queued[1] == other.id


def test_labelled_predictions_and_their_near_duplicates_are_left_out(
    database: Database, blobs: Blobs
) -> None:
    labelled, _copy = (a_stored_prediction(database, blobs, seed=1) for _ in range(2))
    unlabelled = a_stored_prediction(database, blobs, seed=2)
    with database.session() as session:
        feedback_repository.put(session, labelled.id, "freshapples", True, None)
    assert queue(database) == [unlabelled.id]


def test_dismissed_predictions_and_their_near_duplicates_are_left_out(
    database: Database, blobs: Blobs
) -> None:
    dismissed, _copy = (a_stored_prediction(database, blobs, seed=1) for _ in range(2))
    drawn = a_stored_prediction(database, blobs, seed=3, sampled=True)
    other = a_stored_prediction(database, blobs, seed=2)
    for prediction in (dismissed, drawn):
        with database.session() as session:
            dismissal.dismiss(session, prediction.id)
    assert queue(database) == [other.id]
    assert sample(database) == []
    for prediction in (dismissed, drawn):
        with database.session() as session:
            dismissal.take_back(session, prediction.id)
    assert len(queue(database)) == 2
    assert sample(database) == [drawn.id]


def test_only_predictions_with_a_stored_image_are_queued(database: Database, blobs: Blobs) -> None:
    a_prediction(database)
    stored = a_stored_prediction(database, blobs)
    assert queue(database) == [stored.id]
    assert queue(database, limit=1) == [stored.id]


def test_review_queue_may_be_empty(database: Database) -> None:
    assert queue(database) == []


def sample(database: Database, limit: int = 50) -> list[str]:
    with database.reading() as session:
        return [row.id for row in random_sample(session, limit)]


def test_sample_is_asked_about_whatever_it_is(database: Database, blobs: Blobs) -> None:
    """Sure or unsure, seen before or not: otherwise the sample would be biased."""
    at = now()
    drawn = [
        a_stored_prediction(
            database, blobs, seed=1, at=at + timedelta(seconds=k), confidence=value, sampled=True
        ).id
        for k, value in enumerate((0.99, 0.4, 0.7))
    ]
    other = a_stored_prediction(database, blobs, seed=2)
    assert sample(database) == drawn
    assert sample(database, limit=2) == drawn[:2]
    # Nor is it listed for another reason.
    assert queue(database) == [other.id]


def test_sample_is_asked_about_even_after_unasked_feedback(
    database: Database, blobs: Blobs
) -> None:
    drawn = a_stored_prediction(database, blobs, sampled=True)
    with database.session() as session:
        feedback_repository.put(session, drawn.id, "rottenapples", False, None)
    assert sample(database) == [drawn.id]
    with database.session() as session:
        feedback_repository.put(session, drawn.id, "rottenapples", False, None, asked=True)
    assert sample(database) == []
