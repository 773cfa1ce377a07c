"""The C library's heaps: what photographs take in turn stays, what a flood left goes back."""

import ctypes

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
_LIBRARY = ctypes.CDLL(None)


def settle() -> None:
    """From now on blocks of LARGE_BYTES leave the process as soon as they are free, and smaller
    ones stay in HEAPS for all threads, which keep KEPT_BYTES free at their ends.

    By itself the library makes a heap for nearly every thread, and keeps ever larger blocks in each
    as soon as it has seen one. With less at their ends the kernel has to clear the memory of every
    photograph anew: a tenth of the time of one of 640 x 480.
    """
    if mallopt := getattr(_LIBRARY, "mallopt", None):
        mallopt(M_ARENA_MAX, HEAPS)
        mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
        mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)


def give_back() -> None:
    """What is free in the heaps goes back to the machine now, from between what is in use, too."""
    if malloc_trim := getattr(_LIBRARY, "malloc_trim", None):
        malloc_trim(0)
