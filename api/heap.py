"""Giving back to the machine the memory that large pictures took."""

import ctypes

# By its number in malloc.h of the GNU C library.
M_MMAP_THRESHOLD = -3
LARGE_BYTES = 2**20


def give_back_large_blocks() -> None:
    """From now on blocks of LARGE_BYTES leave the process as soon as they are free.

    The GNU C library would learn from the first large picture to keep the memory of the next ones
    in heaps, one for each thread, which never shrink. Elsewhere nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
