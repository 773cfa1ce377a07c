"""The hourly sweep: the failure of one step or file stops nothing else."""

import errno
import os
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from api.catalog.photo_files import ORPHAN_AGE, sweep_orphans
from api.http import sweep as module
from api.http.sweep import sweep
from api.predictions.retention import sweep_predicted
from api.registry import service as registry
from api.registry.store import store_package, stored_versions
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database, now
from api.storage.failures import StoreError
from api.storage.tables.predictions import PredictionRow
from tests.predictions.samples import a_stored_prediction
from tests.registry.versions import a_small_package, register_package

STEPS = (
    "sweep_predicted",
    "sweep_removed_inspections",
    "sweep_removed",
    "sweep_orphans",
    "clean_up_store",
)


class Stubborn(Blobs):
    """A store in which some files cannot be deleted, as if immutable or on a bad sector."""

    stubborn: frozenset[str] = frozenset()

    def delete(self, key: str) -> None:
        if key in self.stubborn:
            raise StoreError(errno.EPERM, "Operation not permitted", key)
        super().delete(key)


@pytest.fixture
def store(blobs: Blobs) -> Stubborn:
    return Stubborn(blobs.url)


def age(blobs: Blobs, key: str, by: timedelta) -> None:
    then = (now() - by).timestamp()
    os.utime(Path(blobs.url) / key, (then, then))


def blob_of(database: Database, row: PredictionRow) -> str | None:
    with database.reading() as session:
        return session.get_one(PredictionRow, row.id).blob


def steps_run(monkeypatch: pytest.MonkeyPatch, failing: str, error: Exception) -> list[str]:
    """The steps that are begun; the one named `failing` fails."""
    begun: list[str] = []

    def note(name: str) -> None:
        begun.append(name)
        if name == failing:
            raise error

    for name in STEPS:
        monkeypatch.setattr(module, name, lambda *_args, name=name: note(name))
    return begun


@pytest.mark.parametrize("failing", STEPS)
def test_step_that_fails_stops_no_other(
    settings: Settings,
    database: Database,
    blobs: Blobs,
    *,
    failing: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    begun = steps_run(monkeypatch, failing, OSError(errno.EIO, "Input/output error"))
    sweep(database, blobs, settings)
    assert begun == list(STEPS)
    assert "Input/output error" in caplog.text


def test_sweep_without_a_catalog_is_tried_again_soon(
    settings: Settings, database: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The background task that calls it tries again."""
    begun = steps_run(monkeypatch, STEPS[0], OperationalError("", None, Exception("locked")))
    with pytest.raises(OperationalError):
        sweep(database, blobs, settings)
    assert begun == [STEPS[0]]


def test_photo_that_cannot_be_deleted_stops_no_other(
    database: Database, store: Stubborn, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [
        a_stored_prediction(database, store, seed, now() - timedelta(days=40 + seed))
        for seed in range(3)
    ]
    keys = [str(row.blob) for row in rows]
    store.stubborn = frozenset({keys[1], keys[1].partition("#")[0]})
    assert sweep_predicted(database, store, keep_days=30) == 2
    assert [blob_of(database, row) for row in rows] == [None, keys[1], None]
    assert "Operation not permitted" in caplog.text
    store.stubborn = frozenset()
    assert sweep_predicted(database, store, keep_days=30) == 1
    assert list(store.keys("predicted")) == []


def test_photos_without_a_row_are_each_deleted(database: Database, store: Stubborn) -> None:
    first, second = "predicted/2020-01-01/a.jpgs", "predicted/2020-01-01/b.jpgs"
    for key in (first, second):
        store.put(key, b"x")
    store.stubborn = frozenset({first})
    sweep_predicted(database, store, keep_days=30)
    assert list(store.keys("predicted")) == [first]


def test_orphans_are_each_deleted(database: Database, store: Stubborn) -> None:
    first, second = "photographs/aa/a.jpg", "photographs/bb/b.jpg"
    for key in (first, second):
        store.put(key, b"x")
        age(store, key, 2 * ORPHAN_AGE)
    store.stubborn = frozenset({first})
    assert sweep_orphans(database, store) == 1
    assert list(store.keys("photographs")) == [first]


def test_store_that_fails_is_not_asked_file_by_file(database: Database, blobs: Blobs) -> None:
    """Each file would take seconds if the bucket cannot be reached."""
    asked: list[str] = []

    class Gone(Blobs):
        def delete(self, key: str) -> None:
            asked.append(key)
            raise StoreError(None, "cannot be reached", key)

    for seed in range(3):
        a_stored_prediction(database, blobs, seed, now() - timedelta(days=40))
    with pytest.raises(StoreError):
        sweep_predicted(database, Gone(blobs.url), keep_days=30)
    assert len([key for key in asked if key.startswith("predicted/")]) == 1


@pytest.fixture
def abandoned(database: Database, blobs: Blobs, tmp_path: Path) -> list[str]:
    """Packages without a row, left by a process that died."""
    register_package(database, blobs, a_small_package(tmp_path, "a"), "first")
    names = ["left-1", "left-2"]
    for name in names:
        store_package(blobs, a_small_package(tmp_path, name))
    return names


def test_abandoned_packages_are_swept_hourly(
    settings: Settings,
    database: Database,
    store: Stubborn,
    abandoned: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "_is_abandoned", lambda *_: True)
    store.stubborn = frozenset({f"models/{abandoned[0]}/manifest.json"})
    sweep(database, store, settings)
    assert stored_versions(store) == ["a", abandoned[0]]


def test_longest_periods_can_be_swept(settings: Settings, database: Database, blobs: Blobs) -> None:
    longest = dict.fromkeys(
        ("keep_predicted_days", "keep_inspections_days", "keep_removed_days"), 36_500
    )
    sweep(database, blobs, Settings(**{**settings.model_dump(), **longest}))
