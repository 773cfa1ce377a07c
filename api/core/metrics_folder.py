"""The folder in which several API processes on one machine add up their metrics.

Does not import prometheus-client, which decides on import whether to use the folder.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import parent_process
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
PROCESSES = "WEB_CONCURRENCY"


@contextmanager
def shared_metrics_folder() -> Iterator[None]:
    """Make the folder that is set; if none is, several processes get a temporary one.

    Raises OSError if it cannot be made.
    """
    folder = os.environ.get(VARIABLE)
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        yield
        return
    if not _has_several_processes(os.environ):
        yield
        return
    os.environ[VARIABLE] = folder = tempfile.mkdtemp(prefix="ripeline-metrics-")
    try:
        yield
    finally:
        del os.environ[VARIABLE]
        shutil.rmtree(folder, ignore_errors=True)


def counts_alone() -> bool:
    """Whether this is one of several processes that uvicorn has started without such a folder."""
    return parent_process() is not None and not os.environ.get(VARIABLE)


def _has_several_processes(environment: Mapping[str, str]) -> bool:
    number = environment.get(PROCESSES, "")
    return number.isdigit() and int(number) > 1
