"""``policyfeed demo``: the whole of policyfeed in an example world, without any network.

The shipped configuration polls invented releases twice: what is there at first contact is stored quietly, what comes
out afterwards is announced to a messenger that only writes it down.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from socket import socket
from typing import Any

import uvicorn

from policyfeed.app import App, opened
from policyfeed.clock import now
from policyfeed.config import load, shipped
from policyfeed.demo.world import SLACK, World
from policyfeed.poll import PollReport
from policyfeed.store import articles
from policyfeed.web import Site, answering, board_pages


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoReport:
    """What the example world came to: reports of both rounds, and the messages told."""

    first: tuple[PollReport, ...]
    second: tuple[PollReport, ...]
    told: tuple[dict[str, Any], ...]
    articles: int
    kept: int


async def demo(data: Path, own: str, *, shown: Callable[[DemoReport], None], listening: socket | None = None) -> None:
    """Poll, judge, publish and tell; hand the report to ``shown``; then serve the pages until interrupted, if there is
    a socket that listens. ``own``: the address of the pages.
    """
    environ = {key: value for key, value in os.environ.items() if not key.startswith("POLICYFEED_")}
    config = load(shipped(), environ | {"POLICYFEED_SLACK_URL": SLACK})
    world = World.load(config.ministries, config.sources, now)
    config = replace(
        config,
        address=own,
        sources=tuple(world.sources),
        channels=tuple(replace(channel, per_second=50.0) for channel in config.channels),
        feeds=tuple(replace(feed, base_url=own) for feed in config.feeds),
    )
    async with opened(config, data, pages=board_pages, client=world) as app:
        first = await _round(app)
        world.reveal()
        second = await _round(app)
        await app.publish()
        for channel in config.channels:
            await app.deliver(channel)
        with app.store.read() as tx:
            counts = articles.count(tx)
        shown(DemoReport(first=first, second=second, told=tuple(world.told), **counts))
        if listening is not None:
            await _serve(app, listening)


async def _round(app: App) -> tuple[PollReport, ...]:
    return tuple([await app.poll(source) for source in app.enabled()])


async def _serve(app: App, listening: socket) -> None:
    await uvicorn.Server(answering(Site(app).application)).serve(sockets=[listening])
