"""Worker processes: a hostile document costs its own poll and nothing else. Real processes, small limits."""

from __future__ import annotations

import asyncio
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from policyfeed.errors import Busy, HostileDocument, InternalError, Unreadable
from policyfeed.store import Store
from policyfeed.types import Document, Source
from policyfeed.workers import Workers, patience
from tests.alerts import Hand
from tests.contract.test_processes import gone
from tests.fakes import MINISTRIES, Item, Server, poller, rss, source

FEED = source()
QUADRATIC = "<rss version='2.0'><channel><item><title>x</title><link " + " ".join(f"a{n}='1'" for n in range(150_000))
HOSTILE = QUADRATIC + "/></item></channel></rss>"


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    made = Workers(MINISTRIES, processes=1, seconds=2, megabytes=256)
    yield made
    made.close()


def document(body: str | bytes) -> Document:
    data = body.encode() if isinstance(body, str) else body
    return Document(url=FEED.url, status=200, body=data, fetched=datetime(2026, 5, 20, tzinfo=UTC))


async def test_a_document_is_read_in_another_process(workers: Workers) -> None:
    reading = await workers.read(FEED, {}, document(rss(Item(number=7))))
    (article,) = reading.articles
    assert (article.title, article.ministry.id) == ("7차 탄소중립 기본계획 확정", "mcee")


async def test_an_error_comes_back_as_it_was_raised(workers: Workers) -> None:
    with pytest.raises(Unreadable, match="HTML page") as caught:
        await workers.read(FEED, {}, document("<!doctype html><html><body>점검 중</body></html>"))
    assert caught.value.facts["url"] == FEED.url
    assert caught.value.remedy


async def test_a_quadratic_document_is_stopped_and_the_next_one_is_read(workers: Workers) -> None:
    with pytest.raises(HostileDocument, match="more time or memory"):
        await workers.read(FEED, {}, document(HOSTILE))
    assert (await workers.read(FEED, {}, document(rss(Item(number=7))))).articles


async def test_sections_without_an_end_are_no_quadratic_document(workers: Workers) -> None:
    body = rss(Item(number=7, text="@")).replace("@", "<![CDATA[<!--" * 20_000)
    assert (await workers.read(FEED, {}, document(body))).articles


def grandchildren() -> set[int]:
    """Processes whose parent's parent is this one: the workers are children of multiprocessing's fork server."""
    stats = [stat.read_text(encoding="utf-8", errors="replace") for stat in Path("/proc").glob("[0-9]*/stat")]
    parents = {int(stat.split()[0]): int(stat.rpartition(")")[2].split()[1]) for stat in stats}
    return {pid for pid, parent in parents.items() if parents.get(parent) == os.getpid()}


async def test_a_worker_that_is_killed_fails_its_document_only() -> None:
    others = grandchildren()
    workers = Workers(MINISTRIES, processes=1, seconds=20, megabytes=256)
    try:
        await workers.read(FEED, {}, document(rss(Item(number=7))))
        (pid,) = grandchildren() - others
        reading = asyncio.create_task(workers.look(FEED, {}, document(HOSTILE)))
        await at_work(pid)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(HostileDocument, match="ProcessEnded"):
            await reading
        assert (await workers.read(FEED, {}, document(rss(Item(number=7))))).articles
    finally:
        workers.close()


async def at_work(pid: int) -> None:
    """Until the process has used some more of the processor's time: it has begun."""
    start = ticks(pid)
    while ticks(pid) < start + 20:  # noqa: ASYNC110 - another process sets no event of ours
        await asyncio.sleep(0)


def ticks(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[11])


async def test_an_unforeseen_failure_of_a_reader_is_that_documents_failure(workers: Workers) -> None:
    with capture_logs() as logged, pytest.raises(InternalError, match="report it") as caught:
        await workers.read(source(kind="no_such_kind"), {}, document(rss(Item(number=7))))
    (line,) = logged
    assert line["source"] == FEED.id
    assert line["where"] == caught.value.trace
    assert line["where"].startswith("KeyError in policyfeed.registry:")
    assert "_guarded" in line["where"]
    assert "no_such_kind" not in f"{line} {caught.value}", "no values: they may be secrets"


async def test_a_hostile_source_fails_and_the_others_are_polled(store: Store, clock: Hand, workers: Workers) -> None:
    server, other = Server(clock), source("other-press", url="https://other.example.go.kr/rss.xml")
    server.at(FEED.url, server.page(HOSTILE))
    server.at(other.url, server.page(rss(Item(number=7))))
    made = poller(store, server, read=workers.read)
    bad, good = await asyncio.gather(made.poll(FEED), made.poll(other))
    assert (bad.state, good.state, good.new) == ("HostileDocument", "ok", 1)


async def test_hostile_sources_leave_a_process_to_the_others() -> None:
    """Three at once would take both processes for as long as documents may take; one of them is read, others wait."""
    workers = Workers(MINISTRIES, processes=2, seconds=300, megabytes=256)
    hostile = [source(f"hostile-{number}") for number in range(3)]
    attacks = [asyncio.create_task(workers.read(one, {}, document(HOSTILE))) for one in hostile]
    try:
        await slow(workers, *hostile)
        assert (await workers.read(FEED, {}, document(rss(Item(number=7))))).articles
        with pytest.raises(Busy, match="wait already"):
            await workers.read(source("hostile-4"), {}, document(HOSTILE))
        assert not any(task.done() for task in attacks)
    finally:
        for task in attacks:
            task.cancel()
        await asyncio.gather(*attacks, return_exceptions=True)
        workers.close()


async def test_large_documents_leave_a_process_to_the_others_from_the_first() -> None:
    """The usual one is read beside the first of three hostile ones, and not after two of them."""
    workers = Workers(MINISTRIES, processes=2, seconds=300, megabytes=256)
    hostile = [source(f"hostile-{number}") for number in range(3)]
    attacks = [asyncio.create_task(workers.read(one, {}, document(HOSTILE))) for one in hostile]
    try:
        await asyncio.sleep(0)
        assert (await workers.read(FEED, {}, document(rss(Item(number=7))))).articles
        assert len(workers._slow_sources) < 2
    finally:
        for task in attacks:
            task.cancel()
        await asyncio.gather(*attacks, return_exceptions=True)
        workers.close()


async def slow(workers: Workers, *those: Source) -> None:
    """Until the documents of those sources are among the slow ones."""
    while not {one.id for one in those} <= workers._slow_sources:  # noqa: ASYNC110 - another thread sets no event of ours
        await asyncio.sleep(0)


async def test_a_source_whose_document_is_quick_again_is_a_quick_one_again() -> None:
    workers = Workers(MINISTRIES, processes=1, seconds=1, megabytes=256)
    try:
        with pytest.raises(HostileDocument, match="more time or memory"):
            await workers.read(FEED, {}, document(HOSTILE))
        assert workers._slow_sources == {FEED.id}
        assert (await workers.read(FEED, {}, document(rss(Item(number=7))))).articles
        assert workers._slow_sources == set()
    finally:
        workers.close()


async def test_a_document_that_waits_for_the_processor_is_no_slow_one() -> None:
    """On a busy machine every document takes its time: what counts is the processor's."""
    others = grandchildren()
    workers = Workers(MINISTRIES, processes=3, seconds=300, megabytes=256)
    tasks = []
    try:
        tasks.append(asyncio.create_task(workers.read(FEED, {}, document(HOSTILE))))
        pid = await first_at_work(others)
        os.kill(pid, signal.SIGSTOP)
        hostile = source("hostile")
        tasks.append(asyncio.create_task(workers.read(hostile, {}, document(HOSTILE))))
        await slow(workers, hostile)
        assert FEED.id not in workers._slow_sources
        os.kill(pid, signal.SIGCONT)
        await slow(workers, FEED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        workers.close()


async def first_at_work(others: set[int]) -> int:
    """The first of the new processes that has begun to read."""
    start = dict[int, int]()
    while True:
        for pid in grandchildren() - others:
            if ticks(pid) >= start.setdefault(pid, ticks(pid)) + 15:
                return pid
        await asyncio.sleep(0)


async def test_a_process_that_is_to_stop_waits_for_no_c_code(workers: Workers) -> None:
    """A handler of Python would run when the C code has ended, and nobody would get work meanwhile."""
    await workers.read(FEED, {}, document(rss(Item(number=7))))
    assert not any(caught(pid) & 1 << signal.SIGTERM - 1 for pid in grandchildren())


def caught(pid: int) -> int:
    """The signals that a process has handlers for, as bits."""
    return int(re.findall(r"SigCgt:\s*(\w+)", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))[0], 16)


@pytest.mark.parametrize(("took", "seconds"), [(0.1, 32.9), (20, 13), (29.5, 3.5), (300, 3)])
def test_an_answer_and_its_reading_have_half_a_minute_together(took: float, seconds: float) -> None:
    assert patience(took) == seconds


async def test_what_libraries_say_of_a_document_fills_no_log(workers: Workers) -> None:
    """For memory that does not suffice lxml says three million lines."""
    await workers.read(FEED, {}, document(rss(Item(number=7))))
    assert {open_file(pid, 2) for pid in grandchildren()} == {os.devnull}


def open_file(pid: int, number: int) -> str:
    return str(Path(f"/proc/{pid}/fd/{number}").readlink())


async def test_workers_retire_when_everything_at_hand_is_read() -> None:
    workers = Workers(MINISTRIES, processes=1, seconds=20, megabytes=256)
    reading = [asyncio.create_task(workers.read(FEED, {}, document(rss(Item(number=one))))) for one in range(5)]
    await asyncio.sleep(0)  # they begin
    await workers.retire()
    assert [len((await one).articles) for one in reading] == [1] * 5


async def test_where_processes_cannot_be_started_that_is_said_and_tried_again() -> None:
    workers = Workers(MINISTRIES, processes=1, seconds=20, megabytes=256)
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, files[1]))  # nothing more can be opened
    try:
        with pytest.raises(Busy, match=r"cannot be started: Too many open files.*open files"):
            workers.start()
        with pytest.raises(Busy, match="cannot be started"):
            await workers.read(FEED, {}, document(rss(Item(number=7))))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, files)
    assert len((await workers.read(FEED, {}, document(rss(Item(number=7))))).articles) == 1
    workers.close()


LITTLE = """
import asyncio, resource
resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
from tests.contract.test_workers import MINISTRIES, FEED, Item, Workers, document, rss

async def read():
    workers = Workers(MINISTRIES, processes=1, seconds=20, megabytes=4096)
    print((await workers.read(FEED, {}, document(rss(Item(number=7))))).articles[0].title)
    workers.close()

asyncio.run(read())
"""


def test_a_process_that_may_have_less_memory_than_a_document_reads_within_that() -> None:
    done = subprocess.run([sys.executable, "-c", LITTLE], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("7차 탄소중립 기본계획 확정\n", 0)


async def test_workers_that_die_while_nothing_is_read_are_replaced() -> None:
    """Whether they had ended before the next document was sent or end with it, and though the fork server did, too.

    The last ones here: the fork server is that of all workers of this process.
    """
    others = grandchildren()
    workers = Workers(MINISTRIES, processes=1, seconds=20, megabytes=256)

    async def next_is_read() -> None:
        reading = await workers.read(FEED, {}, document(rss(Item(number=7))))
        assert [one.title for one in reading.articles] == ["7차 탄소중립 기본계획 확정"]

    try:
        await next_is_read()
        with capture_logs() as logged:
            (pid,) = grandchildren() - others
            os.kill(pid, signal.SIGKILL)
            await next_is_read()
            (pid,) = grandchildren() - others
            os.kill(pid, signal.SIGKILL)
            await gone(pid)
            await asyncio.gather(*(next_is_read() for _ in range(4)))
            (pid,) = grandchildren() - others
            server = parent(pid)
            os.kill(server, signal.SIGKILL)
            await gone(server)
            os.kill(pid, signal.SIGKILL)
            await next_is_read()
        died = "a process died while it had nothing to do: another one takes its place"
        assert [line["event"] for line in logged] == [died] * 3
    finally:
        workers.close()


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])


async def test_a_busy_process_ends_in_time_though_the_fork_server_did_not_live_to_see_it() -> None:
    """Such a process can be ended by nobody else."""
    others = grandchildren()
    workers = Workers(MINISTRIES, processes=1, seconds=1, megabytes=256)
    try:
        await workers.read(FEED, {}, document(rss(Item(number=7))))
        (pid,) = grandchildren() - others
        server = parent(pid)
        looking = asyncio.create_task(workers.look(FEED, {}, document(HOSTILE)))
        await at_work(pid)
        os.kill(server, signal.SIGKILL)
        await gone(server)
        with pytest.raises(HostileDocument):
            await looking
        await gone(pid)
    finally:
        workers.close()
