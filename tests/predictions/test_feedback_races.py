"""A correction's label and its training image's class agree under concurrent writes."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier, Event

import pytest
from sqlalchemy import func, select

from api.catalog import repository
from api.catalog.duplicate_index import DuplicateIndex, KnownPhotos
from api.catalog.service import PhotographStore, remove_images
from api.model.training_index import TrainingIndex
from api.predictions.feedback import FeedbackService
from api.predictions.recorder import Recorder
from api.settings import PROJECT
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables.photos import ImageRow
from api.storage.tables.predictions import FeedbackRow, PredictionRow
from tests.predictions.samples import a_stored_prediction
from tests.waiting import until

LABELS = ("pears", "plums", "kiwis", "limes")
ROUNDS = 6


def make_service(database: Database, blobs: Blobs) -> FeedbackService:
    with database.reading() as session:
        index = DuplicateIndex(session, KnownPhotos(blobs, TrainingIndex.empty(), None))
    store = PhotographStore(database, blobs, index)
    return FeedbackService(store, Recorder(database, blobs, True))


def submit(database: Database, blobs: Blobs, prediction_id: str, label: str) -> None:
    make_service(database, blobs).submit(prediction_id, label, "feedback", timeout=0)


def relabel_all(database: Database, label: str) -> None:
    with database.session() as session:
        ids = session.scalars(select(ImageRow.id)).all()
        repository.relabel(session, ids, label)


def disagreements(database: Database) -> list[tuple[str, str]]:
    """Feedback labels and image classes that differ, read in one transaction."""
    query = (
        select(FeedbackRow.label, ImageRow.class_name)
        .join(ImageRow, ImageRow.id == FeedbackRow.image_id)
        .where(ImageRow.class_name != FeedbackRow.label)
    )
    with database.reading() as session:
        return [(label, class_name) for label, class_name in session.execute(query)]


def unexplained_images(database: Database) -> int:
    """Training images from feedback to which no feedback refers."""
    with database.reading() as session:
        explained = select(FeedbackRow.image_id).where(FeedbackRow.image_id.is_not(None))
        query = select(func.count()).select_from(ImageRow)
        return session.scalar(query.where(ImageRow.id.not_in(explained))) or 0


def test_relabelling_an_image_changes_its_feedback(database: Database, blobs: Blobs) -> None:
    prediction = a_stored_prediction(database, blobs)
    submit(database, blobs, prediction.id, "pears")
    relabel_all(database, "freshapples")
    assert disagreements(database) == []
    with database.reading() as session:
        row = session.get_one(FeedbackRow, prediction.id)
    assert (row.label, row.correct) == ("freshapples", True)
    relabel_all(database, "plums")
    with database.reading() as session:
        row = session.get_one(FeedbackRow, prediction.id)
    assert (row.label, row.correct) == ("plums", False)


def test_one_photograph_graded_twice_has_one_label(database: Database, blobs: Blobs) -> None:
    first, second = (a_stored_prediction(database, blobs) for _ in range(2))
    submit(database, blobs, first.id, "pears")
    submit(database, blobs, second.id, "plums")
    assert disagreements(database) == []


@pytest.mark.slow
def test_corrections_at_once_agree(database: Database, blobs: Blobs) -> None:
    for seed in range(ROUNDS):
        prediction = a_stored_prediction(database, blobs, seed)
        correct_at_once(database, blobs, prediction)
        assert disagreements(database) == []


def correct_at_once(database: Database, blobs: Blobs, prediction: PredictionRow) -> None:
    start = Barrier(len(LABELS))

    def correct(label: str) -> None:
        start.wait()
        submit(database, blobs, prediction.id, label)

    with ThreadPoolExecutor(len(LABELS)) as pool:
        list(pool.map(correct, LABELS))


@pytest.mark.slow
def test_correction_against_relabels_and_removals(database: Database, blobs: Blobs) -> None:
    """A reader, such as a retraining run, never sees the two differ either."""
    predictions = [a_stored_prediction(database, blobs, seed) for seed in range(3)]
    done, seen = Event(), list[tuple[str, str]]()

    def read() -> None:
        while not done.is_set():
            seen.extend(disagreements(database))

    def relabel() -> None:
        while not done.is_set():
            for label in ("figs", "dates"):
                relabel_all(database, label)

    def remove() -> None:
        while not done.is_set():
            with database.reading() as session:
                ids = session.scalars(select(ImageRow.id).limit(1)).all()
            remove_images(database, blobs, ids)

    def correct(prediction: PredictionRow) -> None:
        for label in LABELS * 3:
            submit(database, blobs, prediction.id, label)

    with ThreadPoolExecutor(6) as pool:
        others = [pool.submit(task) for task in (read, relabel, remove)]
        try:
            list(pool.map(correct, predictions))
        finally:
            done.set()
        for other in others:
            other.result()
    assert seen == []
    assert disagreements(database) == []


CORRECT_FOREVER = """
import sys
from itertools import cycle
from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.predictions.test_feedback_races import LABELS, submit
database, blobs = Database(sys.argv[1]), Blobs(sys.argv[2])
for label in cycle(LABELS):
    for prediction_id in sys.argv[3:]:
        submit(database, blobs, prediction_id, label)
"""


@pytest.mark.slow
def test_killed_corrections_are_whole_or_absent(database: Database, blobs: Blobs) -> None:
    for kill in range(4):
        predictions = [
            a_stored_prediction(database, blobs, 100 * kill + seed) for seed in range(12)
        ]
        before = _labels(database)
        process = correcting(database, blobs, [prediction.id for prediction in predictions])
        try:
            until(partial(_has_more_labels, database, before + kill))
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        assert disagreements(database) == []
        assert unexplained_images(database) == 0


def correcting(database: Database, blobs: Blobs, ids: list[str]) -> "subprocess.Popen[bytes]":
    arguments = [sys.executable, "-c", CORRECT_FOREVER, database.url, str(Path(blobs.url)), *ids]
    return subprocess.Popen(arguments, cwd=PROJECT)


def _labels(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(FeedbackRow)) or 0


def _has_more_labels(database: Database, than: int) -> bool:
    return _labels(database) > than
