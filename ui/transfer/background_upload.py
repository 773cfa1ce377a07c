"""Sending many files to the API in a thread, so that the person can leave the page."""

from collections.abc import Callable, Iterator, Sequence
from threading import Event, Thread
from time import monotonic
from typing import Generic, TypeVar

from errors import ApiError

from transfer.upload_batches import UploadBatch

Row = TypeVar("Row")
# Exponential backoff while the API is unavailable.
FIRST_WAIT_SECONDS = 0.5
MAX_WAIT_SECONDS = 5.0
# Tries of a batch that fails although the API is available.
MAX_TRIES = 5
# The API's code beyond its rate limit, whose window may last a minute or an hour. Then the batch
# waits, as in an outage: nothing is wrong with it.
_RATE_LIMITED = "too-many-requests"


class BackgroundUpload(Generic[Row]):
    """Sends batches one after another and collects the resulting rows.

    It waits while the API is unavailable, then continues. A batch that is rejected or fails
    `MAX_TRIES` times does not affect the others. Read `rows`, `done`, `error` and `finished` from
    any thread.
    """

    def __init__(
        self,
        batches: Iterator[UploadBatch],
        total: int,
        *,
        send: Callable[[UploadBatch], Sequence[Row]],
        rejected: Callable[[str, str], Row],
        is_available: Callable[[], bool],
    ) -> None:
        """`send` returns the rows of a batch or raises ApiError.

        `rejected` makes the row of a rejected file from its name and the reason; `is_available`
        says whether the API is up.
        """
        self.total = total
        self.rows: list[Row] = []
        self.done = 0
        self.error: ApiError | None = None
        self._batches = batches
        self._send = send
        self._rejected = rejected
        self._is_available = is_available
        self._stop = Event()
        self._finished = Event()
        self._started = monotonic()
        self._ended: float | None = None
        Thread(target=self._run, name="background-upload", daemon=True).start()

    @property
    def finished(self) -> bool:
        """Whether everything has been sent, or the upload was stopped."""
        return self._finished.is_set()

    @property
    def stopped(self) -> bool:
        """Whether the upload was stopped before everything was sent."""
        return self.finished and self.done < self.total

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    @property
    def seconds(self) -> float:
        """Seconds since the start, up to the end."""
        return (self._ended or monotonic()) - self._started

    @property
    def seconds_left(self) -> float | None:
        """The estimate from the pace so far; None while there is none."""
        if not self.done or self.error:
            return None
        return self.seconds / self.done * max(0, self.total - self.done)

    def stop(self) -> None:
        """Stop after the current batch."""
        self._stop.set()

    def wait(self, seconds: float) -> bool:
        """Wait at most `seconds` for the end; returns whether it has ended."""
        return self._finished.wait(seconds)

    def _run(self) -> None:
        try:
            for batch in self._batches:
                rows = self._send_batch(batch)
                if rows is None:
                    break
                self.rows += rows
                self.done += batch.count
                if self._stop.is_set():
                    break
        finally:
            self._batches = iter(())
            self._ended = monotonic()
            self._finished.set()

    def _send_batch(self, batch: UploadBatch) -> list[Row] | None:
        """Send a batch, and return its rows, or None if stopped while the API was unavailable."""
        rows = [self._rejected(name, reason) for name, reason in batch.unreadable]
        if not batch.files:
            return rows
        wait, tries = FIRST_WAIT_SECONDS, 0
        while True:
            try:
                rows += self._send(batch)
            except ApiError as error:
                tries += error.code != _RATE_LIMITED and self._is_available()
                if not error.retryable or tries == MAX_TRIES:
                    self.error = None
                    return rows + [
                        self._rejected(photo.name, error.detail) for photo in batch.photos
                    ]
                self.error = error
            else:
                self.error = None
                return rows
            if self._stop.wait(wait):
                return None
            wait = min(2 * wait, MAX_WAIT_SECONDS)
