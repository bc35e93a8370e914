"""The composition root: configuration, store, client, workers and judge put together into the three verbs."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

from policyfeed import __version__, documents, garbage, pauses, registry
from policyfeed.channels import Channel
from policyfeed.clock import Clock, now
from policyfeed.config import Config
from policyfeed.deliver import DeliveryReport, deliver
from policyfeed.fill import Filler, FillReport
from policyfeed.harvest import PLACES, Room
from policyfeed.health import watch
from policyfeed.poll import Poller, PollReport, due_time
from policyfeed.publish import Page, PublishReport, publish
from policyfeed.relevance import Judge, Rules
from policyfeed.rhythm import DAY, Bounds, load_prior
from policyfeed.store import SourceState, Store, bodies, outbox, sources
from policyfeed.store.writer import WriterThread
from policyfeed.transport.http import Client, HttpClient, Limits, Manner
from policyfeed.transport.robots import Robots
from policyfeed.transport.turns import Turns
from policyfeed.transport.urls import take_apart
from policyfeed.types import Article, Detail, Document, Notice, Request, Source, Verdict
from policyfeed.workers import Workers

MEGABYTE = 1024 * 1024
LONGEST_DELAY = 60.0
"""Seconds of a Crawl-delay that are kept between two pages of a poll; the polls themselves are minutes apart."""


class Pacer:
    """Holds each channel to its messages a second, and our requests to each site's Crawl-delay."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._free: dict[str, float] = {}
        self._clock, self._sleep = clock, sleep

    @asynccontextmanager
    async def __call__(self, channel: Channel) -> AsyncIterator[None]:
        """A message's turn. The next one counts from its answer: it may have been long on its way, that one is not."""
        apart = 1.0 / channel.per_second
        await self.wait(channel.name, apart)
        try:
            yield
        finally:
            self._free[channel.name] = self._clock() + apart

    async def wait(self, name: str, seconds: float) -> None:
        """Waits for one's turn; the next one with this name comes ``seconds`` after it."""
        moment = self._clock()
        mine = max(moment, self._free.get(name, 0.0))
        self._free[name] = mine + seconds
        if mine > moment:
            await self._sleep(mine - moment)


@dataclass(slots=True)
class App:
    """One data folder at work under one configuration. ``configure`` exchanges the configuration while it runs."""

    config: Config
    store: Store
    client: Client
    workers: Workers
    db: WriterThread
    publisher: Executor
    """A thread of its own: who polls does not wait for the database while feeds are rendered."""
    clock: Clock
    pages: Callable[[Config], Mapping[str, Page]]
    """The further files of the published folder: the static board."""
    network: HttpClient | None = None
    """The client, unless something stands in for it: it follows the configuration."""
    pacer: Pacer = field(default_factory=Pacer)
    turns: Turns = field(default_factory=Turns)
    sources: Mapping[str, Source] = field(init=False)
    """Those of the configuration by id, whether they are on or off."""
    poller: Poller = field(init=False)
    filler: Filler = field(init=False)
    robots: Robots = field(init=False)
    visits: dict[str, asyncio.Future[PollReport]] = field(default_factory=dict)
    """The polls under way, whatever the configuration they began under."""
    stopping: bool = False

    def __post_init__(self) -> None:
        self.robots = Robots(self.client, product="policyfeed", clock=self.clock)
        self._follow()

    async def configure(self, config: Config) -> None:
        """Take over another configuration: the next poll, publish and delivery follow it. Those under way go on."""
        old = self.workers
        self.config, self.workers = config, _workers(config)
        self.workers.follow(old)
        self._follow()
        if self.network is not None:
            await self.network.configure(**_manners(config))

    def _follow(self) -> None:
        """Put together what follows from the configuration."""
        self.sources = {source.id: source for source in self.config.sources}
        judge = _judging(self.config.rules)
        self.poller, self.filler = self._poller(judge), self._filler(judge)

    def close_workers(self) -> None:
        self.workers.close()

    def _poller(self, judge: documents.Judge) -> Poller:
        config = self.config
        return Poller(
            store=self.store,
            db=self.db,
            fetch=self.ask,
            read=self.read,
            judge=judge,
            channels=config.channels,
            clock=self.clock,
            bounds=lambda source: bounds(config, source),
            prior=load_prior(),
            running=self.visits,
            room=Room(PLACES * max(2, config.settings.parsing.workers)),
        )

    def _filler(self, judge: documents.Judge) -> Filler:
        config = self.config
        return Filler(
            store=self.store,
            db=self.db,
            fetch=self.ask_in_turn,
            read=self.read_detail,
            judge=judge,
            channels=config.channels,
            clock=self.clock,
            sources=self.sources,
            looks=[timedelta(hours=one) for one in sorted(config.settings.bodies.look_again_hours)],
        )

    @property
    def feeds_folder(self) -> Path:
        return self.store.folder / "public"

    def enabled(self) -> tuple[Source, ...]:
        return tuple(source for source in self.config.sources if source.enabled)

    def channel(self, name: str) -> Channel | None:
        """The channel as it is configured now; None when it is no more, or off."""
        return next((one for one in self.config.channels if one.name == name), None)

    def states(self) -> dict[str, SourceState]:
        with self.store.read() as tx:
            return sources.every(tx)

    def due(self, moment: datetime) -> list[Source]:
        """The enabled sources whose time has come: those never polled, or polled under another configuration, too."""
        times = self.due_times(moment)
        return [one for one in self.enabled() if one.id in times and times[one.id] <= moment]

    def due_times(self, moment: datetime) -> dict[str, datetime]:
        """Source id → when it is to be polled; enabled sources that are gone are left out."""
        states = self.states()
        times = ((one.id, due_time(one, states.get(one.id), moment, self.poller.bounds(one))) for one in self.enabled())
        return {id_: due for id_, due in times if due is not None}

    async def ask(self, source: Source, request: Request) -> Document:
        """Ask a source's server, as robots.txt allows it where its kind of source obeys that.

        Raises UpstreamError, and Paused for a redirect to a host that is to be left alone.
        """
        how = self._manner(source)
        if registry.load("sources", source.kind).ROBOTS:
            await self.robots.check(request.url, how)
            delay = self.robots.delay(request.url) or 0.0
            await self.pacer.wait(take_apart(request.url).site, min(delay, LONGEST_DELAY))
        return await self.client.fetch(request, how)

    async def ask_in_turn(self, source: Source, request: Request) -> Document:
        """Ask what can wait: after the polls of the host, at a distance, as robots.txt allows.

        Raises Paused, before the turn and after it: a poll that went first may have heard of it. Raises UpstreamError.
        """
        how = self._manner(source)
        await self._spare(request.url)
        await self.robots.check(request.url, how)
        delay = min(self.robots.delay(request.url) or 0.0, LONGEST_DELAY)
        await self.turns.wait(take_apart(request.url).host, max(self.config.settings.bodies.seconds, delay))
        await self._spare(request.url)
        return await self.client.fetch(request, how)

    def _manner(self, source: Source) -> Manner:
        return manner(source, self._spare)

    async def _spare(self, url: str) -> None:
        """Raises Paused when the host of the address is to be left alone."""
        await self.db(pauses.check, self.store, url, self.clock())

    async def read(self, source: Source, cursor: Mapping[str, Any], document: Document) -> documents.Reading:
        """Read in the workers of now: those of when the document was asked for may have retired meanwhile."""
        return await self.workers.read(source, cursor, document)

    async def read_detail(self, source: Source, document: Document, so_far: Detail | None) -> Detail:
        return await self.workers.read_detail(source, document, so_far)

    async def poll(self, source: Source) -> PollReport:
        with self.turns.polling(take_apart(source.url).host):
            return await self.poller.poll(source)

    async def fill(self, host: str) -> FillReport | None:
        """Fill the body that comes first at a host; None = none is due."""
        return await self.filler.fill(host)

    def bodies_due(self) -> dict[str, int]:
        """Host → how many bodies are due there now."""
        with self.store.read() as tx:
            return bodies.due(tx, self.clock())

    def unread_bodies(self) -> dict[str, tuple[int, datetime]]:
        """Host → how many bodies it still owes, and when the next one is due: second looks are left out."""
        with self.store.read() as tx:
            return bodies.unread(tx)

    def next_bodies(self) -> dict[str, datetime]:
        """Host → when its next body is due."""
        with self.store.read() as tx:
            return bodies.next_due(tx)

    async def publish(self, out: Path | None = None) -> PublishReport:
        """Write what changed of the feeds and the board. ``out``: for another web server. Raises OutputError."""
        feeds = self.config.feeds if out in (None, self.feeds_folder) else self.config.feeds_as_files()
        pages = self.pages(self.config)
        work = partial(publish, self.store, feeds, out or self.feeds_folder, self.clock(), pages)
        return await asyncio.get_running_loop().run_in_executor(self.publisher, work)

    async def take_back(self) -> None:
        """Make due again what a process was sending when it ended. Only for the one process that delivers."""
        await self.db(self._release)

    def _release(self) -> None:
        with self.store.write() as tx:
            outbox.release(tx)

    async def deliver(self, channel: Channel) -> DeliveryReport:
        """Tell the channel what it is owed, as long as it is configured like that."""
        return await deliver(
            channel,
            store=self.store,
            db=self.db,
            send=self.send,
            pace=self.pacer,
            clock=self.clock,
            stopping=lambda: self.stopping or self.channel(channel.name) != channel,
        )

    async def watch(self) -> list[Notice]:
        """Look at the sources' health; what is news to the operator is owed to the operator's channels."""
        return await self.db(watch, self.store, self.enabled(), self.config.channels, self.clock())

    async def send(self, request: Request) -> Document:
        """Send a channel's request: its URL is a secret, and what is sent on is not known to have arrived."""
        return await self.client.fetch(request, Manner(secret_url=True, follow=False))


@asynccontextmanager
async def opened(
    config: Config,
    data: Path,
    *,
    pages: Callable[[Config], Mapping[str, Page]] = lambda _config: {},
    client: Client | None = None,
    environ: Mapping[str, str] = os.environ,
    clock: Clock = now,
) -> AsyncIterator[App]:
    """Everything opened, and closed at the end. ``client``: in place of the network. Raises StoreError, OutputError."""
    garbage.share()
    async with AsyncExitStack() as stack:
        if threading.current_thread() is threading.main_thread():
            # who hangs up on us ends a connection, or a pool, and not us; a command that prints afterwards it ends
            stack.callback(signal.signal, signal.SIGPIPE, signal.signal(signal.SIGPIPE, signal.SIG_IGN))
        store = Store(data)
        stack.callback(store.close)
        db = WriterThread(store)
        stack.callback(db.close)
        publisher = stack.enter_context(ThreadPoolExecutor(max_workers=1, thread_name_prefix="publish"))
        network = None
        if client is None:
            client = network = HttpClient(clock=clock, environ=environ, **_manners(config))
            stack.push_async_exit(network)
        app = App(
            config=config,
            store=store,
            client=client,
            network=network,
            workers=_workers(config),
            db=db,
            publisher=publisher,
            clock=clock,
            pages=pages,
        )
        stack.callback(app.close_workers)
        stack.enter_context(garbage.settled())
        yield app


def _manners(config: Config) -> dict[str, Any]:
    """How the client is to behave under a configuration (``HttpClient.configure``)."""
    network, polling = config.settings.network, config.settings.polling
    return {
        "user_agent": f"policyfeed/{__version__} (+{config.settings.service.contact})",
        "limits": Limits(
            seconds=network.seconds,
            wire=int(network.wire_megabytes * MEGABYTE),
            decoded=int(network.decoded_megabytes * MEGABYTE),
        ),
        "allow": network.allow,
        "per_host": polling.per_host,
        "total": polling.at_once,
    }


def _workers(config: Config) -> Workers:
    parsing = config.settings.parsing
    return Workers(
        config.ministries,
        processes=parsing.workers,
        seconds=parsing.seconds,
        megabytes=parsing.megabytes,
        rules=config.rules,
    )


def _judging(rules: Rules) -> documents.Judge:
    """Judges in this process, with what is made at the first call: mostly the workers judge what they read."""

    made = cache(partial(Judge, rules))

    def judge(article: Article) -> Verdict:
        return made().judge(article)

    return judge


def manner(source: Source, check: Callable[[str], Awaitable[None]] | None = None) -> Manner:
    """How the transport is to ask a source's server, and what keeps it from following a redirect."""
    return Manner(
        cookies=source.id if source.cookies or source.warm_up else None,
        warm_up=source.warm_up,
        proxy=source.proxy,
        ca_bundle=source.ca_bundle,
        allow_private=source.allow_private,
        check=check,
    )


def bounds(config: Config, source: Source) -> Bounds:
    """The limits of a source's polls: its own, else the general ones."""
    polling = config.settings.polling
    least = timedelta(minutes=source.least_minutes or polling.least_minutes)
    return Bounds(
        least=least,
        most=max(least, timedelta(minutes=source.most_minutes)) if source.most_minutes else DAY,
        polls_per_day=source.polls_per_day or polling.polls_per_day,
        interval=timedelta(minutes=source.interval_minutes) if source.interval_minutes else None,
    )
