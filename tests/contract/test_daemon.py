"""The daemon's parts: where it listens, or why it cannot; its watchdog; its reloads."""

from __future__ import annotations

import asyncio
import signal
import socket
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from policyfeed import daemon
from policyfeed.app import opened
from policyfeed.config import load, shipped
from policyfeed.errors import AddressError, StoreError
from tests.contract.test_workers import HOSTILE, document
from tests.fakes import Item, rss, source


async def test_a_taken_address_is_no_mistake_of_usage(tmp_path: Path) -> None:
    """A supervisor tries again: at the next start the address may be free (exit code 1, not 2)."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(AddressError, match=address):
            await daemon.run(load(shipped(), {}), tmp_path, {"POLICYFEED_HTTP": address})


async def test_a_reload_waits_for_no_document(tmp_path: Path) -> None:
    """One that takes long to read is read to its end beside the new configuration."""
    config = load(shipped(), {})
    async with opened(config, tmp_path, environ={}) as app:
        reading = asyncio.create_task(app.read(source(), {}, document(HOSTILE)))
        await asyncio.sleep(0)
        await app.configure(config)
        assert not reading.done()
        assert (await app.read(source(), {}, document(rss(Item(number=7))))).articles
        reading.cancel()
        await asyncio.wait([reading])


async def test_a_broken_pipe_ends_no_process_that_works(tmp_path: Path) -> None:
    """Commands that only print end by SIGPIPE; connections break, and pipes of processes that were stopped."""
    before = signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        async with opened(load(shipped(), {}), tmp_path, environ={}):
            assert signal.getsignal(signal.SIGPIPE) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGPIPE) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGPIPE, before)


async def test_a_database_that_does_not_answer_once_costs_one_beat() -> None:
    answers: list[bool | Exception] = [True, StoreError("busy"), False, KeyError("odd"), True, True]
    told: list[int] = []
    ended = asyncio.Event()

    async def alive() -> bool:
        if not answers:
            ended.set()
            return False
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with capture_logs() as logged:
        beating = asyncio.create_task(daemon.beat(alive, lambda: told.append(len(answers)), 0))
        await ended.wait()
        beating.cancel()
    assert told == [5, 1, 0]
    assert [line["log_level"] for line in logged] == ["error", "error"]


async def test_reloads_follow_one_another_and_the_last_one_wins() -> None:
    asked, begun, go_on = asyncio.Event(), asyncio.Event(), asyncio.Event()
    files, read, taken_over = ["old"], asyncio.Event(), list[str]()

    async def reload() -> None:
        found = files[-1]
        begun.set()
        await go_on.wait()
        taken_over.append(found)
        if found == "newest":
            read.set()

    reloading = asyncio.create_task(daemon.each_time(asked, reload))
    asked.set()
    await begun.wait()
    for text in ("newer", "newest"):  # two signals while it is at work
        files.append(text)
        asked.set()
    go_on.set()
    await read.wait()
    reloading.cancel()
    assert taken_over == ["old", "newest"]
