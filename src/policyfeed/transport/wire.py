"""The bytes of a connection, counted as they come in: the network backends under httpcore."""

# ruff: noqa: ASYNC109 - the timeouts are in httpcore's signatures
from __future__ import annotations

import asyncio
import select
import ssl
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any, cast

import httpcore

from policyfeed.errors import TooLarge
from policyfeed.transport.guard import Allowed, Resolver, addresses

_READ = _AHEAD = 256 * 1024  # most feeds come in one or two parts: each part costs a turn of the loop
_TRIES = 4
_TRY_SECONDS = 8.0
_MOST_PARTS = 20_000  # chunks of single bytes cost h11 twenty seconds for five megabytes
_BREATH = 64


class Meter:
    """What one exchange may cost, and what it has cost. ``ended`` tells that the server closed the connection."""

    def __init__(self, url: str, head: int, body: int) -> None:
        self.url = url
        self.ended = False
        self.answered = False
        self.bytes = self._parts = 0
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

    def part(self) -> bool:
        """A part of the body came; whether it is time to let others have their turn. Raises TooLarge."""
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise TooLarge("{url} came in more than {limit} pieces.", url=self.url, limit=_MOST_PARTS)
        return self._parts % _BREATH == 0

    @property
    def head_is_full(self) -> bool:
        return not self.answered and self.bytes > self._head

    def head_too_large(self) -> TooLarge:
        return TooLarge("{url} sent more than {limit} bytes of headers.", url=self.url, limit=self._head)

    def too_large(self) -> TooLarge:
        return TooLarge("{url} sent more than {limit} bytes.", url=self.url, limit=self._body)


METER: ContextVar[Meter | None] = ContextVar("meter", default=None)
"""The meter of the exchange that the current task is doing."""


class _Stream(asyncio.BufferedProtocol, httpcore.AsyncNetworkStream):
    """A connection upon asyncio's transports. They are told to wait while more than ``_AHEAD`` bytes lie unread.

    ``buffer`` is where bytes come in, for all streams of a loop: each copies its own out at once. A view, because
    asyncio fills it from several TLS records: slices of a bytearray would be copies, and lost.
    """

    def __init__(self, buffer: memoryview) -> None:
        self._buffer = buffer
        self._transport: asyncio.Transport | None = None
        self._parts: list[bytes] = []  # a few at most: an empty deque takes 600 bytes of every idle connection
        self._unread = 0
        self._wake: asyncio.Future[None] | None = None
        self._ended = False
        self._error: Exception | None = None

    # what asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, _wanted: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, size: int) -> None:
        self._parts.append(bytes(self._buffer[:size]))
        self._unread += size
        if self._unread > _AHEAD and self._transport is not None:
            self._transport.pause_reading()
        self._awake()

    def eof_received(self) -> None:
        self._ended = True
        self._awake()

    def connection_lost(self, error: Exception | None) -> None:
        self._ended, self._error = True, error
        self._transport = None  # an encrypted one refers back to us: 256 kB would wait for the collection of cycles
        self._awake()

    def _awake(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    # what httpcore asks for

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        if not self._parts and not self._ended:
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake
            self._wake = None
        data = self._next()
        if meter := METER.get():
            meter.count(data)
        return data

    def _next(self) -> bytes:
        if self._parts:
            data = self._parts.pop(0)
            waiting, self._unread = self._unread > _AHEAD, self._unread - len(data)
            if waiting and self._unread <= _AHEAD and self._transport is not None and not self._ended:
                self._transport.resume_reading()
            return data
        if self._error is not None:
            raise httpcore.ReadError(self._error)
        return b""

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        if self._transport is None or self._transport.is_closing():
            raise httpcore.WriteError(self._error or "the connection was closed")
        self._transport.write(buffer)

    async def aclose(self) -> None:
        if self._transport is not None:
            self._transport.abort()  # nothing is left to be sent, and nobody waits for a farewell

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        try:
            if self._parts or self._transport is None:
                raise httpcore.ConnectError("bytes came before encryption began")
            self._transport = await loop.start_tls(
                self._transport, self, ssl_context, server_hostname=server_hostname, ssl_handshake_timeout=timeout
            )
        except OSError as error:
            await self.aclose()
            raise httpcore.ConnectError(error) from error
        except BaseException:
            await self.aclose()  # httpcore does not, when our deadline cancels the handshake
            raise
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":  # of an idle connection: it was closed, or says what nobody asked
            return bool(self._parts) or self._ended or self._transport is None or _readable(self._transport)
        return self._transport and self._transport.get_extra_info(info)


def _readable(transport: asyncio.Transport) -> bool:
    poll = select.poll()
    poll.register(transport.get_extra_info("socket"), select.POLLIN)
    return bool(poll.poll(0))


class PlainBackend(httpcore.AsyncNetworkBackend):
    """Connects to where it is told."""

    def __init__(self) -> None:
        self._buffer = memoryview(bytearray(_READ))

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                _, stream = await loop.create_connection(lambda: _Stream(self._buffer), host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(error) from error
        except OSError as error:
            raise httpcore.ConnectError(error) from error
        return stream


class ProxyBackend(PlainBackend):
    """Connects to a proxy, whose address the operator gave."""

    async def connect_tcp(self, *place: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        try:
            return await super().connect_tcp(*place, **options)
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            raise httpcore.ProxyError("it cannot be reached") from error


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
