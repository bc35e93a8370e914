"""A host that said 429 is left alone by who is redirected to it, too (docs/fetching.md, rows 14, 15 and 28)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from policyfeed.app import opened
from policyfeed.clock import KST
from policyfeed.config import load, shipped
from policyfeed.poll import HELD
from policyfeed.types import Source
from tests.fakes import Item, rss
from tests.loopback import NOW, Reply, client, redirect, reply, serving

DAY = timedelta(days=1)


async def test_no_redirect_leads_to_a_host_that_wants_a_pause(tmp_path: Path) -> None:
    routes: dict[str, Reply] = {"/feed": reply(429, b"", ("Retry-After", "7200"))}
    async with serving(routes) as server, client() as http:
        routes["/a"] = routes["/b"] = redirect(server.url("/feed", "elsewhere.example.go.kr"))
        one, other = (
            Source(id=name, kind="feed", url=server.url(f"/{name}", "www.example.go.kr"), allow_private=True)
            for name in ("a", "b")
        )
        config = replace(load(shipped(), {}), sources=(one, other))
        moment = NOW
        async with opened(config, tmp_path, client=http, environ={}, clock=lambda: moment) as app:
            assert (await app.poll(one)).state == "Refused"
            held = [await app.poll(one), await app.poll(other)]
            assert [(report.state, report.requests) for report in held] == [(HELD, 1), (HELD, 1)]
            assert [asked.target for asked in server.asked] == ["/a", "/feed", "/a", "/b"]
            assert all(report.due and report.due - NOW >= timedelta(hours=2) for report in held)
            routes["/feed"] = reply(200, rss(Item(number=1)).encode())
            moment = NOW + DAY
            assert [(await app.poll(source)).state for source in (one, other)] == ["ok", "ok"]


async def test_who_is_redirected_to_a_pause_has_asked_and_keeps_its_own_distance(tmp_path: Path) -> None:
    """The pause may be over in a minute: neither the least interval nor the day's budget is."""
    routes: dict[str, Reply] = {"/feed": reply(429, b"", ("Retry-After", "60"))}
    async with serving(routes) as server, client() as http:
        routes["/a"] = redirect(server.url("/feed", "elsewhere.example.go.kr"))
        often = Source(id="a", kind="feed", url=server.url("/a", "www.example.go.kr"), allow_private=True)
        rare, told = replace(often, id="b", polls_per_day=1), replace(often, id="c")
        config = replace(load(shipped(), {}), sources=(often, rare, told))
        async with opened(config, tmp_path, client=http, environ={}, clock=lambda: NOW) as app:
            assert (await app.poll(told)).state == "Refused"
            soon, spent = await app.poll(often), await app.poll(rare)
            assert [(report.state, report.requests) for report in (soon, spent)] == [(HELD, 1), (HELD, 1)]
            assert soon.due is not None
            assert soon.due - NOW >= timedelta(minutes=5)
            assert spent.due is not None
            assert spent.due.astimezone(KST).date() > NOW.astimezone(KST).date()
