"""The engine's clock: what becomes due is run, whatever else becomes due in that moment."""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from apscheduler.events import EVENT_JOB_MAX_INSTANCES, JobEvent

from policyfeed.app import opened
from policyfeed.config import load, shipped
from policyfeed.engine import local
from policyfeed.engine.local import REST, SETTLE, LocalEngine
from policyfeed.store import SourceState, Store, Transaction, sources
from tests.fakes import Item, rss, source
from tests.loopback import client, reply, serving, streams


async def test_no_job_is_dropped_because_it_becomes_due_again_at_once(tmp_path: Path) -> None:
    dropped: list[JobEvent] = []
    config = replace(load(shipped(), {}), sources=())
    async with client() as http, opened(config, tmp_path, client=http, environ={}) as app:
        engine = LocalEngine(app)
        engine._scheduler.add_listener(dropped.append, EVENT_JOB_MAX_INSTANCES)
        await engine.start()
        try:
            for _ in range(50):
                engine.schedule()
                await asyncio.sleep(0)
        finally:
            await engine.stop(5)
    assert dropped == []


async def test_workers_are_there_before_the_first_document(tmp_path: Path) -> None:
    config = replace(load(shipped(), {}), sources=())
    async with client() as http, opened(config, tmp_path, client=http, environ={}) as app:
        engine, before = LocalEngine(app), multiprocessing.active_children()
        await engine.start()
        assert len(multiprocessing.active_children()) == len(before) + config.settings.parsing.workers
        await engine.stop(5)


async def test_publishing_rests_longer_than_it_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = replace(load(shipped(), {}), sources=())
    async with client() as http, opened(config, tmp_path, client=http, environ={}) as app:
        engine = LocalEngine(app)
        began = app.clock()
        monkeypatch.setattr(local, "time", SimpleNamespace(monotonic=iter((100.0, 110.0)).__next__))
        engine._scheduler.start(paused=True)
        await engine._publish()
        engine._publish_within(SETTLE)
        assert engine._scheduler.get_job("publish").next_run_time >= began + REST * timedelta(seconds=10)


async def test_the_database_is_free_while_files_are_made(tmp_path: Path) -> None:
    rendering, stored = threading.Event(), threading.Event()

    def page(_tx: Transaction) -> bytes:
        rendering.set()
        return b"free" if stored.wait(10) else b"taken"

    def store_something(store: Store) -> None:
        with store.write() as tx:
            sources.save(tx, SourceState(id="mcee-press"))
        stored.set()

    config = replace(load(shipped(), {}), sources=())
    pages = {"page.html": page}
    async with client() as http, opened(config, tmp_path, client=http, environ={}, pages=lambda _: pages) as app:
        publishing = asyncio.create_task(app.publish(tmp_path / "out"))
        await asyncio.to_thread(rendering.wait, 10)
        await app.db(store_something, app.store)
        await publishing
    assert (tmp_path / "out" / "page.html").read_bytes() == b"free"


async def test_a_poll_under_way_outlives_a_change_of_the_configuration(tmp_path: Path) -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def slowly(writer: asyncio.StreamWriter) -> None:
        asked.set()
        await answer.wait()
        writer.write(reply(200, rss(Item(number=7)).encode()))

    config = load(shipped(), {})
    async with serving(streams(slowly)) as server, client() as http:
        config = replace(config, sources=(source(url=server.url("/rss.xml"), allow_private=True),))
        async with opened(config, tmp_path, client=http, environ={}) as app:
            polling = asyncio.create_task(app.poll(config.sources[0]))
            await asked.wait()
            await app.configure(replace(config, feeds=()))
            answer.set()
            report = await polling
    assert (report.error, report.new) == (None, 1)
