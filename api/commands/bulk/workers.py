"""Grades on all cores of this machine, with one interpreter per process."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pyarrow as pa

from api.commands.bulk.grader import Grader, ScoringJob
from api.commands.bulk.output import error_row
from api.core.errors import ProblemError
from api.core.process_tuning import keep_to_one_thread

# Batches in flight per process: one being graded, one queued.
PREFETCH = 2
CRASHED = (
    "The process that graded it died, twice: the picture breaks its decoder or needs all memory."
)


class WorkerCrashError(ProblemError):
    code = "dying-workers"
    detail = (
        "The processes that grade die as soon as they start; often there is too little memory. Run "
        "the same command with fewer: --processes 1."
    )


class Workers:
    """A pool of grading processes, as a context manager.

    The processes end with the pool, and with this process, however that ends. A photo that crashes
    its process becomes a row with an error.
    """

    def __init__(self, job: ScoringJob, processes: int) -> None:
        self._job = job
        self._processes = processes
        self._pool = self._start(processes)
        self._isolated: ProcessPoolExecutor | None = None

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: object) -> None:
        for pool in (self._pool, self._isolated):
            if pool is not None:
                pool.shutdown(cancel_futures=True)

    def grade(self, batches: Iterable[Sequence[str]]) -> Iterator[pa.Table]:
        """A table for each batch of paths, in order; few batches are in memory at once."""
        in_flight: deque[tuple[Sequence[str], Future[pa.Table]]] = deque()
        for batch in batches:
            in_flight.append((batch, self._submit(batch)))
            if len(in_flight) >= PREFETCH * self._processes:
                yield self._result(*in_flight.popleft())
        while in_flight:
            yield self._result(*in_flight.popleft())

    def _submit(self, batch: Sequence[str]) -> "Future[pa.Table]":
        try:
            return self._pool.submit(_grade, batch)
        except BrokenProcessPool:
            self._pool.shutdown()
            self._pool = self._start(self._processes)
            return self._pool.submit(_grade, batch)

    def _result(self, batch: Sequence[str], future: "Future[pa.Table]") -> pa.Table:
        try:
            return future.result()
        except BrokenProcessPool:
            return pa.concat_tables([self._grade_isolated(path) for path in batch])

    def _grade_isolated(self, path: str) -> pa.Table:
        """Grade one photo of a batch that crashed, in a process that has no other work."""
        if self._isolated is None:
            self._isolated = self._start(1)
            try:
                self._isolated.submit(_grade, []).result()
            except BrokenProcessPool:
                raise WorkerCrashError() from None
        try:
            return self._isolated.submit(_grade, [path]).result()
        except BrokenProcessPool:
            self._isolated.shutdown()
            self._isolated = None
            row = error_row(path, CRASHED, self._job.package.manifest.version)
            return pa.Table.from_pylist([row], schema=self._job.schema)

    def _start(self, processes: int) -> ProcessPoolExecutor:
        keep_to_one_thread()
        # Forks would inherit locks that threads of this process hold.
        spawn = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(processes, spawn, initializer=_prepare, initargs=(self._job,))


_grader: Grader | None = None


def _prepare(job: ScoringJob) -> None:
    """Load the model, once per process."""
    global _grader  # noqa: PLW0603  (kept from task to task)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the command, which ends these.
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    _grader = Grader(job)


def _grade(batch: Sequence[str]) -> pa.Table:
    assert _grader is not None  # noqa: S101  (`_prepare` ran before)
    return _grader(batch)


def _exit_with_parent() -> None:
    """A killed command cannot end its processes itself."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
