"""Process-wide tuning of the API: OpenBLAS threads, glibc malloc, and garbage collection.

With malloc tuned and trimmed, a service under load has 187 MB resident instead of 214 (224 with
photos of 640 x 480; docs/log/inference.md).
"""

import ctypes
import gc
import os

# Read when NumPy is imported. With more threads, the small products of concurrent predictions would
# compete for the cores.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
# From malloc.h of glibc; with another C library the functions below do nothing.
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
M_ARENA_MAX = -8
# An image of a million pixels, four bytes each in Pillow.
MMAP_BYTES = 4 * 2**20
# Twice as much, the ratio of glibc's defaults.
TRIM_BYTES = 2 * MMAP_BYTES
# With one arena per thread, peak load leaves more memory in them than can be trimmed.
ARENAS = 2


def keep_to_one_thread() -> None:
    """Limit this process, before it imports NumPy, and its children. Existing settings are kept."""
    for name, value in ONE_THREAD.items():
        os.environ.setdefault(name, value)


def tune_malloc() -> None:
    """Return freed blocks of MMAP_BYTES to the system at once; share ARENAS arenas among threads.

    By default glibc makes an arena for nearly every thread and raises both thresholds as it sees
    larger blocks. With a smaller TRIM_BYTES the kernel clears fresh memory for every image, a tenth
    of the time of a 640 x 480 image.
    """
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
        mallopt(M_ARENA_MAX, ARENAS)
        mallopt(M_MMAP_THRESHOLD, MMAP_BYTES)
        mallopt(M_TRIM_THRESHOLD, TRIM_BYTES)


def trim_malloc() -> None:
    """Return all free memory to the system now, including free pages between used ones."""
    if malloc_trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        malloc_trim(0)


def resume_garbage_collection() -> None:
    """If `gc.disable` was called for the start-up: collect garbage from now on, but never scan
    the objects made so far.
    """
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
