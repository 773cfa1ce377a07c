"""The machine, and the cores of server and load."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CORES = sorted(os.sched_getaffinity(0))
SERVER, LOAD = CORES[:1], CORES[-1:]
BOTH = [*SERVER, *LOAD]


# Instructions that decide how fast a network runs, as Linux names them.
_VECTOR_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16")


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
    """Processor with its vector instructions, cores, memory, system and Python version."""
    lines = [line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines()]
    fields = {line[0].strip(): line[1].strip() for line in lines if len(line) == 2}
    vector = [flag for flag in _VECTOR_FLAGS if flag in fields.get("flags", "").split()]
    kind = f"family {fields.get('cpu family', '?')}, model {fields.get('model', '?')}"
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    name = fields.get("model name", "unknown")
    return (
        f"{name} ({', '.join([kind, *vector])}), {len(CORES)} cores, "
        f"{gib:.0f} GiB; {platform.system()} {platform.release()}, Python "
        f"{platform.python_version()}"
    )
