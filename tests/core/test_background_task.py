"""Periodic tasks on a background thread."""

import threading

import pytest

from api.core import background_task
from api.core.background_task import STOP_SECONDS, BackgroundTask, running
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


def test_busy_tasks_are_stopped_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped one after the other, each with its own time limit, they would exceed the
    service's."""
    joined: list[float] = []
    monkeypatch.setattr(BackgroundTask, "join", lambda _, seconds: joined.append(seconds))
    begun, end = threading.Semaphore(0), threading.Event()

    def work() -> None:
        begun.release()
        end.wait(PATIENCE_SECONDS)

    tasks = [BackgroundTask("work", 3600, work) for _ in range(3)]
    with running(*tasks):
        for _ in tasks:
            assert begun.acquire(timeout=PATIENCE_SECONDS)
    assert all(task._stopping.is_set() for task in tasks)
    assert STOP_SECONDS >= joined[0] > joined[1] > joined[2]
    end.set()
