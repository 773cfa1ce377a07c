"""Sending many files to the API in a thread of its own, so that the page stays free to be left."""

from collections.abc import Callable, Iterator, Sequence
from threading import Event, Thread
from time import monotonic
from typing import Generic, TypeVar

from problems import ApiProblem

from transfer.parcels import Parcel

Row = TypeVar("Row")
# After an outage it asks again, ever more patiently.
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 5.0
# So often a parcel is tried that fails while the service is well otherwise.
MOST_TRIES = 5


class Sending(Generic[Row]):
    """Parcels on their way, one after another, and the rows that came back.

    While the API is away it waits and goes on by itself; a parcel that is refused, or fails again
    and again, costs only itself. Read `rows`, `done`, `problem` and `finished` from any thread.
    """

    def __init__(
        self,
        parcels: Iterator[Parcel],
        total: int,
        *,
        send: Callable[[Parcel], Sequence[Row]],
        refused: Callable[[str, str], Row],
        alive: Callable[[], bool],
    ) -> None:
        """`send` gives the rows of a parcel or raises ApiProblem.

        `refused` makes the row of a file that was not taken, of its name and the reason; `alive`
        says whether the API answers at all.
        """
        self.total = total
        self.rows: list[Row] = []
        self.done = 0
        self.problem: ApiProblem | None = None
        self._parcels = parcels
        self._send = send
        self._refused = refused
        self._alive = alive
        self._stop = Event()
        self._finished = Event()
        self._started = monotonic()
        self._ended: float | None = None
        Thread(target=self._run, name="sending", daemon=True).start()

    @property
    def finished(self) -> bool:
        """Whether all has been sent, or it was stopped."""
        return self._finished.is_set()

    @property
    def stopped(self) -> bool:
        """Whether it ended before all was sent."""
        return self.finished and self.done < self.total

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stop.is_set()

    @property
    def seconds(self) -> float:
        """How long it has taken."""
        return (self._ended or monotonic()) - self._started

    @property
    def seconds_left(self) -> float | None:
        """How long it will still take at this pace; None while there is none."""
        if not self.done or self.problem:
            return None
        return self.seconds / self.done * max(0, self.total - self.done)

    def stop(self) -> None:
        """End after the parcel that is on its way."""
        self._stop.set()

    def wait(self, seconds: float) -> bool:
        """Wait for the end, at most so long; whether it came."""
        return self._finished.wait(seconds)

    def _run(self) -> None:
        try:
            for parcel in self._parcels:
                rows = self._sent(parcel)
                if rows is None:
                    break
                self.rows += rows
                self.done += parcel.count
                if self._stop.is_set():
                    break
        finally:
            self._parcels = iter(())
            self._ended = monotonic()
            self._finished.set()

    def _sent(self, parcel: Parcel) -> list[Row] | None:
        """The rows of a parcel, or None where it was stopped while the API was away."""
        rows = [self._refused(name, reason) for name, reason in parcel.unread]
        if not parcel.sent:
            return rows
        wait, tries = FIRST_WAIT_SECONDS, 0
        while True:
            try:
                rows += self._send(parcel)
            except ApiProblem as problem:
                tries += self._alive()
                if not problem.passing or tries == MOST_TRIES:
                    self.problem = None
                    return rows + [
                        self._refused(piece.name, problem.detail) for piece in parcel.pieces
                    ]
                self.problem = problem
            else:
                self.problem = None
                return rows
            if self._stop.wait(wait):
                return None
            wait = min(2 * wait, LONGEST_WAIT_SECONDS)
