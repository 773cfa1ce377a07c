"""Recording predictions off the request path.

An endpoint hands over a value and answers; one thread writes batches. What does not fit in the
bounded queue loses first its photograph and then its record, and is counted: a prediction never
waits for the catalog. While the database is away, the queue keeps what fits and predictions go on.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Self

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from api.core import telemetry
from api.core.imaging.stored_image import encode_stored_image
from api.predictions.record import Record, blob_key
from api.storage.blobs import Blobs
from api.storage.db import UNAVAILABLE, Database
from api.storage.tables import PredictionRow

CAPACITY = 5000
IMAGE_BYTES = 32 * 2**20
BATCH = 200
# A transaction takes as long as the rows of some ten predictions.
LINGER_SECONDS = 0.5
RETRY_SECONDS = 1.0
CLOSE_SECONDS = 5.0
_COLUMNS = [column.name for column in PredictionRow.__table__.columns]
log = logging.getLogger(__name__)


def add_predictions(database: Database, rows: Sequence[PredictionRow]) -> None:
    """Add all in one transaction; rows that are already there stay as they are.

    An earlier attempt may have been committed although the connection was lost before its answer.
    """
    values = [{name: getattr(row, name) for name in _COLUMNS} for row in rows]
    insert = sqlite.insert if database.is_sqlite else postgresql.insert
    with database.session() as session:
        session.execute(insert(PredictionRow).on_conflict_do_nothing(), values)


class Recorder:
    """A bounded queue and the thread that empties it. `put` may be called from any thread."""

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        keep_photographs: bool,
        capacity: int = CAPACITY,
        image_bytes: int = IMAGE_BYTES,
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._keep = keep_photographs
        self._capacity = capacity
        self._image_bytes = image_bytes
        self._waiting: deque[Record] = deque()
        self._held = 0  # Bytes of pixels in `_waiting`.
        self._accepted = self._settled = 0
        self._flushing = 0
        self._give_up_at: float | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def put(self, record: Record) -> None:
        """Take `record` over. Costs microseconds and never waits for the catalog."""
        with self._changed:
            if len(self._waiting) >= self._capacity or self._give_up_at is not None:
                telemetry.RECORDER_DROPPED.labels("record").inc()
                return
            if self._held + record.image_bytes > self._image_bytes:
                telemetry.RECORDER_DROPPED.labels("photograph").inc()
                record = record.without_image()
            self._waiting.append(record)
            self._held += record.image_bytes
            self._accepted += 1
            telemetry.RECORDER_QUEUE.set(len(self._waiting))
            if len(self._waiting) in (1, BATCH):
                self._changed.notify_all()

    def flush(self, timeout: float) -> bool:
        """Wait until all that was put before is written, or `timeout` seconds. Says whether."""
        with self._changed:
            target = self._accepted
            self._flushing += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(lambda: self._settled >= target, timeout)
            finally:
                self._flushing -= 1

    def close(self, timeout: float = CLOSE_SECONDS) -> None:
        """Write what waits, for at most `timeout` seconds, and end the thread."""
        with self._changed:
            self._give_up_at = time.monotonic() + timeout
            self._changed.notify_all()
        self._thread.join(timeout + RETRY_SECONDS)

    def _run(self) -> None:
        while batch := self._next():
            count = len(batch)
            try:
                rows = self._rows(batch)
                batch.clear()  # The pixels: the catalog may be away for long.
                self._write(rows)
            except Exception:  # A fault in one batch must not end the recording.
                log.exception("%d predictions were not recorded", count)
                telemetry.RECORDER_DROPPED.labels("record").inc(count)
            with self._changed:
                self._settled += count
                self._changed.notify_all()

    def _next(self) -> list[Record]:
        """The next batch; empty once the recorder is closed and nothing waits."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._give_up_at is not None)
            self._changed.wait_for(self._full_enough, LINGER_SECONDS)
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            self._held -= sum(record.image_bytes for record in batch)
            telemetry.RECORDER_QUEUE.set(len(self._waiting))
            return batch

    def _full_enough(self) -> bool:
        closing = self._give_up_at is not None
        return closing or self._flushing > 0 or len(self._waiting) >= BATCH

    def _rows(self, batch: list[Record]) -> list[PredictionRow]:
        """What to write of each record; the photographs are stored when this returns."""
        stored = self._store_photographs(batch) if self._keep else {}
        return [record.row(stored.get(record.id)) for record in batch]

    def _write(self, rows: list[PredictionRow]) -> None:
        while True:
            try:
                add_predictions(self._database, rows)
            except SQLAlchemyError as error:
                if not _is_away(error):
                    self._write_singly(rows)
                elif self._wait_to_retry():
                    log.warning("The catalog is away; predictions wait to be recorded: %s", error)
                    continue
                else:
                    log.error("%d predictions are not recorded: %s", len(rows), error)
                    telemetry.RECORDER_DROPPED.labels("record").inc(len(rows))
            return

    def _store_photographs(self, batch: list[Record]) -> dict[str, str]:
        """The records whose photographs are stored now, as one blob: id to key."""
        photographs = {
            record.id: encode_stored_image(record.photograph)
            for record in batch
            if record.photograph
        }
        if not photographs:
            return {}
        try:
            keys = self._blobs.put_many(blob_key(batch), list(photographs.values()))
        except Exception:  # A store fails in its own ways; the records are worth keeping alone.
            log.exception("%d photographs cannot be kept", len(photographs))
            telemetry.RECORDER_DROPPED.labels("photograph").inc(len(photographs))
            return {}
        return dict(zip(photographs, keys, strict=True))

    def _write_singly(self, rows: list[PredictionRow]) -> None:
        """Keep a row that the database refuses from taking the others with it."""
        for row in rows:
            try:
                add_predictions(self._database, [row])
            except SQLAlchemyError as error:
                log.error("Prediction %s is not recorded: %s", row.id, error)
                telemetry.RECORDER_DROPPED.labels("record").inc()

    def _wait_to_retry(self) -> bool:
        """Wait before the next try. False when the recorder is closed and its time is up."""
        with self._changed:
            if self._give_up_at is not None and time.monotonic() >= self._give_up_at:
                return False
            self._changed.wait(RETRY_SECONDS)
            return True


def _is_away(error: SQLAlchemyError) -> bool:
    """Whether the same rows may be taken later; a ProgrammingError: tables not made yet."""
    return isinstance(error, (*UNAVAILABLE, ProgrammingError))
