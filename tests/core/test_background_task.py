"""Periodic tasks on a background thread."""

import threading

import pytest

from api.core import background_task
from api.core.background_task import BackgroundTask
from tests.waiting import PATIENCE_SECONDS


def test_task_runs_immediately_and_then_periodically() -> None:
    runs = threading.Semaphore(0)
    with BackgroundTask("work", 0.001, runs.release) as running:
        for _ in range(3):
            assert runs.acquire(timeout=PATIENCE_SECONDS)
    assert not running._thread.is_alive()


def test_exit_does_not_wait_for_the_next_run() -> None:
    done = threading.Event()
    with BackgroundTask("work", 3600, done.set) as running:
        assert done.wait(PATIENCE_SECONDS)
    assert not running._thread.is_alive()


def test_failed_run_is_retried(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(background_task, "RETRY_SECONDS", 0.001)
    calls = iter([OSError("the store is unavailable")])
    done = threading.Event()

    def work() -> None:
        for error in calls:
            raise error
        done.set()

    with BackgroundTask("work", 3600, work):
        assert done.wait(PATIENCE_SECONDS)
    assert "the store is unavailable" in caplog.text
