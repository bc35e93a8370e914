"""Sources that read what was made for readers ask robots.txt first; feeds do not (docs/fetching.md, row 25)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from policyfeed.app import LONGEST_DELAY, App, Pacer, opened
from policyfeed.config import load, shipped
from policyfeed.errors import Forbidden, Unreachable
from policyfeed.poll import HELD
from policyfeed.types import Request, Source
from tests.loopback import NOW, Reply, Server, client, reply, serving

BOARD = "<table><tr><td><a href='/view?no=1'>탄소중립 이행 점검 결과</a></td></tr></table>".encode()


@asynccontextmanager
async def _app(data: Path, routes: dict[str, Reply]) -> AsyncIterator[tuple[App, Server]]:
    async with serving(routes) as server, client() as http:
        config = replace(load(shipped(), {}), sources=())
        async with opened(config, data, client=http, environ={}, clock=lambda: NOW) as app:
            yield app, server


def _source(kind: str, server: Server) -> Source:
    return Source(id="board", kind=kind, url=server.url("/list"), allow_private=True)


@pytest.mark.parametrize(("kind", "asks"), [("page", True), ("json", True), ("korea_kr", True), ("feed", False)])
async def test_boards_ask_once_and_feeds_never(kind: str, asks: bool, tmp_path: Path) -> None:
    async with _app(tmp_path, {"/list": reply(200, BOARD)}) as (app, server):
        source = _source(kind, server)
        for _ in range(2):
            assert (await app.ask(source, Request(url=source.url))).body == BOARD
        assert [asked.target for asked in server.asked] == ["/robots.txt"] * asks + ["/list", "/list"]


async def test_what_robots_forbids_is_not_asked(tmp_path: Path) -> None:
    rules = reply(200, b"User-agent: *\nDisallow: /list\n")
    async with _app(tmp_path, {"/robots.txt": rules, "/list": reply(200, BOARD)}) as (app, server):
        source = _source("page", server)
        with pytest.raises(Forbidden, match=r"robots\.txt"):
            await app.ask(source, Request(url=source.url))
        assert [asked.target for asked in server.asked] == ["/robots.txt"]


async def test_a_429_for_robots_pauses_the_host_for_pages_and_feeds(tmp_path: Path) -> None:
    refusal = reply(429, b"", ("Retry-After", "7200"))
    async with _app(tmp_path, {"/robots.txt": refusal, "/list": reply(200, BOARD)}) as (app, server):
        report = await app.poll(_source("page", server))
        assert report.due is not None
        assert report.due - NOW >= timedelta(hours=2)
        held = await app.poll(replace(_source("feed", server), id="feed"))
        assert (report.state, held.state) == ("Refused", HELD)
        assert [asked.target for asked in server.asked] == ["/robots.txt"]


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    """The connection is closed without an answer."""


async def test_a_dead_site_is_called_dead_not_forbidden_and_is_open_once_it_lives(tmp_path: Path) -> None:
    routes: dict[str, Reply] = {"/robots.txt": _hang_up, "/list": reply(200, BOARD)}
    async with _app(tmp_path, routes) as (app, server):
        source = _source("page", server)
        with pytest.raises(Unreachable):
            await app.ask(source, Request(url=source.url))
        del routes["/robots.txt"]
        assert (await app.ask(source, Request(url=source.url))).status == 200


@pytest.mark.parametrize(("given", "waits"), [(b"20", [20, 40]), (b"5000", [LONGEST_DELAY, 2 * LONGEST_DELAY])])
async def test_a_crawl_delay_is_kept_between_the_pages(given: bytes, waits: list[float], tmp_path: Path) -> None:
    waited = list[float]()

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    routes: dict[str, Reply] = {"/robots.txt": reply(200, b"User-agent: *\nCrawl-delay: " + given), "/list": reply()}
    async with _app(tmp_path, routes) as (app, server):
        app.pacer, source = Pacer(clock=lambda: 0.0, sleep=sleep), _source("page", server)
        for _ in range(3):
            await app.ask(source, Request(url=source.url))
    assert waited == waits
