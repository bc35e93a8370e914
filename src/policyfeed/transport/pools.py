"""Connections: made by httpcore, kept alive by us, under one TLS context.

httpcore's pools look through all their connections at every request, which costs more than the request where every
source has a host of its own. Here an idle connection is found by where it leads. What it was allowed to reach belongs
to that: sources with other rights never share it.
"""

from __future__ import annotations

import resource
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import certifi
import httpcore

from policyfeed.errors import ConfigError
from policyfeed.transport.guard import Resolver, allowed
from policyfeed.transport.proxies import Proxy
from policyfeed.transport.wire import GuardedBackend, PlainBackend

_KEPT_SECONDS = 30.0
_MOST_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Route:
    """The way to a host: what decides, with the host, whether two requests may share a connection."""

    proxy: Proxy | None
    ca_bundle: str | None
    allow: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lent:
    """A connection in use, and where it leads."""

    key: tuple[Route, str]
    connection: httpcore.AsyncConnectionInterface


class Pools:
    """All connections of a process. One idle connection is kept to a place, in all a quarter of the files that the
    process may have open: the last used ones."""

    def __init__(self, environ: Mapping[str, str], resolve: Resolver) -> None:
        self._roots = environ.get("SSL_CERT_FILE") or certifi.where()
        self._tls: dict[str | None, ssl.SSLContext] = {None: _context(self._roots)}
        self._resolve = resolve
        self._makers: dict[Route, httpcore.AsyncConnectionPool] = {}
        self._idle: dict[tuple[Route, str], Lent] = {}
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._most = _MOST_KEPT if files == resource.RLIM_INFINITY else min(files // 4, _MOST_KEPT)

    async def take(self, route: Route, origin: httpcore.Origin) -> Lent:
        """An idle connection to the origin, or one that connects with its first request."""
        key = route, str(origin)
        kept = self._idle.pop(key, None)
        if kept is not None:
            if not kept.connection.has_expired():
                return kept
            await kept.connection.aclose()
        maker = self._makers.get(route) or self._makers.setdefault(route, self._maker(route))
        return Lent(key, maker.create_connection(origin))

    async def give_back(self, lent: Lent) -> None:
        """Keep the connection if it can be used again; of too many the one goes that has waited longest."""
        if not lent.connection.is_idle() or lent.key in self._idle:
            await lent.connection.aclose()
            return
        self._idle[lent.key] = lent
        if len(self._idle) > self._most:
            await self._idle.pop(next(iter(self._idle))).connection.aclose()

    def _maker(self, route: Route) -> httpcore.AsyncConnectionPool:
        tls = self._context(route.ca_bundle)
        if route.proxy is None:
            backend = GuardedBackend(allowed(route.allow), self._resolve)
            return httpcore.AsyncConnectionPool(
                ssl_context=tls,
                keepalive_expiry=_KEPT_SECONDS,
                network_backend=backend,
            )
        return httpcore.AsyncHTTPProxy(
            httpcore.URL(scheme=route.proxy.scheme, host=route.proxy.host, port=route.proxy.port, target=b"/"),
            proxy_auth=route.proxy.login,
            ssl_context=tls,
            proxy_ssl_context=self._context(None) if route.proxy.scheme == "https" else None,
            keepalive_expiry=_KEPT_SECONDS,
            network_backend=PlainBackend(),
        )

    def _context(self, ca_bundle: str | None) -> ssl.SSLContext:
        if ca_bundle not in self._tls:
            context = _context(self._roots)
            _load(context, str(ca_bundle))
            self._tls[ca_bundle] = context
        return self._tls[ca_bundle]

    async def aclose(self) -> None:
        while self._idle:
            _, lent = self._idle.popitem()
            await lent.connection.aclose()


def _context(roots: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=roots)
    except OSError as error:
        raise _unreadable(roots, error) from None


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
