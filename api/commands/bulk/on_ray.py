"""Grading on a Ray cluster, by Ray Data: the only file that needs Ray (extra `cluster`).

The nodes need the packages of `requirements/cluster.txt`; this code and the model are sent to them.
They read the photographs themselves, so that those lie in a bucket or in a folder that all share.
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

# Batches that one execution takes: what bounds the memory here. Each begins with loading the model.
WINDOW = 2000
CONNECT_SECONDS = 5


class ClusterError(ProblemError):
    code = "cluster-away"


class Cluster:
    """A context: connected to the cluster at `address`. Raises ClusterError."""

    def __init__(self, work: ScoringJob, address: str) -> None:
        self._work = work
        self._address = address

    def __enter__(self) -> "Cluster":
        environment = {"py_modules": [str(PROJECT / "api")]}
        try:
            _reach(self._address)
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
            work = ray.put(self._work)
            rest = iter(batches)
            while window := list(islice(rest, WINDOW)):
                yield from self._window(window, work)
        except RayError as error:
            raise ClusterError(
                f"The cluster gave up: {error}\nWhat is done so far is kept: the same command goes "
                "on from there, with --ray or without."
            ) from error

    def _window(self, batches: Sequence[Sequence[str]], work: Any) -> Iterator[pa.Table]:
        # As JSON, for a name need not be text that Arrow takes.
        blocks = [pa.table({"path": [json.dumps(path) for path in batch]}) for batch in batches]
        cores = max(1, int(ray.cluster_resources().get("CPU", 1)))
        graded = from_arrow(blocks).map_batches(
            _Graders,
            fn_constructor_args=(work,),
            batch_size=None,
            batch_format="pyarrow",
            num_cpus=1,
            compute=ActorPoolStrategy(min_size=1, max_size=min(cores, len(blocks))),
        )
        for table in graded.iter_batches(batch_size=None, batch_format="pyarrow"):
            yield table.cast(self._work.schema)


class _Graders:
    """One of the cluster's graders. Its process lives on where a picture kills the one below it."""

    def __init__(self, work: Any) -> None:
        self._workers = Workers(ray.get(work), 1)

    def __call__(self, batch: pa.Table) -> pa.Table:
        paths = [json.loads(path) for path in batch["path"].to_pylist()]
        return next(self._workers.grade([paths]))


def _reach(address: str) -> None:
    """Ray itself waits for minutes where nothing answers. Raises OSError."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
