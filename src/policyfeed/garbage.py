"""Garbage collection where much stays and more comes and goes: what stays is not looked through for garbage.

The rules alone are tens of thousands of objects; looking at all of them stopped all polls for a tenth of a second. What
a poll makes is gone with it, by reference counts: looking for cycles after every 700 objects found hardly any.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_THRESHOLDS = (10_000, 20, 20)


def settle() -> None:
    """What is there now stays, until the process ends."""
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)


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
