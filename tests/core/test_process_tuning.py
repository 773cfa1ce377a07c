"""Malloc tuning: which memory is kept for reuse, and which is returned to the system."""

import platform
import resource
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's"),
]

PAGE = resource.getpagesize()
MEBIBYTE = 2**20
# In a separate process, since the tuning cannot be undone.
PREPARED = f"""
import resource
from pathlib import Path
from api.core.process_tuning import trim_malloc, tune_malloc
tune_malloc()
MEBIBYTE = {MEBIBYTE}
def cleared():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt * {PAGE}
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * {PAGE}
"""


def run_program(program: str) -> int:
    process = subprocess.run(
        [sys.executable, "-c", PREPARED + program], check=True, capture_output=True, text=True
    )
    return int(process.stdout)


def test_small_blocks_are_reused() -> None:
    cleared = run_program(
        """
for _ in range(3):
    bytearray(3 * MEBIBYTE)
before = cleared()
bytearray(3 * MEBIBYTE)
print(cleared() - before)
"""
    )
    assert cleared < MEBIBYTE


def test_large_blocks_are_returned_when_freed() -> None:
    returned = run_program(
        """
for _ in range(3):
    bytearray(8 * MEBIBYTE)
block = bytearray(8 * MEBIBYTE)
before = resident()
del block
print(before - resident())
"""
    )
    assert returned > 7 * MEBIBYTE


def test_trim_returns_free_memory_below_used_blocks() -> None:
    returned = run_program(
        """
blocks = [bytearray(MEBIBYTE) for _ in range(40)]
last = bytearray(MEBIBYTE)
del blocks
before = resident()
trim_malloc()
print(before - resident())
"""
    )
    assert returned > 30 * MEBIBYTE
