"""Worker processes that read documents: what a hostile document costs is bounded, and it costs only itself.

A worker that exceeds its time is killed and replaced; one that exceeds its memory fails that document. (feedparser is
quadratic on some inputs: 200,000 attributes on one element would take hours.)
"""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
from collections.abc import Mapping
from concurrent.futures import TimeoutError as TimedOut
from typing import Any

from pebble import ProcessExpired, ProcessPool

from policyfeed.errors import HostileDocument, PolicyfeedError, Unreadable
from policyfeed.harvest import Reading, read_document
from policyfeed.normalize.ministry import Ministries
from policyfeed.types import Document, Ministry, Source

_MEGABYTE = 1024 * 1024
_ministries: Ministries | None = None


class Workers:
    """A pool of ``processes``; one document may take ``seconds`` and ``megabytes``. Made before threads are started."""

    def __init__(self, bodies: tuple[Ministry, ...], *, processes: int, seconds: float, megabytes: int) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["policyfeed.workers"])
        self._seconds = seconds
        self._pool = ProcessPool(
            max_workers=processes, context=context, initializer=_start, initargs=(bodies, megabytes * _MEGABYTE)
        )

    async def read(self, source: Source, cursor: Mapping[str, Any], document: Document) -> Reading:
        """``poll.read_document`` in a worker. Raises what it raises, and HostileDocument."""
        try:
            future = self._pool.schedule(_read, args=(source, cursor, document), timeout=self._seconds)
            reading: Reading = await asyncio.wrap_future(future)
        except (TimedOut, ProcessExpired, MemoryError, RecursionError) as problem:
            raise HostileDocument(
                "Reading {url} took more time or memory than a document may cost ({problem}).",
                remedy="It was left unread. Raise [parsing] in policyfeed.toml if the source is trusted.",
                url=document.url,
                problem=type(problem).__name__,
            ) from problem
        return reading

    def close(self) -> None:
        """Stop the processes at once: what they were reading is read again at the next poll."""
        self._pool.stop()  # type: ignore[no-untyped-call]  # pebble leaves it without annotations
        self._pool.join()


def _start(bodies: tuple[Ministry, ...], most: int) -> None:
    """Limit the worker's memory to what it has now and ``most`` bytes more."""
    global _ministries  # noqa: PLW0603 - a worker process serves one configuration
    _ministries = Ministries(bodies)
    with open("/proc/self/statm") as statm:  # noqa: PTH123 - a kernel file, not a path of ours
        used = int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + most, used + most))


def _read(source: Source, cursor: Mapping[str, Any], document: Document) -> Reading:
    assert _ministries is not None  # noqa: S101 - the pool starts every worker with _start
    try:
        return read_document(source, cursor, document, _ministries)
    except (PolicyfeedError, MemoryError, RecursionError):
        raise
    except Exception as problem:  # whatever a reader stumbles over: it is this document's failure, and not the daemon's
        raise Unreadable(
            "Reading {url} failed: {problem}.",
            remedy="This is a fault in policyfeed: please report it with the document.",
            url=document.url,
            problem=f"{type(problem).__name__}: {problem}"[:200],
        ) from problem
