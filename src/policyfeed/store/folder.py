"""The data folder: that it can be written, and that one process alone polls and delivers there."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from policyfeed.errors import AlreadyRunning, OutputError

LOCK = "daemon.lock"
_ours = set[Path]()
"""The locks that this process holds. Its id does not tell: that of a process in another container may be the same."""


@contextmanager
def working_alone(folder: Path, file: str = LOCK) -> Iterator[None]:
    """Hold one of the data folder's locks: only one process polls and delivers. Raises AlreadyRunning, OutputError.

    The kernel frees the lock when the process ends, however it ends.
    """
    make_folder(folder)
    with _lock_file(folder / file) as lock:
        if not _locked(lock):
            raise AlreadyRunning(
                "Another policyfeed (process {pid}) is working on {folder}.",
                remedy="Stop it first, or give this one its own POLICYFEED_DATA folder.",
                pid=_holder(lock),
                folder=folder,
            )
        lock.seek(0)
        lock.truncate()
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        _ours.add(own := (folder / file).resolve())
        try:
            yield
        finally:
            _ours.remove(own)


def at_work(folder: Path) -> str:
    """The process that works alone there; "" where none does, or this one. Raises OutputError."""
    with _lock_file(folder / LOCK) as lock:
        return "" if (folder / LOCK).resolve() in _ours or _locked(lock) else _holder(lock)


def make_folder(folder: Path) -> None:
    """Raises OutputError, also when it is there and cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise _unwritable(folder, problem.strerror) from problem
    if not os.access(folder, os.W_OK):
        raise _unwritable(folder, "permission denied")


def _locked(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _holder(lock: TextIO) -> str:
    lock.seek(0)
    return lock.read().strip() or "?"


def _lock_file(file: Path) -> TextIO:
    try:
        return file.open("a+")
    except OSError as problem:
        raise _unwritable(file.parent, f"{file.name}: {problem.strerror}") from problem


def _unwritable(folder: Path, problem: str | None) -> OutputError:
    return OutputError(
        "The data folder {folder} cannot be written: {problem}.",
        remedy="Give the user that runs policyfeed write access, or name another folder in POLICYFEED_DATA.",
        folder=folder,
        problem=problem,
    )
