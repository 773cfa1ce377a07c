"""Threads of NumPy and heaps of the C library, as suits photographs that come side by side."""

import ctypes
import os

# OpenBLAS reads it when NumPy is imported. On all cores, the few products of each photograph would
# wait for each other, and for the cores on which others are graded.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
# By their numbers in malloc.h of the GNU C library; elsewhere nothing here does anything.
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
M_ARENA_MAX = -8
# A picture of a million pixels, of four bytes each in Pillow.
LARGE_BYTES = 4 * 2**20
# In proportion, as the library has them by itself.
KEPT_BYTES = 2 * LARGE_BYTES
# With one for each thread, a flood of photographs leaves more in them than can be given back.
HEAPS = 2


def keep_to_one_thread() -> None:
    """For this process, where NumPy is not imported yet, and for those that it starts.

    What the environment says otherwise stays.
    """
    for name, value in ONE_THREAD.items():
        os.environ.setdefault(name, value)


def tune_malloc() -> None:
    """From now on blocks of LARGE_BYTES leave the process as soon as they are free, and smaller
    ones stay in HEAPS for all threads, which keep KEPT_BYTES free at their ends.

    By itself the library makes a heap for nearly every thread, and keeps ever larger blocks in each
    as soon as it has seen one. With less at their ends the kernel has to clear the memory of every
    photograph anew: a tenth of the time of one of 640 x 480.
    """
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
        mallopt(M_ARENA_MAX, HEAPS)
        mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
        mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)


def trim_malloc() -> None:
    """What is free in the heaps goes back to the machine now, from between what is in use, too."""
    if malloc_trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        malloc_trim(0)
