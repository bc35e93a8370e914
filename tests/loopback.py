"""A raw-socket web server on 127.0.0.1 that logs what it is asked and answers with exactly the bytes it is given."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from policyfeed.transport.http import HttpClient, Limits

NOW = datetime(2026, 5, 20, 0, 0, tzinfo=UTC)
USER_AGENT = "policyfeed/1.0 (+https://policyfeed.example)"
SMALL = Limits(wire=200_000, decoded=400_000, seconds=20.0, header_bytes=20_000)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came in."""

    connection: int
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    at: str
    """The authority of a CONNECT that led here, "" without one."""

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)


Writer = Callable[[asyncio.StreamWriter], Awaitable[None]]
Reply = bytes | Writer
"""Bytes to be sent, or a function that sends them; after a function returns the connection is closed."""
Answer = Callable[[Asked], Reply]


@dataclass(slots=True)
class Server:
    """A running server. ``asked`` is its log, ``connections`` counts what was accepted."""

    answer: Answer
    scheme: str = "http"
    port: int = 0
    connections: int = 0
    asked: list[Asked] = field(default_factory=list)
    tunnels: list[str] = field(default_factory=list)
    inner_tls: ssl.SSLContext | None = None
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a connection was closed by either side."""

    def url(self, target: str = "/", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{target}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number, at = self.connections, ""
        try:
            while asked := await _read(reader, number, at):
                if asked.method == "CONNECT":
                    at = asked.target
                    await self._tunnel(asked, writer)
                    continue
                self.asked.append(asked)
                if not await _send(self.answer(asked), writer):
                    break
        finally:
            self.left.set()
            writer.close()

    async def _tunnel(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        self.tunnels.append(asked.target)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await writer.drain()
        if self.inner_tls:
            await writer.start_tls(self.inner_tls)


async def _send(reply: Reply, writer: asyncio.StreamWriter) -> bool:
    """Whether the connection may be used again."""
    if isinstance(reply, bytes):
        writer.write(reply)
        await writer.drain()
        return b"connection: close" not in reply.lower()
    await reply(writer)
    return False


async def _read(reader: asyncio.StreamReader, number: int, at: str) -> Asked | None:
    with suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *rest = head.removesuffix("\r\n\r\n").split("\r\n")
        method, target, _ = line.split(" ")
        headers = tuple((name, value.strip(" ")) for name, _, value in (row.partition(":") for row in rest))
        length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
        return Asked(number, method, target, headers, await reader.readexactly(length), at)
    return None


@asynccontextmanager
async def serving(
    answer: Answer | Mapping[str, Reply] | bytes,
    *,
    tls: ssl.SSLContext | None = None,
    inner_tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Server]:
    """Runs a server: one reply for all, a mapping from targets to replies, or a function from request to reply."""
    server = Server(_answers(answer), "https" if tls else "http", inner_tls=inner_tls)
    tasks = set[asyncio.Task[None]]()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        with suppress(ConnectionError, asyncio.CancelledError, ssl.SSLError, TimeoutError):
            await server.handle(reader, writer)
            await writer.wait_closed()
        writer.transport.abort()

    listener = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listener.wait_closed()
        await asyncio.sleep(0)  # lets the aborted connections close their sockets


def _answers(answer: Answer | Mapping[str, Reply] | bytes) -> Answer:
    if isinstance(answer, bytes):
        return lambda _: answer
    if isinstance(answer, Mapping):
        routes = answer
        return lambda asked: routes.get(asked.target, reply(404))
    return answer


def streams(writer: Writer) -> Answer:
    """One writing function as the reply to every request."""
    return lambda _: writer


def reply(status: int = 200, body: bytes = b"", *headers: tuple[str, str], length: bool = True) -> bytes:
    """A complete HTTP/1.1 answer."""
    rows = [f"HTTP/1.1 {status} Some Reason", *(f"{name}: {value}" for name, value in headers)]
    if length:
        rows.append(f"Content-Length: {len(body)}")
    return "\r\n".join(rows).encode() + b"\r\n\r\n" + body


def redirect(location: str, status: int = 302, *headers: tuple[str, str]) -> bytes:
    return reply(status, b"", ("Location", location), *headers)


def names(table: Mapping[str, Sequence[str]] | None = None) -> Callable[[str, int], Awaitable[Sequence[str]]]:
    """A resolver: the table's addresses, 127.0.0.1 for every name without an entry."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        return (table or {}).get(host, ["127.0.0.1"])

    return resolve


def client(
    *,
    limits: Limits = SMALL,
    allow: Sequence[str] = ("127.0.0.1",),
    environ: Mapping[str, str] | None = None,
    resolver: Callable[[str, int], Awaitable[Sequence[str]]] | None = None,
    per_host: int = 2,
    total: int = 64,
) -> HttpClient:
    """A client that may ask 127.0.0.1 and takes every name for it."""
    return HttpClient(
        user_agent=USER_AGENT,
        clock=lambda: NOW,
        limits=limits,
        allow=allow,
        per_host=per_host,
        total=total,
        environ=environ or {},
        resolver=resolver or names(),
    )
