"""Connections: httpcore speaks HTTP upon them, we keep them alive, under one TLS context.

httpcore's pools look through all their connections at every request, which costs more than the request where every
source has a host of its own. Here an idle connection is found by where it leads. What it was allowed to reach belongs
to that: sources with other rights never share it.
"""

from __future__ import annotations

import resource
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial

import certifi
import httpcore

from policyfeed.errors import ConfigError
from policyfeed.transport.guard import Resolver, allowed
from policyfeed.transport.proxies import Proxy
from policyfeed.transport.wire import GuardedBackend, ProxyBackend

_KEPT_SECONDS = 30.0
_MOST_KEPT = 4096
_MOST_ENCRYPTED = 32
"""Each holds a quarter of a megabyte: asyncio's buffer for what comes in encrypted."""


@dataclass(frozen=True, slots=True)
class Route:
    """The way to a host: what decides, with the host, whether two requests may share a connection."""

    proxy: Proxy | None
    ca_bundle: str | None
    allow: tuple[str, ...]


Key = tuple[Route, str]
_Connect = Callable[[httpcore.Origin], Awaitable[httpcore.AsyncConnectionInterface]]


@dataclass(frozen=True, slots=True)
class Lent:
    """A connection in use, and where it leads. ``used``: it was answered upon before."""

    key: Key
    connection: httpcore.AsyncConnectionInterface
    used: bool = False


class _Connection(httpcore.AsyncHTTP11Connection):
    """A connection that is lent to one request at a time: httpcore's lock on it would be a kilobyte for each that is
    idle, two turns of the loop a request, and all of anyio."""

    def __init__(self, origin: httpcore.Origin, stream: httpcore.AsyncNetworkStream) -> None:
        super().__init__(origin, stream, keepalive_expiry=_KEPT_SECONDS)
        self._state_lock = nullcontext()  # type: ignore[assignment]  # httpcore's own is made for several at once


class _Idle(dict[Key, Lent]):
    """Idle connections, the last used ones at the end; ``most`` of them are kept."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most


class Pools:
    """All connections of a process. One idle connection is kept to a place: the last used ones, in all a quarter of the
    files that the process may have open, and few encrypted ones."""

    def __init__(self, environ: Mapping[str, str], resolve: Resolver) -> None:
        self._roots = environ.get("SSL_CERT_FILE") or certifi.where()
        self._tls: dict[str | None, ssl.SSLContext] = {None: _context(self._roots)}
        self._resolve = resolve
        self._ways: dict[Route, _Connect] = {}
        self._plain, self._encrypted = _Idle(_most_kept()), _Idle(_MOST_ENCRYPTED)

    async def take(self, route: Route, origin: httpcore.Origin) -> Lent:
        """An idle connection to the origin, or a new one. Raises httpcore's ConnectError."""
        key = route, str(origin)
        kept = self._idle(key).pop(key, None)
        if kept is not None:
            if not kept.connection.has_expired():
                return kept
            await kept.connection.aclose()
        return await self.connect(route, origin)

    async def connect(self, route: Route, origin: httpcore.Origin) -> Lent:
        """A new connection to the origin. Raises httpcore's ConnectError."""
        connect = self._ways.get(route) or self._ways.setdefault(route, self._way(route))
        return Lent((route, str(origin)), await connect(origin))

    async def give_back(self, lent: Lent) -> None:
        """Keep the connection if it can be used again; of too many the one goes that has waited longest."""
        idle = self._idle(lent.key)
        if not lent.connection.is_idle() or _rest(lent.connection) or lent.key in idle:
            await lent.connection.aclose()
            return
        idle[lent.key] = lent if lent.used else replace(lent, used=True)
        if len(idle) > idle.most:
            await idle.pop(next(iter(idle))).connection.aclose()

    def _idle(self, key: Key) -> _Idle:
        return self._encrypted if key[1].startswith("https:") else self._plain

    def _way(self, route: Route) -> _Connect:
        tls = self._context(route.ca_bundle)
        if route.proxy is None:
            return partial(_straight, GuardedBackend(allowed(route.allow), self._resolve), tls)
        proxy = httpcore.AsyncHTTPProxy(
            httpcore.URL(scheme=route.proxy.scheme, host=route.proxy.host, port=route.proxy.port, target=b"/"),
            proxy_auth=route.proxy.login,
            ssl_context=tls,
            proxy_ssl_context=self._context(None) if route.proxy.scheme == "https" else None,
            keepalive_expiry=_KEPT_SECONDS,
            network_backend=ProxyBackend(),
        )
        return partial(_through, proxy)

    def _context(self, ca_bundle: str | None) -> ssl.SSLContext:
        if ca_bundle not in self._tls:
            context = _context(self._roots)
            _load(context, str(ca_bundle))
            self._tls[ca_bundle] = context
        return self._tls[ca_bundle]

    async def aclose(self) -> None:
        for idle in (self._plain, self._encrypted):
            while idle:
                _, lent = idle.popitem()
                await lent.connection.aclose()


def _most_kept() -> int:
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST_KEPT if files == resource.RLIM_INFINITY else min(files // 4, _MOST_KEPT)


async def _straight(
    backend: httpcore.AsyncNetworkBackend, tls: ssl.SSLContext, origin: httpcore.Origin
) -> httpcore.AsyncConnectionInterface:
    """Connect to the origin itself. (httpcore's AsyncHTTPConnection would do it, and take a lock at every request.)"""
    host = origin.host.decode("ascii")
    stream = await backend.connect_tcp(host, origin.port)
    if origin.scheme == b"https":
        stream = await stream.start_tls(tls, server_hostname=host)
    return _Connection(origin, stream)


async def _through(proxy: httpcore.AsyncHTTPProxy, origin: httpcore.Origin) -> httpcore.AsyncConnectionInterface:
    """A connection that goes through the proxy as soon as it is asked for something."""
    return proxy.create_connection(origin)


def _rest(connection: httpcore.AsyncConnectionInterface) -> bytes:
    """What came in after the answer: the next request would have it for its own. (Those through a proxy have another
    connection within.)"""
    while (within := getattr(connection, "_connection", None)) is not None:
        connection = within
    state = getattr(connection, "_h11_state", None)
    return state.trailing_data[0] if state is not None else b""


def _context(roots: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=roots)
    except OSError as error:
        raise _unreadable(roots, error) from None
    context.set_alpn_protocols(["http/1.1"])
    return context


def _load(context: ssl.SSLContext, bundle: str) -> None:
    try:
        context.load_verify_locations(bundle)
    except OSError as error:
        raise _unreadable(bundle, error) from None


def _unreadable(file: str, error: OSError) -> ConfigError:
    return ConfigError(
        "The certificates in {file} cannot be read: {reason}.",
        remedy="Give a file of PEM certificates (SSL_CERT_FILE, ca_bundle).",
        file=file,
        reason=error.strerror or str(error),
    )
