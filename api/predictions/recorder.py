"""Recording predictions in the background.

Endpoints put records into a bounded queue, which one thread writes in batches, so a prediction
never waits for the catalog. A queue that fills up, for example while the database is unavailable,
drops images first, then records, and counts both.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from random import SystemRandom
from typing import Self

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from api.core import telemetry
from api.core.formatting import number
from api.core.imaging.resize import encode_stored_image
from api.predictions.record import Record, blob_key
from api.storage.blobs import Blobs
from api.storage.db import UNAVAILABLE, Database
from api.storage.failures import describe
from api.storage.tables.predictions import PredictionRow

CAPACITY = 5000
IMAGE_BYTES = 32 * 2**20
BATCH = 200
# Wait this long for a full batch: a transaction costs as much as ten rows.
LINGER_SECONDS = 0.5
RETRY_SECONDS = 1.0
CLOSE_SECONDS = 5.0
# A retry may succeed. A ProgrammingError: the tables do not exist yet.
TRANSIENT = (*UNAVAILABLE, ProgrammingError)
_COLUMNS = [column.name for column in PredictionRow.__table__.columns]
log = logging.getLogger(__name__)


def add_predictions(database: Database, rows: Sequence[PredictionRow]) -> None:
    """Insert all in one transaction, ignoring rows that exist: an earlier attempt may have been
    committed although the connection was lost.
    """
    values = [{name: getattr(row, name) for name in _COLUMNS} for row in rows]
    insert = sqlite.insert if database.is_sqlite else postgresql.insert
    with database.session() as session:
        session.execute(insert(PredictionRow).on_conflict_do_nothing(), values)


class Recorder:
    """A context manager: a bounded queue and the thread that writes it. `put` is thread-safe."""

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        store_images: bool,
        capacity: int = CAPACITY,
        image_bytes: int = IMAGE_BYTES,
        *,
        sampled_share: float = 0.0,
    ) -> None:
        """`sampled_share`: share of the predictions that is drawn to ask people about."""
        self._database = database
        self._blobs = blobs
        self._store = store_images
        self._sampled_share = sampled_share
        # Unpredictable: nobody who sends photos can tell which are drawn.
        self._random = SystemRandom()
        self._capacity = capacity
        self._image_bytes = image_bytes
        self._queue: deque[Record] = deque()
        self._queued_bytes = 0  # Of images.
        self._accepted = self._processed = 0
        self._failed = 0  # Attempts to write.
        # IDs of the records in the queue and in the batch that is being written.
        self._pending: set[str] = set()
        self._problem = ""
        self._flushing = 0
        self._close_deadline: float | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def put(self, record: Record) -> None:
        """Queue a record, in microseconds."""
        with self._changed:
            if len(self._queue) >= self._capacity or self._close_deadline is not None:
                telemetry.RECORDER_DROPPED.labels("record").inc()
                return
            if self._queued_bytes + record.image_bytes > self._image_bytes:
                telemetry.RECORDER_DROPPED.labels("photograph").inc()
                record = record.without_images()
            self._queue.append(record)
            self._pending.add(record.id)
            self._queued_bytes += record.image_bytes
            self._accepted += 1
            telemetry.RECORDER_QUEUE.set(len(self._queue))
            if len(self._queue) in (1, BATCH):
                self._changed.notify_all()

    def is_pending(self, prediction_id: str) -> bool:
        """Whether this prediction is still to be written."""
        with self._changed:
            return prediction_id in self._pending

    @property
    def problem(self) -> str | None:
        """Why predictions are not being recorded, for `/status`."""
        with self._changed:
            if not self._problem:
                return None
            waiting = number(len(self._pending), "prediction")
        return f"{self._problem} {waiting} wait to be recorded; at most {self._capacity:,} can."

    def flush(self, timeout: float) -> bool:
        """Wait until all queued records are written; False after `timeout` seconds, or once an
        attempt fails."""
        with self._changed:
            target, failed = self._accepted, self._failed
            self._flushing += 1
            self._changed.notify_all()
            try:
                # Stops at a failed attempt: without the catalog, all threads would soon wait here.
                self._changed.wait_for(
                    lambda: self._processed >= target or self._failed > failed, timeout
                )
                return self._processed >= target
            finally:
                self._flushing -= 1

    def close(self, timeout: float = CLOSE_SECONDS) -> None:
        """Write the queue, for at most `timeout` seconds, and stop the thread."""
        with self._changed:
            self._close_deadline = time.monotonic() + timeout
            self._changed.notify_all()
        self._thread.join(timeout + RETRY_SECONDS)

    def _run(self) -> None:
        while batch := self._next():
            ids = [record.id for record in batch]
            count = len(ids)
            try:
                stored = self._store_images(batch) if self._store else {}
                rows = [
                    record.row(stored.get(record.id), sampled=self._is_drawn()) for record in batch
                ]
                batch.clear()  # Frees the images: `_write` may wait for long.
                self._write(rows)
            except Exception:  # The thread must survive.
                log.exception("%d predictions were not recorded", count)
                telemetry.RECORDER_DROPPED.labels("record").inc(count)
            with self._changed:
                self._processed += count
                self._pending.difference_update(ids)
                self._changed.notify_all()

    def _is_drawn(self) -> bool:
        return self._random.random() < self._sampled_share

    def _next(self) -> list[Record]:
        """The next batch; empty if the recorder is closed and the queue empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._close_deadline is not None)
            self._changed.wait_for(self._batch_ready, LINGER_SECONDS)
            batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
            self._queued_bytes -= sum(record.image_bytes for record in batch)
            telemetry.RECORDER_QUEUE.set(len(self._queue))
            return batch

    def _batch_ready(self) -> bool:
        closing = self._close_deadline is not None
        return closing or self._flushing > 0 or len(self._queue) >= BATCH

    def _write(self, rows: list[PredictionRow]) -> None:
        while True:
            try:
                add_predictions(self._database, rows)
                self._problem = ""
                return
            except TRANSIENT as error:
                self._problem = describe(error)
                if not self._wait_to_retry():
                    log.error("%d predictions are not recorded: %s", len(rows), error)
                    telemetry.RECORDER_DROPPED.labels("record").inc(len(rows))
                    return
                log.warning("The catalog is unavailable; predictions are queued: %s", error)
            except SQLAlchemyError:
                self._write_singly(rows)
                return

    def _store_images(self, batch: list[Record]) -> dict[str, str]:
        """Store the batch's images as one blob: record id to image key."""
        images = {
            record.id: encode_stored_image(record.stored_image)
            for record in batch
            if record.stored_image
        }
        if not images:
            return {}
        try:
            keys = self._blobs.put_many(blob_key(batch), list(images.values()))
        except Exception:  # Each kind of store has its own errors. Keep the records.
            log.exception("%d photographs cannot be kept", len(images))
            telemetry.RECORDER_DROPPED.labels("photograph").inc(len(images))
            return {}
        return dict(zip(images, keys, strict=True))

    def _write_singly(self, rows: list[PredictionRow]) -> None:
        """One transaction per row: an invalid row must not fail the others."""
        for row in rows:
            try:
                add_predictions(self._database, [row])
            except SQLAlchemyError as error:
                log.error("Prediction %s is not recorded: %s", row.id, error)
                telemetry.RECORDER_DROPPED.labels("record").inc()

    def _wait_to_retry(self) -> bool:
        """Wait before the next attempt; False once the deadline of `close` has passed."""
        with self._changed:
            pause = RETRY_SECONDS
            if self._close_deadline is not None:
                # The last attempt is due at the deadline: `close` waits little longer.
                pause = min(pause, self._close_deadline - time.monotonic())
                if pause <= 0:
                    return False
            self._failed += 1
            self._changed.notify_all()
            self._changed.wait(pause)
            return True
