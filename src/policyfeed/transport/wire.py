"""The bytes of a connection, counted as they come in: the network backends under httpcore."""

# ruff: noqa: ASYNC109 - the timeouts are in httpcore's signatures
from __future__ import annotations

import ssl
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

import httpcore

from policyfeed.errors import TooLarge
from policyfeed.transport.guard import Allowed, Resolver, addresses

_READ = 64 * 1024
_TRIES = 4
_TRY_SECONDS = 8.0


class Meter:
    """What one exchange may cost, and what it has cost. ``ended`` tells that the server closed the connection."""

    def __init__(self, url: str, head: int, body: int) -> None:
        self.url = url
        self.ended = False
        self.answered = False
        self.bytes = 0
        self._head = head
        self._body = body

    def count(self, data: bytes) -> None:
        """Raises TooLarge. Before the head is complete a read may hold the beginning of the body, too."""
        self.ended = not data
        self.bytes += len(data)
        if self.answered and self.bytes > self._body:
            raise self.too_large()
        if not self.answered and self.bytes > self._head + _READ:
            raise self.head_too_large()

    def head(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """The head is complete: from here on the body's limit counts. Raises TooLarge."""
        if sum(len(name) + len(value) + 4 for name, value in headers) > self._head:
            raise self.head_too_large()
        self.answered = True

    @property
    def head_is_full(self) -> bool:
        return not self.answered and self.bytes > self._head

    def head_too_large(self) -> TooLarge:
        return TooLarge("{url} sent more than {limit} bytes of headers.", url=self.url, limit=self._head)

    def too_large(self) -> TooLarge:
        return TooLarge("{url} sent more than {limit} bytes.", url=self.url, limit=self._body)


METER: ContextVar[Meter | None] = ContextVar("meter", default=None)
"""The meter of the exchange that the current task is doing."""


class _Stream(httpcore.AsyncNetworkStream):
    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = await self._stream.read(max_bytes, timeout)
        if meter := METER.get():
            meter.count(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        try:
            return _Stream(await self._stream.start_tls(ssl_context, server_hostname, timeout))
        except BaseException:
            # httpcore closes the socket after an error, but not when our deadline cancels the handshake.
            await self._stream.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class PlainBackend(httpcore.AsyncNetworkBackend):
    """Connects to where it is told: for proxies, whose address the operator gave."""

    def __init__(self) -> None:
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return _Stream(await self._backend.connect_tcp(host, port, timeout, local_address, socket_options))


class GuardedBackend(PlainBackend):
    """Connects to checked addresses only, one after the other until one answers."""

    def __init__(self, allow: Allowed, resolve: Resolver) -> None:
        super().__init__()
        self._allow = allow
        self._resolve = resolve

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        *others, last = (await addresses(host, port, self._allow, self._resolve))[:_TRIES]
        for address in others:
            try:
                return await super().connect_tcp(address, port, _TRY_SECONDS, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await super().connect_tcp(last, port, timeout, local_address, socket_options)
