"""What the figures were measured on, and which core each side gets."""

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
    """What is started within runs on these cores only, and so does this process."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def described() -> str:
    """Processor, cores, memory, system and Python."""
    said = dict(
        line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line
    )
    name = next((value.strip() for key, value in said.items() if "model name" in key), "unknown")
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{name}, {len(CORES)} cores, {gib:.0f} GiB; {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}"
    )
