"""Readers' connections: whatever many of them do or leave undone, the daemon answers and keeps room for its sources."""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from starlette.types import Message

from policyfeed import daemon, logs
from policyfeed.store import Store
from policyfeed.web import Buttons, Context, Published, answering, create_app
from policyfeed.web.connections import places
from tests import releases

BUTTONS = Buttons(origin="http://ours", topics=())
FORM = b"POST /articles/1/label HTTP/1.1\r\nHost: h\r\nOrigin: http://ours\r\nContent-Length: 99\r\n\r\nword"


def context(folder: Path) -> Context:
    made = Context(
        store=Store(folder / "var"),
        published=Published(folder),
        feeds=lambda: [releases.feed()],
        buttons=lambda: BUTTONS,
    )
    made.published.load()
    return made


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[daemon.Server, str]]:
    """As the daemon serves: the server and its address."""
    listening = daemon.listen("127.0.0.1", 0)
    server = daemon.Server(answering(create_app(context(folder))))
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield server, daemon.url(listening)
    finally:
        server.should_exit = True
        server.give_up()
        await task


@pytest.mark.usefixtures("few_files")
@pytest.mark.parametrize(
    "said", [b"", b"GET / HTTP/1.1\r\nHost: h\r\nX-Slow: ", FORM], ids=["nothing", "half a head", "half a form"]
)
async def test_thousands_of_silent_connections_keep_nobody_out(tmp_path: Path, said: bytes) -> None:
    assert places() == 256
    async with served(tmp_path) as (server, address), AsyncExitStack() as held:
        host, port = address.removeprefix("http://").split(":")
        for _number in range(places() + 50):
            silent = await asyncio.open_connection(host, int(port))
            held.callback(silent[1].close)
            silent[1].write(said)
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"{address}/healthz")
        assert answer.status_code == 200
        assert len(server.server_state.connections) <= places()


@pytest.mark.usefixtures("few_files")
def test_descriptors_are_raised_as_far_as_the_hard_limit_lets() -> None:
    daemon.raise_descriptors()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert soft == min(hard, daemon.DESCRIPTORS)
    assert places() == min(soft // 4, 1000)


async def test_who_reads_nothing_of_a_feed_is_kept_no_copy_of_it(tmp_path: Path) -> None:
    body = bytes(range(256)) * 40_000
    (tmp_path / "feeds").mkdir()
    (tmp_path / "feeds" / "esg.atom").write_bytes(body)
    async with served(tmp_path) as (server, address):
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as idle:
            idle.sendall(b"GET /feeds/esg.atom HTTP/1.1\r\nHost: h\r\n\r\n")
            async with httpx.AsyncClient(trust_env=False) as client:
                answer = await client.get(f"{address}/feeds/esg.atom", headers={"Accept-Encoding": "identity"})
            kept = [one.transport.get_write_buffer_size() for one in server.server_state.connections]
    assert answer.content == body
    assert max(kept) < 500_000


@pytest.mark.usefixtures("logging_as_before")
async def test_who_speaks_no_http_writes_no_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Scanners knock at every port, and browsers with TLS at one without."""
    logs.configure()
    async with served(tmp_path) as (_, address):
        host, port = address.removeprefix("http://").split(":")
        for said in (b"\x16\x03\x01\n\n", b"GET / HTTP/1.1\nHost: h\nConnection: upgrade\nUpgrade: websocket\n\n"):
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(said)
            assert (await reader.readline()).startswith(b"HTTP/1.1 ")
            writer.close()
    assert capsys.readouterr().err == ""


async def test_who_is_slow_is_no_fault_when_the_daemon_stops(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with served(tmp_path) as (server, address):
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as slow:
            slow.sendall(FORM)
            async with httpx.AsyncClient(trust_env=False) as client:
                await client.get(f"{address}/healthz")
            assert server.server_state.tasks
            server.should_exit = True
            server.give_up()
    assert not [one for one in caplog.records if one.levelname == "ERROR"]


async def test_a_form_that_breaks_off_is_no_fault_of_ours(tmp_path: Path) -> None:
    """Such faults are counted under status 500, and logged."""
    coming: list[Message] = [{"type": "http.request", "body": b"word=", "more_body": True}, {"type": "http.disconnect"}]
    sent = list[Message]()

    async def receive() -> Message:
        return coming.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"origin", b"http://ours")]
    scope = {"type": "http", "method": "POST", "path": "/articles/1/label", "query_string": b"", "headers": headers}
    await create_app(context(tmp_path))(scope, receive, send)
    assert sent[0]["status"] == 400
