"""Connections: kept alive, split up by host, under one TLS context.

httpcore looks through all connections of a pool at every request, so a process with hundreds of hosts has many small
pools, an httpx client on each. What a connection was allowed to reach belongs to its pool: sources with other rights
never share it.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from zlib import crc32

import certifi
import httpcore
import httpx

from policyfeed.errors import ConfigError
from policyfeed.transport.engine import client
from policyfeed.transport.guard import Resolver, allowed
from policyfeed.transport.proxies import Proxy
from policyfeed.transport.wire import GuardedBackend, PlainBackend

_SHARDS = 128
_KEPT = 4
_KEPT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Route:
    """The way to a host: what decides whether two requests may share a connection."""

    proxy: Proxy | None
    ca_bundle: str | None
    allow: tuple[str, ...]


class _Shard:
    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.users = 0
        self.broken = False


class Pools:
    """All connections of a process."""

    def __init__(self, environ: Mapping[str, str], resolve: Resolver) -> None:
        self._roots = environ.get("SSL_CERT_FILE") or certifi.where()
        self._tls: dict[str | None, ssl.SSLContext] = {None: _context(self._roots)}
        self._resolve = resolve
        self._shards: dict[tuple[Route, int], _Shard] = {}

    @asynccontextmanager
    async def borrow(self, route: Route, host: str) -> AsyncIterator[httpx.AsyncClient]:
        """The client for a host. Behind a proxy a client is used no more when a request of it failed.

        httpcore forgets neither the connection nor the request when TLS fails inside a proxy's tunnel.
        """
        key = route, crc32(host.encode()) % _SHARDS
        shard = self._shards.get(key) or self._shards.setdefault(key, _Shard(client(self._open(route))))
        shard.users += 1
        try:
            yield shard.http
        except BaseException:
            shard.broken = route.proxy is not None
            raise
        finally:
            shard.users -= 1
            if shard.broken:
                await self._discard(key, shard)

    async def _discard(self, key: tuple[Route, int], shard: _Shard) -> None:
        if self._shards.get(key) is shard:
            del self._shards[key]
        if not shard.users:
            await shard.http.aclose()

    def _open(self, route: Route) -> httpcore.AsyncConnectionPool:
        tls = self._context(route.ca_bundle)
        if route.proxy is None:
            backend = GuardedBackend(allowed(route.allow), self._resolve)
            return httpcore.AsyncConnectionPool(
                ssl_context=tls,
                max_connections=None,
                max_keepalive_connections=_KEPT,
                keepalive_expiry=_KEPT_SECONDS,
                network_backend=backend,
            )
        return httpcore.AsyncHTTPProxy(
            httpcore.URL(scheme=route.proxy.scheme, host=route.proxy.host, port=route.proxy.port, target=b"/"),
            proxy_auth=route.proxy.login,
            ssl_context=tls,
            proxy_ssl_context=self._context(None) if route.proxy.scheme == "https" else None,
            max_connections=None,
            max_keepalive_connections=_KEPT,
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
        for shard in self._shards.values():
            await shard.http.aclose()
        self._shards.clear()


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
        "The certificates in {file} cannot be read: {reason}",
        remedy="Give a file of PEM certificates (SSL_CERT_FILE, ca_bundle).",
        file=file,
        reason=error.strerror or str(error),
    )
