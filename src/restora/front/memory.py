"""Memory: what the process does with that of arrays it no longer needs."""

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # names of glibc's malloc.h
_LARGEST_KEPT = 1 << 29
_MOST_KEPT = 1 << 30


def keep_freed_memory() -> bool:
    """Let the process keep the memory of freed arrays of up to 512 MB, 1 GB of it at the most, for those that follow.

    The C library of Linux hands each freed array of over 32 MB back to the system, and the system fills the next one
    with zeros, page by page: for the features of a network that can take as long as its convolutions (FFDNet at one
    megapixel on two cores: 1.4 s, and 0.8 s with this). It is a setting of the whole process, which is why the command
    line and the app call this, and a library does not do so by itself.

    Returns:
        Whether it has been done: it is on Linux with glibc, and nowhere else.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(
        mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT) and mallopt(_TRIM_THRESHOLD, _MOST_KEPT)
    )
