"""The machine, and the cores of server and load."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CORES = sorted(os.sched_getaffinity(0))
SERVER, LOAD = CORES[:1], CORES[-1:]
BOTH = [*SERVER, *LOAD]


@contextmanager
def on(cores: list[int]) -> Iterator[None]:
    """Pin this process, and processes that it starts, to these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def describe_machine() -> str:
    """CPU, cores, memory, system and Python version."""
    fields = dict(
        line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line
    )
    name = next((value.strip() for key, value in fields.items() if "model name" in key), "unknown")
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{name}, {len(CORES)} cores, {gib:.0f} GiB; {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}"
    )
