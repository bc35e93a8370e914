"""Worker processes that read documents: what a hostile document costs is bounded, and it costs only itself.

A worker that exceeds its time is killed and replaced; one that exceeds its memory fails that document. (feedparser is
quadratic on some inputs: 200,000 attributes on one element would take hours.)

Documents are quick or slow. A poll's document has 0.3 s of the processor's time at first (a busy machine makes
no document a slow one); one that needs more is ended with its process and begun anew among the slow ones, which never
take the last process, and so are that source's documents from then on. What nobody waits for (texts, a look at a
source) is read among them at once. Those that are larger than usual never take the last process either. So any number
of large hostile documents hold up the others for 0.3 s, and small ones for 0.3 s each, once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import resource
import signal
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from policyfeed import faults, garbage
from policyfeed.documents import Reading, read_document
from policyfeed.errors import Busy, HostileDocument, InternalError, PolicyfeedError
from policyfeed.normalize import parsers
from policyfeed.normalize.ministry import Ministries
from policyfeed.processes import ProcessEnded, Processes
from policyfeed.relevance import Judge, Rules
from policyfeed.sources import detailed
from policyfeed.transport.urls import shown
from policyfeed.types import Article, Detail, Document, Source, Verdict

if TYPE_CHECKING:
    from policyfeed.probe import Looked, Survey

QUICK = 0.3
"""Seconds of the processor's time that a poll's document may take at first."""
_MOST_WAIT = 5.0
"""Seconds by the clock for the same, where others use the processor, too."""
_LARGE = 256 * 1024
"""Bytes of a document that is larger than usual: most hostile ones are."""
_MOST_LATE = 3
_TOGETHER, _LEAST = 33.0, 3.0
_SPARE = 1.0
"""Seconds of the processor's time by which a process outlives its limit at most: should nobody be there to end it."""
_MEGABYTE = 1024 * 1024
_Work = Callable[[Source, Any, Document], Any]
_ministries: Ministries | None = None
_judge: Callable[[Article], Verdict] | None = None


class Workers:
    """A pool of ``processes``; one document may take ``seconds`` and ``megabytes``.

    A fork server makes the processes: it does not matter to them what threads this one has by then. With ``rules``
    they judge what they read, so that judging uses all processors.
    """

    def __init__(
        self,
        ministries: Ministries,
        *,
        processes: int,
        seconds: float,
        megabytes: int,
        rules: Rules | None = None,
    ) -> None:
        self._seconds = seconds
        self._most_quick, self._most_slow = 2 * processes, max(1, processes - 1)
        self._quick = asyncio.Semaphore(self._most_quick)
        self._slow = asyncio.Semaphore(self._most_slow)
        self._large = asyncio.Semaphore(self._most_slow)  # of the quick ones
        self._slow_sources = set[str]()
        self._late = 0
        self._processes = Processes(
            processes, _start, ministries, zlib.compress(pickle.dumps(rules)), megabytes * _MEGABYTE,
            preload=["policyfeed.workers", "policyfeed.sources.feed", "policyfeed.probe", *parsers.PRELOAD],
        )  # fmt: skip
        self._before: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the processes now, and not with the first document: that takes them a second or two. Raises Busy."""
        self._processes.start()

    async def read(self, source: Source, cursor: Mapping[str, Any], document: Document) -> Reading:
        """``documents.read_document`` in a worker. Raises what it raises, HostileDocument, Busy and InternalError."""
        reading: Reading
        with _explained(source, document):
            if source.id not in self._slow_sources:
                if (quick := await self._quickly(source, cursor, document)) is not None:
                    return quick
                self._slow_sources.add(source.id)
            with self._among_the_slow(document):
                async with self._slow:
                    seconds = patience(document.took)
                    reading, needed = await self._ask(seconds, _read_timed, source, cursor, document)
                    if needed < QUICK:
                        self._slow_sources.discard(source.id)
                    return reading

    async def _quickly(self, source: Source, cursor: Mapping[str, Any], document: Document) -> Reading | None:
        """None = it takes longer than quick documents do."""
        large = self._large if len(document.body) > _LARGE else contextlib.nullcontext()
        try:
            async with large, self._quick:
                reading: Reading = await self._ask(_MOST_WAIT, _read, source, cursor, document, processor=QUICK)
                return reading
        except TimeoutError:
            return None
        except ProcessEnded as end:
            if end.code != -signal.SIGPROF:
                raise
            return None

    @contextlib.contextmanager
    def _among_the_slow(self, document: Document) -> Iterator[None]:
        """Raises Busy when enough documents of polls are read there or wait: all of them are in memory."""
        if self._late >= _MOST_LATE * self._most_slow:
            raise Busy(
                "Reading {url} takes long, and other documents that do wait already.",
                remedy="It is tried again later, by itself.",
                url=shown(document.url),
            )
        self._late += 1
        try:
            yield
        finally:
            self._late -= 1

    async def read_detail(self, source: Source, document: Document, so_far: Detail | None) -> Detail:
        """The adapter's ``read_detail`` in a worker. Raises what it raises, HostileDocument and InternalError."""
        detail: Detail = await self._leisurely(_read_detail, source, so_far, document)
        return detail

    async def look(self, source: Source, cursor: Mapping[str, Any], document: Document) -> Looked:
        """``probe.look_at`` in a worker: entry by entry. Raises what it raises, HostileDocument and InternalError."""
        looked: Looked = await self._leisurely(_look, source, cursor, document)
        return looked

    async def survey(self, source: Source, document: Document) -> Survey:
        """``probe.survey`` in a worker: what a page offers to read. Raises as ``look`` does."""
        found: Survey = await self._leisurely(_survey, source, None, document)
        return found

    async def _leisurely(self, work: _Work, source: Source, so_far: Any, document: Document) -> Any:
        with _explained(source, document):
            async with self._slow:
                return await self._ask(self._seconds, work, source, so_far, document)

    async def _ask(self, seconds: float, *task: Any, processor: float | None = None) -> Any:
        """``processor``: seconds of its time after which the process ends itself, by default soon after it would be
        ended."""
        seconds = min(seconds, self._seconds)
        return await self._processes.run(seconds, _guarded, processor or seconds + _SPARE, *task)

    def follow(self, old: Workers) -> None:
        """Take over: the old ones end when they have read what is at hand, and with these at the latest."""
        self._before = asyncio.create_task(old.retire())

    async def retire(self) -> None:
        """Stop the processes when everything that is at hand has been read; nothing new may come."""
        try:
            if self._before is not None:
                await self._before
            lanes = ((self._large, self._most_slow), (self._quick, self._most_quick), (self._slow, self._most_slow))
            for lane, places in lanes:
                for _ in range(places):
                    await lane.acquire()
        finally:
            self.close()

    def close(self) -> None:
        """Stop the processes at once: what they were reading is read again at the next poll."""
        if self._before is not None:
            self._before.cancel()
        self._processes.close()


def patience(took: float) -> float:
    """Seconds that a document may be read, whose answer took so long: half a minute and a little for both together."""
    return max(_LEAST, _TOGETHER - took)


@contextlib.contextmanager
def _explained(source: Source, document: Document) -> Iterator[None]:
    try:
        yield
    except InternalError as error:
        faults.note(error.trace, source=source.id)
        raise
    except (TimeoutError, ProcessEnded, MemoryError, RecursionError) as problem:
        raise HostileDocument(
            "Reading {url} took more time or memory than a document may cost ({problem}).",
            remedy="It was left unread. Raise [parsing] in policyfeed.toml if the source is trusted.",
            url=shown(document.url),
            problem=type(problem).__name__,
        ) from problem


def _start(ministries: Ministries, packed: bytes, most: int) -> None:
    """Limit the worker's memory to what it has now and ``most`` bytes more."""
    global _ministries, _judge  # noqa: PLW0603 - a worker process serves one configuration
    _ministries = ministries
    rules: Rules | None = pickle.loads(zlib.decompress(packed))  # noqa: S301 - our own, pickled once for all workers
    _judge = Judge(rules).judge if rules else None
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl+C is meant for the main process, which ends this
    garbage.settle()
    with open("/proc/self/statm") as statm:  # noqa: PTH123 - a kernel file, not a path of ours
        used = int(statm.read().split()[0]) * resource.getpagesize()
    _, allowed = resource.getrlimit(resource.RLIMIT_AS)
    limit = used + most if allowed == resource.RLIM_INFINITY else min(used + most, allowed)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    # Of one hostile document for which memory did not suffice lxml says three million lines there.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)


def _read(source: Source, cursor: Mapping[str, Any], document: Document) -> Reading:
    assert _ministries is not None  # noqa: S101 - the pool starts every worker with _start
    return read_document(source, cursor, document, _ministries, _judge)


def _read_timed(source: Source, cursor: Mapping[str, Any], document: Document) -> tuple[Reading, float]:
    """``_read``, and how many seconds of the processor's time it took."""
    began = time.process_time()
    return _read(source, cursor, document), time.process_time() - began


def _read_detail(source: Source, so_far: Detail | None, document: Document) -> Detail:
    adapter = detailed(source)
    assert adapter is not None  # noqa: S101 - asked for by this very adapter
    return adapter.read_detail(source, document, so_far)


def _look(source: Source, cursor: Mapping[str, Any], document: Document) -> Looked:
    from policyfeed.probe import look_at  # here, as the parsers: polling looks at nothing

    assert _ministries is not None  # noqa: S101 - the pool starts every worker with _start
    return look_at(source, cursor, document, _ministries)


def _survey(source: Source, _nothing: None, document: Document) -> Survey:
    from policyfeed.probe import survey

    return survey(source, document)


def _guarded(processor: float, work: _Work, source: Source, so_far: Any, document: Document) -> Any:
    """What the work gives; SIGPROF ends the process when that takes long: whatever C code it is in then."""
    signal.setitimer(signal.ITIMER_PROF, processor)
    try:
        return work(source, so_far, document)
    except (PolicyfeedError, MemoryError, RecursionError):
        raise
    except Exception as problem:  # whatever a reader stumbles over: it is this document's failure, and not the daemon's
        raise faults.fault(problem, shown(document.url)) from problem
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
