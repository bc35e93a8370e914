"""How bodies are asked for: as robots.txt allows, at a distance, after polls; by the daemon and by the command."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from policyfeed import clock as clocks
from policyfeed.app import LONGEST_DELAY, App, opened
from policyfeed.cli.fill import filled
from policyfeed.clock import Clock
from policyfeed.config import load, shipped
from policyfeed.config.models import Bodies
from policyfeed.engine.local import LocalEngine
from policyfeed.errors import Forbidden, told
from policyfeed.i18n import translator
from policyfeed.poll import HELD
from policyfeed.selection import Selection
from policyfeed.store import articles
from policyfeed.store.bodies import BodyState
from policyfeed.transport.turns import Turns
from policyfeed.types import Request, Source
from tests.loopback import Reply, Server, client, reply, serving


def listing(*numbers: int) -> bytes:
    """A board with these releases."""
    rows = "".join(
        f"<tr><td><a href='/view/{number}'>{number}번 하천 유역 시범사업 선정</a></td><td>2026.05.20</td></tr>"
        for number in numbers
    )
    return reply(200, f"<html><body><table>{rows}</table></body></html>".encode())


LIST = listing(1, 2)
TEXT = "온실가스를 줄인다."
_VIEW = reply(200, f"<html><body><div class='board_view'><p>{TEXT}</p></div></body></html>".encode())
VIEWS: dict[str, Reply] = {"/view/1": _VIEW, "/view/2": _VIEW}
MORE: dict[str, Reply] = {f"/view/{number}": _VIEW for number in range(3, 7)}


@asynccontextmanager
async def working(
    data: Path, routes: dict[str, Reply], seconds: float = 0
) -> AsyncIterator[tuple[App, Server, Source]]:
    async with serving(routes) as server, client() as http:
        options = {"item": "tr", "title": "a", "link": "a", "date": "td:nth-child(2)", "detail_body": "div.board_view"}
        board = Source(id="board", kind="page", url=server.url("/list"), allow_private=True, options=options)
        config = load(shipped(), {})
        settings = config.settings.model_copy(update={"bodies": Bodies(seconds=seconds)})
        config = replace(config, sources=(board,), settings=settings)
        async with opened(config, data, client=http, environ={}, clock=clocks.now) as app:
            yield app, server, board


def texts(app: App) -> list[str]:
    with app.store.read() as tx:
        return [one.article.content for one in articles.newest(tx, Selection(kept_only=False), 10)]


async def test_the_daemon_fills_bodies_and_publishes_what_they_change(tmp_path: Path) -> None:
    filled = asyncio.Event()

    async with working(tmp_path, {"/list": LIST, **VIEWS}) as (app, server, _):

        async def published() -> None:  # once more for each body that came while feeds were written
            if (app.feeds_folder / "feeds" / "all.atom").read_text(encoding="utf-8").count(TEXT) >= len(VIEWS):
                filled.set()

        engine = LocalEngine(app, published=published, texts=timedelta(0))
        await engine.start()
        try:
            async with asyncio.timeout(60):
                await filled.wait()
        finally:
            await engine.stop(5)
        assert all(TEXT in text for text in texts(app))
    targets = [asked.target for asked in server.asked]
    assert targets[:2] == ["/robots.txt", "/list"]
    assert sorted(targets[2:]) == ["/view/1", "/view/2"]


async def test_requests_for_bodies_keep_their_distance(tmp_path: Path) -> None:
    slept: list[float] = []
    now = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds
        slept.append(seconds)

    async with working(tmp_path, {"/list": LIST, **VIEWS}, seconds=3) as (app, _, board):
        app.turns = Turns(lambda: now, sleep)
        await app.poll(board)
        for _ in range(2):
            report = await app.fill("127.0.0.1")
            assert report is not None
            assert report.state is BodyState.DONE
    assert slept == [3]


@pytest.mark.parametrize(("asked_for", "kept"), [(20, 20.0), (1, 3.0), (5_000, LONGEST_DELAY)])
async def test_a_longer_crawl_delay_counts(tmp_path: Path, asked_for: int, kept: float) -> None:
    slept: list[float] = []
    now = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds
        slept.append(seconds)

    robots = reply(200, f"User-agent: *\nCrawl-delay: {asked_for}\n".encode())
    async with working(tmp_path, {"/robots.txt": robots, **VIEWS}, seconds=3) as (app, server, board):
        app.turns = Turns(lambda: now, sleep)
        for _ in range(2):
            await app.ask_in_turn(board, Request(url=server.url("/view/1")))
    assert slept == [kept]


async def test_pages_that_robots_forbids_are_not_asked_for(tmp_path: Path) -> None:
    robots = reply(200, b"User-agent: *\nDisallow: /view\n")
    async with working(tmp_path, {"/robots.txt": robots, "/list": LIST, **VIEWS}) as (app, server, board):
        await app.poll(board)
        report = await app.fill("127.0.0.1")
        assert report is not None
        assert (report.state, "robots.txt" in report.error) == (BodyState.PENDING, True)
        with pytest.raises(Forbidden):
            await app.ask_in_turn(board, Request(url=server.url("/view/1")))
    assert [asked.target for asked in server.asked] == ["/robots.txt", "/list"]


async def test_a_poll_goes_before_bodies(tmp_path: Path) -> None:
    begun, held = asyncio.Event(), asyncio.Event()

    async def slow(_writer: asyncio.StreamWriter) -> None:
        begun.set()
        await held.wait()

    async with working(tmp_path, {"/list": slow, **VIEWS}) as (app, server, board):
        polling = asyncio.create_task(app.poll(board))
        await begun.wait()
        body = asyncio.create_task(app.ask_in_turn(board, Request(url=server.url("/view/1"))))
        done, _ = await asyncio.wait([body], timeout=0.2)
        assert not done
        assert "/view/1" not in [asked.target for asked in server.asked]
        held.set()
        await polling
        assert (await body).status == 200


async def test_a_host_that_said_429_to_a_poll_is_asked_for_no_bodies(tmp_path: Path) -> None:
    refusal = reply(429, b"", ("Retry-After", "3600"))
    routes: dict[str, Reply] = {"/list": LIST, **VIEWS}
    async with working(tmp_path, routes) as (app, server, board):
        await app.poll(board)
        routes["/list"] = refusal
        await app.poll(board)
        asked = len(server.asked)
        assert await filled(app, wait=False, quiet=True) == []
        assert len(server.asked) == asked
        assert app.next_bodies()["127.0.0.1"] - app.clock() > timedelta(minutes=59)
        app.clock = partial(_later, app.clock, 3600)
        app.filler = replace(app.filler, clock=app.clock)
        reports = await filled(app, wait=False, quiet=True)
        assert [one.state for one in reports] == [BodyState.DONE] * 2


async def test_a_body_that_waited_for_a_poll_is_not_asked_for_when_that_hears_429(tmp_path: Path) -> None:
    begun, held = asyncio.Event(), asyncio.Event()

    async def slow(writer: asyncio.StreamWriter) -> None:
        begun.set()
        await held.wait()
        writer.write(reply(429))

    routes: dict[str, Reply] = {"/list": LIST, **VIEWS}
    async with working(tmp_path, routes) as (app, server, board):
        await app.poll(board)
        routes["/list"] = slow
        polling = asyncio.create_task(app.poll(board))
        await begun.wait()
        body = asyncio.create_task(app.fill("127.0.0.1"))
        done, _ = await asyncio.wait([body], timeout=0.2)
        assert not done
        held.set()
        assert (await polling).state == "Refused"
        assert await body is None
    assert not [asked for asked in server.asked if asked.target.startswith("/view")]


async def test_a_429_to_a_body_pauses_the_host_for_polls(tmp_path: Path) -> None:
    refusal = reply(429, b"", ("Retry-After", "3600"))
    async with working(tmp_path, {"/list": LIST, **dict.fromkeys(VIEWS, refusal)}) as (app, server, board):
        await app.poll(board)
        report = await app.fill("127.0.0.1")
        assert report is not None
        assert report.host_failed
        asked = len(server.asked)
        held = await app.poll(replace(board, id="sister"))
        assert (held.state, len(server.asked)) == (HELD, asked)
        assert held.due is not None
        assert held.due - app.clock() > timedelta(minutes=59)


async def test_bodies_do_not_hold_up_a_stop(tmp_path: Path) -> None:
    begun, held = asyncio.Event(), asyncio.Event()

    async def slow(_writer: asyncio.StreamWriter) -> None:
        begun.set()
        await held.wait()

    async with working(tmp_path, {"/list": LIST, "/view/1": slow, "/view/2": slow}) as (app, _, _board):
        engine = LocalEngine(app)
        await engine.start()
        async with asyncio.timeout(60):
            await begun.wait()
        stopping = asyncio.create_task(engine.stop(3600))
        done, _ = await asyncio.wait([stopping], timeout=10)  # the request itself would end after 20
        held.set()
        await stopping
        assert done
        assert texts(app) == ["", ""]


async def test_filling_to_the_end_waits_for_what_a_host_puts_off(tmp_path: Path) -> None:
    """The page fails at first: by itself for a day, but here the clock runs as fast as anybody sleeps."""
    answers = iter([reply(404), reply(404), _VIEW])
    slept: list[float] = []

    async def now_and_then(writer: asyncio.StreamWriter) -> None:
        writer.write(next(answers))

    async with working(tmp_path, {"/list": LIST, **VIEWS, "/view/1": now_and_then}) as (app, _, board):

        async def sleep(seconds: float) -> None:
            slept.append(seconds)
            app.clock = partial(_later, app.clock, seconds)
            app.filler = replace(app.filler, clock=app.clock)

        await app.poll(board)
        reports = await filled(app, wait=True, quiet=True, sleep=sleep)
        assert app.unread_bodies() == {}
    assert [round(seconds, -1) for seconds in slept] == [600, 3600]
    assert [one.state for one in reports].count(BodyState.DONE) == 2


@pytest.mark.parametrize(("limit", "done"), [(0, 5), (3, 3), (4, 4), (9, 5)])
async def test_every_text_that_is_due_is_filled_however_many_hosts_there_are(
    tmp_path: Path, limit: int, done: int
) -> None:
    async with working(tmp_path, {"/few": listing(1), "/many": listing(2, 3, 4, 5), **VIEWS, **MORE}) as (
        app,
        server,
        board,
    ):
        for name in ("few", "many"):
            await app.poll(replace(board, url=server.url(f"/{name}", f"{name}.example.go.kr")))
        reports = await filled(app, limit, wait=False, quiet=True)
        assert [one.state for one in reports] == [BodyState.DONE] * done
        assert sum(app.bodies_due().values()) == 5 - done


async def test_what_a_host_that_fails_leaves_of_the_limit_is_the_others(tmp_path: Path) -> None:
    broken = dict.fromkeys(VIEWS, reply(503))
    routes = {"/few": listing(1, 2), "/many": listing(3, 4, 5, 6), **broken, **MORE}
    async with working(tmp_path, routes) as (app, server, board):
        for name in ("few", "many"):
            await app.poll(replace(board, url=server.url(f"/{name}", f"{name}.example.go.kr")))
        reports = await filled(app, 4, wait=False, quiet=True)
        assert sorted(one.state for one in reports) == [*[BodyState.DONE] * 3, BodyState.PENDING]
        (why,) = [one.error for one in reports if one.error]
        assert told(why).endswith("answered 503.")
        assert told(why, translator("ko")).endswith("서버가 503 응답을 보냈습니다.")


def _later(clock: Clock, seconds: float) -> datetime:
    return clock() + timedelta(seconds=seconds)


async def test_what_is_still_wanted_is_known_by_host(tmp_path: Path) -> None:
    async with working(tmp_path, {"/list": LIST, **VIEWS}) as (app, _, board):
        await app.poll(board)
        assert app.bodies_due() == {"127.0.0.1": 2}
        await app.fill("127.0.0.1")
        assert app.bodies_due() == {"127.0.0.1": 1}
        assert {host: count for host, (count, _) in app.unread_bodies().items()} == {"127.0.0.1": 1}
        await app.fill("127.0.0.1")
        assert (app.bodies_due(), app.next_bodies()) == ({}, {})
