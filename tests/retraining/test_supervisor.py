"""The supervisor with small programs as the run's process."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from api.retraining import repository, service, supervisor
from api.settings import PROJECT
from api.storage.db import Database
from api.storage.tables.models import RunRow
from tests.waiting import until

pytestmark = pytest.mark.slow

WAIT_FOREVER = "import signal; signal.pause()"


@pytest.fixture
def run_id(database: Database) -> str:
    with database.session() as session:
        return service.create_run(session, mode="fast", started_by="manual", options={}).id


def replace_run_program(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(supervisor, "COMMAND", (sys.executable, "-c", dedent(program)))


def load_run(database: Database, run_id: str) -> RunRow:
    with database.reading() as session:
        return service.get(session, run_id)


def start_supervisor(
    database: Database, state: Path, run_id: str, stopping: threading.Event
) -> threading.Thread:
    thread = threading.Thread(
        target=supervisor.supervise, args=(database, state, run_id, stopping), daemon=True
    )
    thread.start()
    until(lambda: load_run(database, run_id).state != "queued")
    return thread


def test_running_run_is_cancelled(
    database: Database, run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_run_program(monkeypatch, WAIT_FOREVER)
    thread = start_supervisor(database, tmp_path, run_id, threading.Event())
    with database.session() as session:
        service.cancel(session, run_id)
    until(lambda: not thread.is_alive())
    assert load_run(database, run_id).state == "cancelled"


def test_stopping_the_worker_interrupts_the_run(
    database: Database, run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_run_program(monkeypatch, WAIT_FOREVER)
    stopping = threading.Event()
    thread = start_supervisor(database, tmp_path, run_id, stopping)
    stopping.set()
    until(lambda: not thread.is_alive())
    run = load_run(database, run_id)
    assert (run.state, run.active) == ("interrupted", None)
    assert "started again" in run.message


@pytest.mark.parametrize(
    "failure",
    [
        ("raise SystemExit(3)", "ended with status 3"),
        ("import os; os.kill(os.getpid(), 9)", "memory ran out"),
        ("pass", "ended with status 0"),
    ],
)
def test_exited_process_fails_the_run(
    database: Database,
    run_id: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    failure: tuple[str, str],
) -> None:
    program, message = failure
    replace_run_program(monkeypatch, program)
    unfinished = supervisor.work_folder(tmp_path, run_id)
    unfinished.mkdir(parents=True)
    supervisor.supervise(database, tmp_path, run_id, threading.Event())
    run = load_run(database, run_id)
    assert (run.state, run.active) == ("failed", None)
    assert message in run.message
    assert not unfinished.exists()


def test_process_that_cannot_be_started_fails_the_run(
    database: Database, run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "COMMAND", (str(tmp_path / "none"),))
    supervisor.supervise(database, tmp_path, run_id, threading.Event())
    run = load_run(database, run_id)
    assert (run.state, run.active) == ("failed", None)
    assert "could not be started: No such file" in run.message


@pytest.mark.parametrize("is_stopping", [False, True])
def test_end_of_a_run_is_recorded_once_the_database_is_back(
    database: Database,
    run_id: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_stopping: bool,
) -> None:
    replace_run_program(monkeypatch, WAIT_FOREVER if is_stopping else "raise SystemExit(3)")
    monkeypatch.setattr(supervisor, "END_RETRY_SECONDS", 0)
    stopping, outages, end = threading.Event(), [1, 2], service.end_running

    def fail_twice(*args: Any) -> None:
        if outages:
            raise OperationalError(f"{outages.pop()}", None, ConnectionResetError())
        end(*args)

    monkeypatch.setattr(service, "end_running", fail_twice)
    if is_stopping:  # Then nothing waits for the database.
        stopping.set()
        with pytest.raises(OperationalError):
            supervisor.supervise(database, tmp_path, run_id, stopping)
        assert len(outages) == 1
    else:
        supervisor.supervise(database, tmp_path, run_id, stopping)
        assert load_run(database, run_id).message.startswith(supervisor.CRASHED.format(status=3))


def test_claimed_run_is_not_started_again(
    database: Database, run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_run_program(monkeypatch, "raise SystemExit(1)")
    with database.session() as session:
        repository.claim(session, run_id)
    supervisor.supervise(database, tmp_path, run_id, threading.Event())
    assert load_run(database, run_id).state == "running"


def test_process_of_an_interrupted_run_is_terminated(
    database: Database, run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_run_program(monkeypatch, WAIT_FOREVER)
    thread = start_supervisor(database, tmp_path, run_id, threading.Event())
    with database.session() as session:
        service.end(session.get_one(RunRow, run_id), "interrupted", "Silent for too long.")
    until(lambda: not thread.is_alive())
    assert load_run(database, run_id).message == "Silent for too long."


def test_run_process_exits_with_its_worker() -> None:
    child = (
        "import signal; from api.retraining.run_process import exit_with_parent; "
        "exit_with_parent({}); print('on', flush=True); signal.pause()"
    )
    worker = f"""
        import os, signal, subprocess, sys
        program = {child!r}.format(os.getpid())
        process = subprocess.Popen([sys.executable, "-c", program], start_new_session=True)
        print(process.pid, flush=True)
        signal.pause()
    """
    process = subprocess.Popen(
        [sys.executable, "-c", dedent(worker)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    assert process.stdout.readline() == "on\n"
    process.kill()
    process.wait()
    process.stdout.close()

    def has_exited() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        # Without an init process that reaps orphans, it remains a zombie.
        return "zombie" in Path(f"/proc/{pid}/status").read_text()

    try:
        until(has_exited)
    finally:
        if not has_exited():
            os.kill(pid, signal.SIGKILL)
