"""The one HTTP client: polite, bounded, guarded. Sources, robots.txt and channels all go out through it.

It is httpx with a transport of our own (``engine``), and without httpx's client: what that would do by itself is done
here, under rules: redirects, cookies, decompression, proxies of the environment, headers. The path goes out byte for
byte, in the request extension ``target``.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from typing import Protocol, Self

import httpcore
import httpx

from policyfeed.clock import Clock
from policyfeed.errors import Busy, ConfigError, Misconfigured, TooLarge, Truncated, Unreachable, Unreadable
from policyfeed.transport.cookies import Cookies
from policyfeed.transport.decode import decoder
from policyfeed.transport.engine import Transport
from policyfeed.transport.failures import explained
from policyfeed.transport.guard import Resolver, SystemResolver, allowed, check_host
from policyfeed.transport.lanes import Lanes
from policyfeed.transport.load import Load
from policyfeed.transport.pools import Pools, Route
from policyfeed.transport.proxies import from_environment, proxy
from policyfeed.transport.redirects import PERMANENT, following
from policyfeed.transport.urls import Address, redacted, shown, take_apart
from policyfeed.transport.wire import METER, Meter
from policyfeed.types import Document, Request

LARGEST = 3
"""So many answers of the largest size may be in memory at once."""
ACCEPT = "application/atom+xml, application/rss+xml, application/xml;q=0.9, text/html;q=0.8, */*;q=0.5"

# At DEBUG and INFO these write whole URLs and headers, in which webhooks have their secrets.
for _name in ("httpcore", "httpx"):
    logging.getLogger(_name).setLevel(logging.WARNING)

_allowed = lru_cache(256)(allowed)
_site = lru_cache(4096)(httpx.URL)

OURS = frozenset(
    {"accept-encoding", "connection", "content-length", "cookie", "host", "te", "transfer-encoding", "upgrade"}
)
"""Headers that are not the caller's to set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one fetch may cost: bytes on the wire, decoded, and of headers (at most 100 KB); seconds; redirects."""

    wire: int = 5 * 1024 * 1024
    decoded: int = 10 * 1024 * 1024
    seconds: float = 30.0
    header_bytes: int = 100 * 1024
    redirects: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How one source or channel wants to be asked.

    ``cookies`` names a jar kept for this source alone (None: no cookies are kept); ``warm_up`` is a page that hands
    out the cookie without which the source redirects in a circle. ``proxy`` overrides the environment's ("" = none).
    ``ca_bundle`` is a file of further trusted certificates. ``allow_private`` allows the source's own host (True), or
    the hosts and networks given. With ``secret_url`` messages show no more of the URL than its host. Without
    ``follow`` a redirect is the answer. ``check`` is told where a redirect leads, and raises what keeps us from it.
    ``beginning``: so many bytes of a body are enough, and what comes first of one that is too large (None: the whole).
    """

    cookies: str | None = None
    warm_up: str | None = None
    proxy: str | None = None
    ca_bundle: str | None = None
    allow_private: bool | tuple[str, ...] = False
    secret_url: bool = False
    follow: bool = True
    beginning: int | None = None
    check: Callable[[str], Awaitable[None]] | None = None

    def show(self, url: str) -> str:
        """The URL as messages may show it."""
        return redacted(url) if self.secret_url else shown(url)


@dataclass(slots=True)
class _Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    def header(self, wanted: str) -> str:
        return ", ".join(value for name, value in self.headers if name == wanted)


class _Deadline:
    """Seconds that a fetch has left, and the requests that it took. Waiting for one's turn does not count."""

    def __init__(self, seconds: float) -> None:
        self.seconds = self._left = seconds
        self.requests = 0

    @property
    def taken(self) -> float:
        return self.seconds - self._left

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        started = loop.time()
        self.requests += 1
        try:
            async with asyncio.timeout(self._left):
                yield
        finally:
            self._left = max(0.0, self._left - (loop.time() - started))


class Client(Protocol):
    """The one way out: ``HttpClient``, or what stands in for it."""

    async def fetch(self, request: Request, manner: Manner) -> Document: ...


class HttpClient:
    """One per process, inside ``async with``. ``allow`` lists inner hosts and networks that may be asked by all."""

    def __init__(
        self,
        *,
        user_agent: str,
        clock: Clock,
        limits: Limits = Limits(),
        allow: Sequence[str] = (),
        per_host: int = 2,
        total: int = 64,
        environ: Mapping[str, str] = os.environ,
        resolver: Resolver | None = None,
    ) -> None:
        self._clock = clock
        self._proxies = from_environment(environ)
        self._resolver = SystemResolver()
        self._http = Transport(Pools(environ, resolver or self._resolver))
        self._jars: dict[str, Cookies] = {}
        self._load = Load()
        self._width = (0, 0)
        self._behave(user_agent, limits, allow, (per_host, total))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def configure(
        self, *, user_agent: str, limits: Limits, allow: Sequence[str], per_host: int, total: int
    ) -> None:
        """Behave like this from the next request on; what is on its way keeps its place."""
        if tuple(allow) != self._allow:
            await self._http.aclose()  # what may be reached belongs to a connection: none of these would be taken again
        self._behave(user_agent, limits, allow, (per_host, total))

    def _behave(self, user_agent: str, limits: Limits, allow: Sequence[str], width: tuple[int, int]) -> None:
        self._user_agent, self._limits, self._allow = user_agent, limits, tuple(allow)
        self._load.most = LARGEST * limits.decoded
        _allowed(self._allow)
        if width != self._width:
            self._width, self._lanes = width, Lanes(*width)

    async def aclose(self) -> None:
        await self._http.aclose()
        self._resolver.close()

    async def fetch(self, request: Request, manner: Manner = Manner()) -> Document:
        """The document that came back, whatever its status (304 and errors are the caller's to judge).

        Raises Unreachable (name, connection, TLS, deadline, redirects without end), Forbidden (address or redirect
        that is not allowed), TooLarge, Busy, Truncated, Unreadable (not HTTP, an encoding that was not asked for),
        Misconfigured (certificates or proxy of the manner).
        """
        try:
            return await self._fetched(request, manner)
        except ConfigError as error:
            raise Misconfigured(error.template, remedy=error.remedy, **error.facts) from None

    async def _fetched(self, request: Request, manner: Manner) -> Document:
        deadline = _Deadline(self._limits.seconds)
        jar = self._jars.setdefault(manner.cookies, Cookies()) if manner.cookies else None
        warm = Request(url=manner.warm_up) if manner.warm_up and jar is not None else None
        if warm and not jar:
            await self._follow(warm, manner, jar, deadline)
            return self._arrived(await self._follow(request, manner, jar, deadline), request, manner)
        document = await self._follow(request, manner, jar, deadline)
        if document is None and warm:
            await self._follow(warm, manner, jar, deadline)
            document = await self._follow(request, manner, jar, deadline)
        return self._arrived(document, request, manner)

    @staticmethod
    def _arrived(document: Document | None, request: Request, manner: Manner) -> Document:
        if document is None:
            raise Unreachable(
                "{url} redirects in a circle.",
                remedy="If it hands out a cookie first, let the source keep cookies.",
                url=manner.show(request.url),
            )
        return document

    async def _follow(
        self, request: Request, manner: Manner, jar: Cookies | None, deadline: _Deadline
    ) -> Document | None:
        """The document at the end of the redirects; None when they go in a circle. A new cookie opens a circle."""
        hop, moved, seen = request, True, set[tuple[str, str, str]]()
        for _ in range(self._limits.redirects + 1):
            cookie = jar.header(hop.url) if jar is not None else ""
            if (hop.method, hop.url, cookie) in seen:
                return None
            seen.add((hop.method, hop.url, cookie))
            answer = await self._ask(hop, request, cookie, manner, deadline)
            if jar is not None:
                jar.keep(hop.url, answer.headers)
            after = following(hop, answer.status, answer.header("location")) if manner.follow else None
            if after is None:
                return self._document(hop.url, answer, moved and hop.url != request.url, deadline)
            # an address is for good only where the whole request may go: what stayed behind would be sent there later
            moved = moved and answer.status in PERMANENT and after.headers == hop.headers
            hop = after
            if manner.check is not None:
                await manner.check(hop.url)
        raise Unreachable(
            "{url} redirected more than {count} times.", url=manner.show(request.url), count=self._limits.redirects
        )

    def _document(self, url: str, answer: _Answer, moved: bool, deadline: _Deadline) -> Document:
        names = dict.fromkeys(name for name, _ in answer.headers if name != "set-cookie")
        return Document(
            url=url,
            status=answer.status,
            headers={name: answer.header(name) for name in names},
            body=answer.body,
            fetched=self._clock(),
            took=deadline.taken,
            hops=deadline.requests - 1,
            moved_to=url if moved else None,
        )

    async def _ask(self, hop: Request, first: Request, cookie: str, manner: Manner, deadline: _Deadline) -> _Answer:
        address = take_apart(hop.url)
        route = self._route(address, take_apart(first.url), manner)
        async with self._lanes.place(address.host):
            meter = Meter(manner.show(hop.url), self._limits.header_bytes, self._limits.wire)
            with explained(meter, deadline.seconds):
                async with deadline.running():
                    return await self._exchange(route, hop, address, cookie, meter, manner.beginning)

    def _route(self, address: Address, first: Address, manner: Manner) -> Route:
        own = (first.host,) if manner.allow_private is True else tuple(manner.allow_private or ())
        allow = self._allow + own
        check_host(address.host, _allowed(allow))
        chosen = (
            self._proxies.choose(address) if manner.proxy is None else (proxy(manner.proxy) if manner.proxy else None)
        )
        return Route(chosen, manner.ca_bundle, allow)

    async def _exchange(
        self, route: Route, request: Request, address: Address, cookie: str, meter: Meter, beginning: int | None
    ) -> _Answer:
        token = METER.set(meter)
        try:
            sent = httpx.Request(
                request.method,
                _site(address.site),
                headers=self._headers(request, address, cookie),
                content=request.body,
                extensions={"target": address.target.encode(), "route": route},
            )
            async with aclosing(await self._http.handle_async_request(sent)) as response:
                meter.head(response.headers.raw)
                answer = _Answer(response.status_code, tuple(map(_said, response.headers.raw)))
                answer.body = await self._body(answer, response, meter, beginning)
                return answer
        finally:
            METER.reset(token)

    async def _body(self, answer: _Answer, response: httpx.Response, meter: Meter, beginning: int | None) -> bytes:
        encoding = "" if 300 <= answer.status < 400 else answer.header("content-encoding")
        try:
            with self._load.answer(meter.url) as grown:
                decoded = decoder(encoding, meter.url, beginning or self._limits.decoded, grown)
                try:
                    async for part in response.aiter_raw():
                        decoded.feed(part)
                        if meter.part():
                            await asyncio.sleep(0)  # what came in is given without waiting: others must have their turn
                except TooLarge:
                    if beginning is None:
                        raise
                    return decoded.beginning()
                return decoded.done()
        except (Busy, TooLarge, Truncated, Unreadable, httpcore.NetworkError, httpcore.RemoteProtocolError):
            if answer.status < 300:
                raise
            return b""  # the status and its headers (Location, Retry-After) count, not the page that explains them

    def _headers(self, request: Request, address: Address, cookie: str) -> list[tuple[bytes, bytes]]:
        given = [(name, value) for name, value in request.headers if name.lower() not in OURS]
        names = {name.lower() for name, _ in given}
        ours = [("Host", address.authority), ("User-Agent", self._user_agent), ("Accept", ACCEPT)]
        ours = [pair for pair in ours if pair[0].lower() not in names] + [("Accept-Encoding", "gzip")]
        last = [("Cookie", cookie)] if cookie else []
        return [(name.encode(), _sent(value)) for name, value in ours + given + last]


def _said(header: tuple[bytes, bytes]) -> tuple[str, str]:
    """A header as latin-1 has it: each character a byte, so that what goes back to the server goes back as it came."""
    name, value = header
    return name.decode("latin-1").lower(), value.decode("latin-1")


def _sent(value: str) -> bytes:
    """A value as ``_said`` has it; what a configuration says may be beyond that, and is sent as UTF-8."""
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode()
