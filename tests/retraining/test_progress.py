"""Progress of a run on both databases."""

import pytest

from api.retraining import progress, repository, service
from api.retraining.progress import ProgressReporter, RunAbortedError
from api.storage.db import Database
from api.storage.tables.models import RunRow

RANGES = {"Learning": (20.0, 60.0), "Measuring": (60.0, 100.0)}


@pytest.fixture
def run_id(database: Database) -> str:
    with database.session() as session:
        run_id = service.create_run(session, mode="full", started_by="manual", options={}).id
        repository.claim(session, run_id)
    return run_id


def load_run(database: Database, run_id: str) -> RunRow:
    with database.reading() as session:
        return service.get(session, run_id)


def test_progress_stays_within_the_range_of_the_stage(
    database: Database, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "MIN_WRITE_SECONDS", 0.0)
    report = ProgressReporter(database, run_id, RANGES)
    report("Learning", 1, 4)
    run = load_run(database, run_id)
    assert (run.stage, run.progress, run.message) == ("Learning", 30.0, "Learning (1 of 4).")
    assert run.eta_seconds is not None
    report("Something unforeseen", 1, 1)
    assert load_run(database, run_id).progress == 30.0
    report("Measuring", 2, 2)
    assert load_run(database, run_id).progress == 100.0


def test_writes_are_throttled_except_for_a_new_stage(
    database: Database, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "MIN_WRITE_SECONDS", 3600.0)
    report = ProgressReporter(database, run_id, RANGES)
    report("Learning", 0, 100)
    report("Learning", 50, 100)
    assert load_run(database, run_id).progress == 20.0
    report("Measuring", 0, 1)
    assert load_run(database, run_id).progress == 60.0


def test_losses_are_kept_by_epoch_without_nan(database: Database, run_id: str) -> None:
    report = ProgressReporter(database, run_id, RANGES)
    report.epoch({"loss": 0.5, "val_loss": float("nan")})
    report.epoch({"loss": 0.25, "val_loss": 0.3})
    assert load_run(database, run_id).losses == [
        {"epoch": 1, "loss": 0.5},
        {"epoch": 2, "loss": 0.25, "val_loss": 0.3},
    ]


def test_reporting_on_an_ended_run_raises(database: Database, run_id: str) -> None:
    report = ProgressReporter(database, run_id, RANGES)
    with database.session() as session:
        service.end(session.get_one(RunRow, run_id), "interrupted", "Silent for too long.")
    with pytest.raises(RunAbortedError):
        report("Learning", 0, 1)
    assert load_run(database, run_id).progress == 0.0


def test_unavailable_database_does_not_stop_the_run(caplog: pytest.LogCaptureFixture) -> None:
    unavailable = Database("postgresql://nobody@127.0.0.1:9/none")
    ProgressReporter(unavailable, "abc", RANGES)("Learning", 0, 1)
    assert "cannot be written" in caplog.text
    unavailable.close()
