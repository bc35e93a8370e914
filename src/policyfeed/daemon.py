"""``policyfeed run``: engine and web server in one asyncio loop, signals, systemd's notifications."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import sdnotify
import structlog
import uvicorn

from policyfeed import __version__
from policyfeed.app import App, opened
from policyfeed.config import Config, listening_address, load
from policyfeed.engine.local import LocalEngine
from policyfeed.errors import AddressError, ConfigErrors, PolicyfeedError
from policyfeed.store import working_alone
from policyfeed.web import Connection, Site, answering, board_pages

log = structlog.get_logger(__name__)

GRACE = 8.0
"""Seconds that running work may take to end after SIGTERM; systemd and people expect less than ten."""

DESCRIPTORS = 8192
"""Files and connections at once: enough for 2,000 sources and 1,000 readers."""


async def run(config: Config, data: Path, environ: Mapping[str, str] = os.environ) -> None:
    """Work until SIGTERM or SIGINT. Raises AlreadyRunning, StoreError, OutputError, UsageError, AddressError, Busy."""
    raise_descriptors()
    with working_alone(data):
        listening = listen(*listening_address(environ))
        async with opened(config, data, pages=board_pages, environ=environ) as app:
            await _Daemon(app, listening).run()


def raise_descriptors() -> None:
    """To ``DESCRIPTORS``, where the hard limit lets us: the soft one is for programs that know select(2) alone."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises AddressError."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family, backlog=128)
    except OSError as problem:
        raise AddressError(
            "{host}:{port} cannot be listened on: {problem}.",
            remedy="Choose another address with POLICYFEED_HTTP=host:port.",
            host=host,
            port=port,
            problem=(problem.strerror or str(problem)).partition(" (while ")[0],  # it names the address once more
        ) from problem
    # asyncio sets this only on sockets made with an explicit protocol: without it answers wait for delayed ACKs
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def url(listening: socket.socket) -> str:
    """The address of what listens there, without a final /."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Server(uvicorn.Server):
    """uvicorn without its signal handlers: the daemon has its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def give_up(self) -> None:
        """Close what readers leave open: cancelled instead, it would be logged as faults."""
        for one in self.server_state.connections:
            if isinstance(one, Connection):
                one.transport.abort()


class _Daemon:
    def __init__(self, app: App, listening: socket.socket) -> None:
        self.app = app
        self.listening = listening
        self.site = Site(app)
        self.engine = LocalEngine(app, published=self.site.refresh)
        self.stop = asyncio.Event()
        self.changed = asyncio.Event()
        self.systemd = sdnotify.SystemdNotifier()

    async def run(self) -> None:
        self._signals()
        web = Server(answering(self.site.application))
        serving = asyncio.create_task(web.serve(sockets=[self.listening]))
        await self.engine.start()
        address = url(self.listening)
        log.info("running", version=__version__, address=address, sources=len(self.app.enabled()))
        self.systemd.notify(f"READY=1\nSTATUS={address}")
        beside = [asyncio.create_task(self._watchdog()), asyncio.create_task(each_time(self.changed, self._reload))]
        await self.stop.wait()
        self.systemd.notify("STOPPING=1")
        log.info("stopping")
        for task in beside:
            task.cancel()
        web.should_exit = True
        await self.engine.stop(GRACE)
        await asyncio.wait([serving], timeout=1)
        web.give_up()
        await asyncio.wait([serving], timeout=1)
        log.info("stopped")

    def _signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._terminate)
        loop.add_signal_handler(signal.SIGHUP, self.changed.set)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})  # one that came during the start was kept

    def _terminate(self) -> None:
        if self.stop.is_set():
            log.warning("stopped at once by a second signal")
            os._exit(1)  # what is stored is whole at every moment
        self.stop.set()

    async def _reload(self) -> None:
        """Take over the configuration as it is in the files now; a wrong one is refused and the old one kept."""
        self.systemd.notify("RELOADING=1")
        try:
            await self._take_over()
        except Exception:
            log.exception("configuration not taken over, by an error of policyfeed itself")
        finally:
            self.systemd.notify("READY=1")

    async def _take_over(self) -> None:
        try:
            config = await asyncio.to_thread(load, self.app.config.folder)
        except ConfigErrors as problems:
            for mistake in problems.mistakes:
                log.error("configuration refused, the old one stays", error=str(mistake))
        except PolicyfeedError as problem:
            log.error("configuration refused, the old one stays", error=str(problem))
        else:
            await self.app.configure(config)
            self.engine.schedule()
            await self.site.refresh()
            log.info("configuration taken over", sources=len(self.app.enabled()), channels=len(config.channels))

    async def _watchdog(self) -> None:
        """Feed systemd's watchdog while work gets on: the loop turns, the store answers, no source is long overdue."""
        every = int(os.environ.get("WATCHDOG_USEC", "0")) / 2e6
        if every:
            await beat(partial(self.app.db, self.engine.alive), partial(self.systemd.notify, "WATCHDOG=1"), every)


async def each_time(asked: asyncio.Event, work: Callable[[], Awaitable[None]]) -> None:
    """Work whenever it is asked for, one after the other: what is asked for meanwhile is done once more, last."""
    while True:
        await asked.wait()
        asked.clear()
        await work()


async def beat(alive: Callable[[], Awaitable[bool]], tell: Callable[[], None], every: float) -> None:
    """Tell each time that work gets on; when nobody can say so, that beat is left out and the next one may come."""
    while True:
        try:
            if await alive():
                tell()
        except Exception:
            log.exception("nobody can say whether work gets on")
        await asyncio.sleep(every)
