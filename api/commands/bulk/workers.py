"""Grading on all cores of this machine: processes with an interpreter each."""

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
from api.commands.bulk.output import failed
from api.core.errors import ProblemError
from api.core.process_tuning import keep_to_one_thread

# For each process: photographs that it grades, and others that wait for it.
AHEAD = 2


class WorkerCrashError(ProblemError):
    code = "dying-workers"
    detail = (
        "The processes that grade die as soon as they start; often there is too little memory. Run "
        "the same command with fewer: --processes 1."
    )


class Workers:
    """A context: the processes end with it, and with the process that made them, however it ends.

    A photograph on which a process dies is a row with an error like any other.
    """

    def __init__(self, work: ScoringJob, processes: int) -> None:
        self._work = work
        self._processes = processes
        self._pool = self._start(processes)
        self._alone: ProcessPoolExecutor | None = None

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: object) -> None:
        for pool in (self._pool, self._alone):
            if pool is not None:
                pool.shutdown(cancel_futures=True)

    def grade(self, batches: Iterable[Sequence[str]]) -> Iterator[pa.Table]:
        """A table for each batch of paths, in order; few batches are in memory at once."""
        under_way: deque[tuple[Sequence[str], Future[pa.Table]]] = deque()
        for batch in batches:
            under_way.append((batch, self._submit(batch)))
            if len(under_way) >= AHEAD * self._processes:
                yield self._result(*under_way.popleft())
        while under_way:
            yield self._result(*under_way.popleft())

    def _submit(self, batch: Sequence[str]) -> "Future[pa.Table]":
        try:
            return self._pool.submit(_grade, batch)
        except BrokenProcessPool:
            self._pool.shutdown()
            self._pool = self._start(self._processes)
            return self._pool.submit(_grade, batch)

    def _result(self, batch: Sequence[str], graded: "Future[pa.Table]") -> pa.Table:
        try:
            return graded.result()
        except BrokenProcessPool:
            return pa.concat_tables([self._grade_isolated(path) for path in batch])

    def _grade_isolated(self, path: str) -> pa.Table:
        """Grade a photograph of a batch whose process died, in one that grades nothing else."""
        if self._alone is None:
            self._alone = self._start(1)
            try:
                self._alone.submit(_grade, []).result()
            except BrokenProcessPool:
                raise WorkerCrashError() from None
        try:
            return self._alone.submit(_grade, [path]).result()
        except BrokenProcessPool:
            self._alone.shutdown()
            self._alone = None
            row = failed(path, DIED, self._work.package.manifest.version)
            return pa.Table.from_pylist([row], schema=self._work.schema)

    def _start(self, processes: int) -> ProcessPoolExecutor:
        keep_to_one_thread()
        # Forks would share locks of threads that they do not have.
        fresh = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(processes, fresh, initializer=_prepare, initargs=(self._work,))


DIED = "The process that graded it died, twice: the picture breaks its decoder or needs all memory."
_grader: Grader | None = None


def _prepare(work: ScoringJob) -> None:
    global _grader  # noqa: PLW0603  (what a process of the pool keeps from task to task)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the command, which ends these.
    threading.Thread(target=_follow_parent, daemon=True).start()
    _grader = Grader(work)


def _grade(batch: Sequence[str]) -> pa.Table:
    assert _grader is not None  # noqa: S101  (`_prepare` ran before)
    return _grader(batch)


def _follow_parent() -> None:
    """End with the command, also where it was killed and could say nothing."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
