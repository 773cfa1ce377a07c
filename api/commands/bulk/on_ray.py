"""Grades on a Ray cluster with Ray Data: the only module that needs Ray (extra `cluster`).

The nodes need the packages of `requirements/cluster.txt`; this code and the model are sent to them.
They read the photos themselves, from a bucket or a shared folder.
"""

import json
import logging
import socket
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import pyarrow as pa
import ray
from ray.data import ActorPoolStrategy, DataContext, from_arrow
from ray.exceptions import RayError

from api.commands.bulk.grader import ScoringJob
from api.commands.bulk.workers import Workers
from api.core.errors import ProblemError
from api.settings import PROJECT

# Batches per execution: bounds the memory of this process. Each execution loads the model again.
WINDOW = 2000
CONNECT_SECONDS = 5


class ClusterError(ProblemError):
    code = "cluster-away"


class Cluster:
    """A connection to the cluster at `address`, as a context manager. Raises ClusterError."""

    def __init__(self, job: ScoringJob, address: str) -> None:
        self._job = job
        self._address = address

    def __enter__(self) -> "Cluster":
        environment = {"py_modules": [str(PROJECT / "api")]}
        try:
            _check_reachable(self._address)
            ray.init(
                self._address,
                runtime_env=environment,
                logging_level=logging.WARNING,
                log_to_driver=False,
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise ClusterError(f"No Ray cluster answers at {self._address}: {error}") from error
        context = DataContext.get_current()
        context.execution_options.preserve_order = True
        context.enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        return self

    def __exit__(self, *_: object) -> None:
        ray.shutdown()

    def grade(self, batches: Iterable[Sequence[str]]) -> Iterator[pa.Table]:
        """A table for each batch of paths, in order. Raises ClusterError."""
        try:
            job = ray.put(self._job)
            rest = iter(batches)
            while window := list(islice(rest, WINDOW)):
                yield from self._grade_window(window, job)
        except RayError as error:
            raise ClusterError(
                f"The cluster gave up: {error}\nWhat is done so far is kept: the same command goes "
                "on from there, with --ray or without."
            ) from error

    def _grade_window(self, batches: Sequence[Sequence[str]], job: Any) -> Iterator[pa.Table]:
        # As JSON: a file name need not be valid Unicode, which Arrow requires.
        blocks = [pa.table({"path": [json.dumps(path) for path in batch]}) for batch in batches]
        cores = max(1, int(ray.cluster_resources().get("CPU", 1)))
        graded = from_arrow(blocks).map_batches(
            _GradeActor,
            fn_constructor_args=(job,),
            batch_size=None,
            batch_format="pyarrow",
            num_cpus=1,
            compute=ActorPoolStrategy(min_size=1, max_size=min(cores, len(blocks))),
        )
        for table in graded.iter_batches(batch_size=None, batch_format="pyarrow"):
            yield table.cast(self._job.schema)


class _GradeActor:
    """An actor of the cluster. Grades in a process of its own, which a photo may crash."""

    def __init__(self, job: Any) -> None:
        self._workers = Workers(ray.get(job), 1)

    def __call__(self, batch: pa.Table) -> pa.Table:
        paths = [json.loads(path) for path in batch["path"].to_pylist()]
        return next(self._workers.grade([paths]))


def _check_reachable(address: str) -> None:
    """Raises OSError. Ray itself would wait for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
