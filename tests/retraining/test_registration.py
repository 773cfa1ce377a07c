"""The result of a run is registered once or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from tenacity import wait_none

from api.registry import repository as registry
from api.registry import store
from api.retraining import fast, registration, run_process, service
from api.retraining.job import Candidate
from api.retraining.progress import RunAbortedError
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables.models import RunRow
from tests.retraining.catalog import NEW, Run, add_photographs
from tests.retraining.test_run_process import known_versions, on_sqlite, serving

pytestmark = pytest.mark.slow


def test_not_promoted_if_the_champion_has_changed(
    run: Run, database: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_photographs(database, blobs, NEW, 40)
    first = run()
    add_photographs(database, blobs, NEW, 20, first=7000)
    make = fast.make_candidate

    def promote_meanwhile(job: Any) -> Any:
        candidate = make(job)
        # Another version is promoted in the meantime.
        with database.session() as session:
            registry.promote(session, "champion", "manual")
        return candidate

    monkeypatch.setattr(fast, "make_candidate", promote_meanwhile)
    second = run()
    assert serving(database) == "champion"
    assert first.candidate != second.candidate
    assert "Another version was promoted" in second.message


def test_aborted_run_registers_nothing(
    run: Run, database: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch, champion: str
) -> None:
    add_photographs(database, blobs, NEW, 30)
    put = store.store_package

    def interrupt_then_store(blobs: Blobs, folder: Path) -> Any:
        with database.session() as session:
            (run,) = session.scalars(select(RunRow))
            service.end(run, "interrupted", "Silent for too long.")
        return put(blobs, folder)

    # As late as possible: after training and before registration.
    monkeypatch.setattr(store, "store_package", interrupt_then_store)
    with pytest.raises(RunAbortedError):
        run()
    assert known_versions(database) == [champion]
    assert serving(database) == champion


@on_sqlite
def test_result_survives_a_commit_without_an_answer(
    run: Run, database: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_photographs(database, blobs, NEW, 30)
    put, begin = store.store_package, database.session
    tracked: list[Candidate] = []

    @contextmanager
    def commit_then_fail() -> Iterator[Session]:
        with begin() as session:
            yield session
        monkeypatch.setattr(database, "session", begin)
        raise OperationalError("COMMIT", None, ConnectionResetError())

    def store_then_lose_connection(blobs: Blobs, folder: Path) -> Any:
        monkeypatch.setattr(database, "session", commit_then_fail)
        return put(blobs, folder)

    monkeypatch.setattr(store, "store_package", store_then_lose_connection)
    monkeypatch.setattr(run_process, "_track", lambda candidate, _state: tracked.append(candidate))
    monkeypatch.setattr(registration.register_candidates.retry, "wait", wait_none())
    finished = run()
    assert finished.state == "succeeded", finished.message
    assert set(known_versions(database)) == {"champion", finished.candidate}
    assert [each.manifest.version for each in tracked] == [finished.candidate]
