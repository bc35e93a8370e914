"""Faults of policyfeed itself: logged with the place where they arose, told as an error of what they befell.

Neither an exception's text nor the values around it are shown: a channel's address or a key may be among them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from traceback import walk_tb

import structlog

from policyfeed.errors import InternalError, PolicyfeedError

log = structlog.get_logger(__name__)


def trace(problem: BaseException) -> str:
    """What kind of exception, and where it arose: the innermost place first."""
    return f"{type(problem).__name__} in {' < '.join(_places(problem)) or '?'}"


def note(where: str, **of: str) -> None:
    """Log a fault: where it arose (``trace``), and of what source or channel."""
    log.error("failed by an error of policyfeed itself", where=where, **of)


def fault(problem: Exception, what: str) -> InternalError:
    """The error that a fault while reading ``what`` becomes."""
    error = InternalError(
        "Reading {what} failed: {problem}.",
        remedy="This is a fault in policyfeed: please report it with the log's line about it.",
        what=what,
        problem=f"{type(problem).__name__} in {next(iter(_places(problem)), '?')}",
    )
    error.trace = trace(problem)
    return error


@contextmanager
def admitted(source: str) -> Iterator[None]:
    """Whatever goes wrong by a fault of ours is logged and raised as InternalError of the source."""
    try:
        yield
    except PolicyfeedError:
        raise
    except Exception as problem:
        note(trace(problem), source=source)
        raise fault(problem, source) from problem


def _places(problem: BaseException) -> list[str]:
    frames = [
        (frame.f_globals.get("__name__", "?"), frame.f_code, line) for frame, line in walk_tb(problem.__traceback__)
    ]
    return [f"{module}:{line} {code.co_qualname}" for module, code, line in reversed(frames)]
