"""The queue between the API and its workers: huey, on SQLite or PostgreSQL as the catalog is.

A message carries the ID of a run and, for the log, the ID of the request that started it; the run
itself is a row of the catalog. A lost or duplicate message does no harm: workers also look for
queued rows, and only one can claim a row. So a damaged queue is set aside and a new one opened.
"""

import json
import logging
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asgi_correlation_id import correlation_id

from api.settings import Settings
from api.storage.db import normalize_url

if TYPE_CHECKING:
    from huey import Huey
    from huey.api import TaskWrapper
    from huey.consumer import Consumer

NAME = "ripeline"
QUEUE_FILE = "queue.db"
# The task's name in messages. Fixed: queues of earlier releases hold messages under it.
TASK_MODULE, TASK_NAME = "api.jobs.queue", "perform"
POLL_SECONDS = 0.2
# Two, so that the next run starts while one is still being logged to MLflow.
THREADS = 2
log = logging.getLogger(__name__)


def _ignore(_run_id: str) -> None:
    """The API only queues runs."""


class RunQueue:
    """IDs of queued runs. Opens on first use; a consumer calls `handler` with each ID."""

    def __init__(self, settings: Settings, handler: Callable[[str], None] = _ignore) -> None:
        self._settings = settings
        self._handler = handler
        self._task: TaskWrapper | None = None
        self._lock = threading.Lock()

    def put(self, run_id: str) -> None:
        """Wake a worker. Never raises: without a message, workers find the run in the table."""
        try:
            self._open()(run_id, correlation_id.get())
        except Exception as error:  # Each database driver raises its own.
            log.warning("Run %s is queued, but no worker could be woken: %s", run_id, error)

    def consumer(self) -> "Consumer":
        """Threads that call `handler` with each ID; `start` and `stop` them."""
        return self._open().huey.create_consumer(
            workers=THREADS,
            periodic=False,
            initial_delay=POLL_SECONDS,
            max_delay=POLL_SECONDS,
            scheduler_interval=60,
        )

    def close(self) -> None:
        if self._task is not None:
            self._task.huey.storage.close()

    def _open(self) -> "TaskWrapper":
        """The task that puts a message into the queue, and is executed by consumers."""
        with self._lock:
            if self._task is None:

                def handle(run_id: str, request_id: str | None = None) -> None:
                    correlation_id.set(request_id)
                    self._handler(run_id)

                handle.__module__ = TASK_MODULE
                self._task = _open_huey(self._settings).task(name=TASK_NAME)(handle)
            return self._task


def _open_huey(settings: Settings) -> "Huey":
    # Imported here: the API starts faster and takes less memory without it.
    from huey import PostgresHuey, SqliteHuey  # noqa: PLC0415
    from huey.registry import Message  # noqa: PLC0415
    from huey.serializer import Serializer  # noqa: PLC0415

    class JsonSerializer(Serializer):  # type: ignore[misc]  # huey has no types.
        """JSON instead of pickle, which would run the code of anyone who writes to the queue."""

        def _serialize(self, data: Any) -> bytes:
            return json.dumps(data).encode()

        def _deserialize(self, data: bytes) -> Any:
            return Message(*json.loads(data))

    options = {"results": False, "serializer": JsonSerializer()}
    address = normalize_url(settings.database)
    if address.startswith("sqlite"):
        settings.state_dir.mkdir(parents=True, exist_ok=True)
        file = settings.state_dir / QUEUE_FILE
        try:
            return SqliteHuey(NAME, filename=str(file), **options)
        except sqlite3.OperationalError:  # Locked, or on a full disk.
            raise
        except sqlite3.DatabaseError as error:
            _put_aside(file, error)
            return SqliteHuey(NAME, filename=str(file), **options)
    dsn = address.replace("postgresql+psycopg://", "postgresql://", 1)
    # Polled, as SQLite is: with blocking reads each thread would leave a connection open.
    return PostgresHuey(NAME, dsn=dsn, blocking=False, **options)


def _put_aside(file: Path, error: Exception) -> None:
    damaged = file.with_name(f"{file.name}.damaged")
    log.warning("%s is damaged and was moved to %s: %s", file, damaged, error)
    file.replace(damaged)
    for end in ("-wal", "-shm"):
        file.with_name(file.name + end).unlink(missing_ok=True)
