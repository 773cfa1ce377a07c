"""The machine, and the cores of the server and the load generator."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager

from api.model.engines.processor import processor, processor_fields

CORES = sorted(os.sched_getaffinity(0))
SERVER, LOAD = CORES[:1], CORES[-1:]
BOTH = [*SERVER, *LOAD]


# Instructions that decide how fast a network runs, as Linux names them.
_VECTOR_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16")


@contextmanager
def on(cores: list[int]) -> Iterator[None]:
    """Pin this process and the processes that it starts to these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def describe_machine() -> str:
    """Processor with its vector instructions, cores, memory, system and Python version."""
    flags = processor_fields().get("flags", "").split()
    vector = [flag for flag in _VECTOR_FLAGS if flag in flags]
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{processor()} ({', '.join(vector)}), {len(CORES)} cores, "
        f"{gib:.0f} GiB; {platform.system()} {platform.release()}, Python "
        f"{platform.python_version()}"
    )
