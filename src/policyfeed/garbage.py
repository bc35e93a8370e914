"""Garbage collection where much stays and more comes and goes: what stays is not looked through for garbage.

The rules alone are tens of thousands of objects; looking at all of them stopped all polls for a tenth of a second. What
a poll makes is gone with it, by reference counts: looking for cycles after every 700 objects found hardly any. What
pages and publishing leave in cycles, and memory in pieces, is given back now and then (``tidy``): without that the main
process grew by some ten MiB a day.
"""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager

_THRESHOLDS = (10_000, 20, 20)
_C = ctypes.CDLL(None)
_TRIM, _TUNE = (getattr(_C, name, None) for name in ("malloc_trim", "mallopt"))
_MOST_ARENAS = -8
"""``M_ARENA_MAX`` of glibc's malloc.h."""


def share() -> None:
    """Let all threads take memory from one arena, where the C library can (glibc): call it before there are any.

    glibc gives each thread its own, which keeps the most that it ever held: what one thread gave back another could not
    use. Threads of Python hardly allocate at the same moment.
    """
    if _TUNE is not None:
        _TUNE(_MOST_ARENAS, 1)


def settle() -> None:
    """What is there now stays, until the process ends."""
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)


def tidy() -> None:
    """Free what only cycles hold, and give free memory back to the system where its C library can (glibc)."""
    gc.collect()
    if _TRIM is not None:
        _TRIM(0)


@contextmanager
def settled() -> Iterator[None]:
    """What is there now stays, until the context ends."""
    before = gc.get_threshold()
    settle()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
