"""What hostile servers, links and name servers try, and that each costs no more than the limits and reaches nothing.

Every case is data: what comes in, and the name of the error that must come out.
"""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import Awaitable, Sequence
from dataclasses import replace

import pytest

from policyfeed.errors import Busy, Forbidden, TooLarge, Truncated, Unreachable, Unreadable, UpstreamError
from policyfeed.transport.http import Limits, Manner
from policyfeed.transport.load import holding
from policyfeed.types import Request
from tests.loopback import (
    SMALL,
    Asked,
    Reply,
    Writer,
    client,
    names,
    redirect,
    reply,
    serving,
    streams,
)

BRIEF = Limits(wire=200_000, decoded=400_000, seconds=0.3, header_bytes=20_000)
MEGABYTES = 1024 * 1024

# 54 bytes of brotli that hold 64 MB of zeros; zstandard blocks of 4 bytes that hold 128 KB each (RFC 8878 §3.1.1.2.3).
BROTLI_BOMB = bytes.fromhex(
    "cfffff7ff82700e2b14020f7fe9ffffffff04f00c4610180eefd3fffffffe19f0088c32200ddfb7ffeffffc33f0110870500baf7ff03"
)
_BLOCK = ((128 * 1024) << 3) | (1 << 1)
ZSTD_BOMB = b"\x28\xb5\x2f\xfd\x00\x58" + (_BLOCK.to_bytes(3, "little") + b"\0") * 512
GZIP_BOMB = gzip.compress(bytes(100 * MEGABYTES), mtime=0)
DEFLATE_BOMB = zlib.compress(bytes(100 * MEGABYTES))
NEWS = "<rss><channel><title>기후에너지환경부 보도자료</title></channel></rss>".encode()
PACKED = gzip.compress(NEWS, mtime=0)


def packed(encoding: str, body: bytes) -> bytes:
    return reply(200, body, ("Content-Encoding", encoding))


def chunked(*parts: bytes, end: bytes = b"0\r\n\r\n", head: str = "") -> bytes:
    body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    return f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n{head}Connection: close\r\n\r\n".encode() + body + end


def raw(head: str, body: bytes = b"") -> bytes:
    return head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body


CLOSE = "\nConnection: close"

ANSWERS: list[tuple[str, bytes, type[UpstreamError]]] = [
    # bombs
    ("gzip bomb", packed("gzip", GZIP_BOMB), TooLarge),
    ("gzip bomb named x-gzip", packed("x-gzip", GZIP_BOMB), TooLarge),
    ("gzip bomb in capitals", packed("GZIP", GZIP_BOMB), TooLarge),
    ("gzip bomb behind a small member", packed("gzip", PACKED + GZIP_BOMB), TooLarge),
    ("gzip bomb of many members", packed("gzip", gzip.compress(bytes(100_000)) * 5), TooLarge),
    ("gzip bomb in chunks", chunked(GZIP_BOMB, head="Content-Encoding: gzip\r\n"), TooLarge),
    ("deflate bomb", packed("deflate", DEFLATE_BOMB), Unreadable),
    ("deflate bomb called gzip", packed("gzip", DEFLATE_BOMB), Unreadable),
    ("brotli bomb", packed("br", BROTLI_BOMB), Unreadable),
    ("zstandard bomb", packed("zstd", ZSTD_BOMB), Unreadable),
    ("gzip twice", packed("gzip, gzip", gzip.compress(GZIP_BOMB)), Unreadable),
    ("gzip twice in two headers", reply(200, GZIP_BOMB, *[("Content-Encoding", "gzip")] * 2), Unreadable),
    ("gzip bomb behind identity", packed("identity, gzip", GZIP_BOMB), TooLarge),
    ("compress", packed("compress", b"\x1f\x9d\x90" + bytes(100)), Unreadable),
    ("brotli bomb behind a word of 5 KB", packed("x" * 5_000 + ", br", BROTLI_BOMB), Unreadable),
    ("single bytes without end", chunked(*[b"x"] * 20_001), TooLarge),
    # size
    ("longer than the wire limit", reply(200, bytes(300_000)), TooLarge),
    ("longer than the wire limit, unannounced", raw("HTTP/1.1 200 OK" + CLOSE, bytes(300_000)), TooLarge),
    ("longer than the wire limit, in chunks", chunked(*[bytes(50_000)] * 6), TooLarge),
    ("one header of 30 KB", raw("HTTP/1.1 200 OK\nX: " + "x" * 30_000 + CLOSE), TooLarge),
    ("3,000 headers", raw("HTTP/1.1 200 OK" + "\nX-Flood: y" * 3_000 + CLOSE), TooLarge),
    ("header block of 2 MB", raw("HTTP/1.1 200 OK" + "\nX-Flood: y" * 200_000 + CLOSE), TooLarge),
    ("header that never ends", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 500_000, TooLarge),
    ("status line that never ends", b"HTTP/1.1 200 " + b"O" * 500_000, TooLarge),
    ("100,000 interim answers", b"HTTP/1.1 100 Continue\r\n\r\n" * 100_000, TooLarge),
    ("trailers of 500 KB", chunked(NEWS, end=b"0\r\n" + b"X-T: y\r\n" * 60_000 + b"\r\n"), Unreadable),
    ("chunk extensions of 300 KB", chunked(end=(b"1;" + b"e" * 9_000 + b"\r\na\r\n") * 40), TooLarge),
    ("300,000 chunks of one byte", chunked(end=b"1\r\na\r\n" * 300_000), TooLarge),
    # cut
    ("half of the announced body", raw(f"HTTP/1.1 200 OK\nContent-Length: {2 * len(NEWS)}{CLOSE}", NEWS), Truncated),
    ("no byte of the announced body", raw(f"HTTP/1.1 200 OK\nContent-Length: 10{CLOSE}"), Truncated),
    ("no last chunk", chunked(NEWS, end=b""), Truncated),
    ("half a chunk", chunked(end=b"ff\r\nabc"), Truncated),
    ("cut after a chunk's size", chunked(NEWS, end=b"5"), Truncated),
    ("half of the gzip", packed("gzip", PACKED[:-20]), Truncated),
    ("gzip header only", packed("gzip", PACKED[:10]), Truncated),
    ("gzip second member cut", packed("gzip", PACKED + PACKED[:12]), Truncated),
    # not HTTP
    ("closes at once", b"Connection: close", Unreachable),
    ("half a head", b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close", Unreachable),
    ("SSH banner", b"SSH-2.0-OpenSSH_9.2\r\n\r\n", Unreadable),
    ("HTML without a head", b"<html>\r\n\r\n</html>", Unreadable),
    ("HTTP/0.9", b"<rss></rss>\r\n\r\n", Unreadable),
    ("status of letters", raw("HTTP/1.1 abc OK" + CLOSE), Unreadable),
    ("two lengths", raw("HTTP/1.1 200 OK\nContent-Length: 5\nContent-Length: 50" + CLOSE, b"a" * 50), Unreadable),
    ("negative length", raw("HTTP/1.1 200 OK\nContent-Length: -5" + CLOSE), Unreadable),
    ("length of letters", raw("HTTP/1.1 200 OK\nContent-Length: 0x10" + CLOSE), Unreadable),
    ("length beyond integers", raw("HTTP/1.1 200 OK\nContent-Length: " + "9" * 400 + CLOSE), Unreadable),
    ("unknown transfer encoding", raw("HTTP/1.1 200 OK\nTransfer-Encoding: gzip" + CLOSE, PACKED), Unreadable),
    ("two transfer encodings", raw("HTTP/1.1 200 OK\nTransfer-Encoding: gzip, chunked" + CLOSE), Unreadable),
    ("chunk size of letters", chunked(end=b"zz\r\n"), Unreadable),
    ("negative chunk size", chunked(end=b"-1\r\n"), Unreadable),
    ("chunk longer than its size", chunked(end=b"3\r\nabcdef\r\n0\r\n\r\n"), Unreadable),
    ("chunk size beyond integers", chunked(end=b"f" * 40 + b"\r\n"), Unreadable),
    ("header with a null", raw("HTTP/1.1 200 OK\nX: a\0b" + CLOSE), Unreadable),
    ("header without a colon", raw("HTTP/1.1 200 OK\nnonsense" + CLOSE), Unreadable),
    ("status line that repeats the request", b"HTTP/1.1 ? /?serviceKey=x" + CLOSE.encode() + b"\n\n", Unreadable),
    ("header that repeats the request", raw("HTTP/1.1 200 OK\nGET /?serviceKey=x" + CLOSE), Unreadable),
    ("chunk size that repeats the request", chunked(end=b"/?serviceKey=x\r\n"), Unreadable),
    ("header name with a space", raw("HTTP/1.1 200 OK\nContent Length: 5" + CLOSE), Unreadable),
]


@pytest.mark.parametrize(("answer", "error"), [pytest.param(a, e, id=n) for n, a, e in ANSWERS])
async def test_hostile_answers_end_as_named_errors(answer: bytes, error: type[UpstreamError]) -> None:
    async with serving(streams(_then_close(answer))) as server, client() as http:
        with pytest.raises(error) as caught:
            await http.fetch(Request(url=server.url("/rss.xml?serviceKey=비밀")))
        assert type(caught.value) is error
        assert "serviceKey" not in str(caught.value)
        assert len(str(caught.value)) < 500


def _then_close(answer: bytes) -> Writer:
    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(b"" if answer == b"Connection: close" else answer)
        await writer.drain()
        writer.write_eof()

    return write


async def _drip_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    await _drip(writer, b"a")


async def _drip_head(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    await _drip(writer, b"l")


async def _drip_chunks(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    await _drip(writer, b"1\r\na\r\n")


async def _drip_interim(writer: asyncio.StreamWriter) -> None:
    await _drip(writer, b"HTTP/1.1 102 Processing\r\n\r\n")


async def _drip_gzip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n" + PACKED[:20])
    writer.write(b"\r\n")
    await _silence(writer)


async def _drip_redirect(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 100000\r\n\r\n")
    await _drip(writer, b"a")


async def _drip_error(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 500 Oops\r\nContent-Length: 100000\r\n\r\n")
    await _drip(writer, b"a")


async def _drip(writer: asyncio.StreamWriter, data: bytes) -> None:
    while not writer.is_closing():
        writer.write(data)
        await writer.drain()
        await asyncio.sleep(0.01)  # the attack itself: a byte now and then


async def _silence(writer: asyncio.StreamWriter) -> None:
    await writer.drain()
    await asyncio.Event().wait()


async def _silence_after_head(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    await _silence(writer)


async def _endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(bytes(50_000))
        await writer.drain()


async def _endless_head(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"Set-Cookie: a=b\r\n" * 1_000)
        await writer.drain()


async def _endless_gzip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
    packer = zlib.compressobj(wbits=31)
    while True:
        writer.write(packer.compress(bytes(50_000)) + packer.flush(zlib.Z_SYNC_FLUSH))
        await asyncio.sleep(0)


async def _reset(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + NEWS)
    await writer.drain()
    writer.transport.abort()


async def _reset_at_once(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


STREAMS: list[tuple[str, Writer, Limits, type[UpstreamError]]] = [
    ("body in drips", _drip_body, BRIEF, Unreachable),
    ("head in drips (slow-loris)", _drip_head, BRIEF, Unreachable),
    ("chunks in drips", _drip_chunks, BRIEF, Unreachable),
    ("interim answers in drips", _drip_interim, BRIEF, Unreachable),
    ("gzip that stops", _drip_gzip, BRIEF, Unreachable),
    ("a redirect's body in drips", _drip_redirect, BRIEF, Unreachable),
    ("an error's body in drips", _drip_error, BRIEF, Unreachable),
    ("silence", _silence, BRIEF, Unreachable),
    ("silence after the head", _silence_after_head, BRIEF, Unreachable),
    ("endless body", _endless, SMALL, TooLarge),
    ("endless head", _endless_head, SMALL, TooLarge),
    ("endless gzip", _endless_gzip, SMALL, TooLarge),
    ("reset in the body", _reset, SMALL, Truncated),
    ("reset without an answer", _reset_at_once, SMALL, Unreachable),
]


@pytest.mark.parametrize(("writer", "limits", "error"), [pytest.param(w, x, e, id=n) for n, w, x, e in STREAMS])
async def test_hostile_streams_are_cut_off(writer: Writer, limits: Limits, error: type[UpstreamError]) -> None:
    async with serving(streams(writer)) as server, client(limits=limits) as http:
        with pytest.raises(error):
            await http.fetch(Request(url=server.url()))


async def test_redirects_have_one_deadline_together() -> None:
    """Each answer comes in time, all of them do not."""

    def answer(asked: Asked) -> Writer:
        async def write(writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(0.05)  # the attack itself
            writer.write(redirect(f"/{int(asked.target[1:]) + 1}", 302, ("Connection", "close")))

        return write

    limits = replace(SMALL, seconds=0.3, redirects=40)
    async with serving(answer) as server, client(limits=limits) as http:
        with pytest.raises(Unreachable):
            await http.fetch(Request(url=server.url("/0")))
        assert len(server.asked) <= 6


async def test_a_tls_handshake_that_hangs_is_cut_off() -> None:
    """The server waits for a plain request and never answers the handshake."""
    async with serving(reply()) as server, client(limits=BRIEF) as http:
        with pytest.raises(Unreachable):
            async with asyncio.timeout(10 * BRIEF.seconds):
                await http.fetch(Request(url=f"https://127.0.0.1:{server.port}/"))
        assert server.connections == 1


BOMBS = [("gzip", GZIP_BOMB), ("br", BROTLI_BOMB), ("zstd", ZSTD_BOMB), ("gzip, gzip", gzip.compress(GZIP_BOMB))]


@pytest.mark.parametrize(("encoding", "bomb"), BOMBS, ids=[name for name, _ in BOMBS])
async def test_a_bomb_takes_little_memory(encoding: str, bomb: bytes) -> None:
    async with serving(packed(encoding, bomb)) as server, client(limits=Limits()) as http:
        tracemalloc.start()
        try:
            with pytest.raises((TooLarge, Unreadable)):
                await http.fetch(Request(url=server.url()))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 64 * MEGABYTES


BODY_WITHOUT_END = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 99999999\r\n\r\n"


def _hanging(asked: Asked) -> Reply:
    """/hang/N: N kilobytes, packed into very few, and then nothing; /N: an answer of N kilobytes."""
    size = 1024 * int(asked.target.rsplit("/", 1)[-1])

    async def hang(writer: asyncio.StreamWriter) -> None:
        packer = zlib.compressobj(9, wbits=31)
        writer.write(BODY_WITHOUT_END + packer.compress(bytes(size)) + packer.flush(zlib.Z_FULL_FLUSH))
        await _silence(writer)

    return hang if asked.target.startswith("/hang") else reply(200, bytes(size))


async def test_many_bombs_at_once_take_little_memory_and_leave_room_for_usual_answers() -> None:
    """Four of nine megabytes are more than there may be; nothing larger than usual comes in until they are gone."""
    async with serving(_hanging) as server, client(limits=Limits(), per_host=100) as http:

        async def fetch(path: str) -> int:
            return len((await http.fetch(Request(url=server.url(path)))).body)

        bombs = {asyncio.create_task(fetch("/hang/9000")) for _ in range(20)}
        while len(bombs) > 3:
            ended, bombs = await asyncio.wait(bombs, return_when=asyncio.FIRST_COMPLETED)
            assert {type(task.exception()) for task in ended} == {Busy}
        bombs |= {asyncio.create_task(fetch("/hang/250")) for _ in range(30)}
        while http._load.bytes < 30 * MEGABYTES:  # noqa: ASYNC110 - what comes in sets no event of ours
            await asyncio.sleep(0)
        with pytest.raises(Busy, match="under way"):
            await fetch("/300")
        assert await fetch("/250") == 250 * 1024
        for task in bombs:
            task.cancel()
        await asyncio.gather(*bombs, return_exceptions=True)
        assert await fetch("/300") == 300 * 1024


async def test_answers_count_until_whoever_asked_is_done_with_them() -> None:
    async with serving(reply(200, bytes(8 * MEGABYTES))) as server, client(limits=Limits(wire=10 * MEGABYTES)) as http:
        with holding():
            for _ in range(3):
                await http.fetch(Request(url=server.url()))
            with pytest.raises(Busy, match="under way"):
                await http.fetch(Request(url=server.url()))
        for _ in range(6):
            await http.fetch(Request(url=server.url()))


# --- redirects

LOCATIONS = [
    "file:///etc/passwd",
    "ftp://127.0.0.1/",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "javascript:alert(1)",
    "data:text/xml,<rss/>",
    "unix:///run/docker.sock",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/latest/",
    "http://metadata.google.internal/",
    "http://10.0.0.1/",
    "//192.168.0.1/admin",
    "http://2130706434/",
    "http://0x7f.0.0.2/",
    "http://127.0.0.2@www.korea.kr/",
    "http://www.korea.kr@127.0.0.2/",
    "http://www.korea.kr\\@127.0.0.2/",
    "http://[::1",
    "http://www.korea.kr:99999/",
    "http://www.korea.kr:0/",
    "http://%31%32%37.0.0.2/",
    "http://127.0.0.2%2f@www.korea.kr/",
]


@pytest.mark.parametrize("location", LOCATIONS)
async def test_redirects_lead_nowhere_inside(location: str) -> None:
    async with serving(redirect(location)) as server, client() as http:
        with pytest.raises(Forbidden):
            await http.fetch(Request(url=server.url("/rss.xml")))
        assert len(server.asked) == 1


async def test_a_redirect_cannot_smuggle_headers() -> None:
    routes: dict[str, Reply] = {"/": raw("HTTP/1.1 302 Found\nLocation: /a%0d%0aX-Evil: yes\nContent-Length: 0")}
    async with serving(routes) as server, client() as http:
        await http.fetch(Request(url=server.url("/")))
        assert server.asked[1].target == "/a%0d%0aX-Evil:%20yes"
        assert server.asked[1].header("X-Evil") is None


@pytest.mark.parametrize(
    ("name", "value"), [("X-Key", "a\r\nX-Evil: yes"), ("X-Key", "a\0b"), ("X Key", "a"), ("X-Key\r\nX-Evil", "a")]
)
async def test_a_header_cannot_smuggle_another(name: str, value: str) -> None:
    async with serving(reply()) as server, client() as http:
        with pytest.raises(Forbidden) as caught:
            await http.fetch(Request(url=server.url("/"), headers=((name, value),)))
        assert server.asked == []
        assert "Evil" not in str(caught.value)


# --- addresses

ADDRESSES = [
    "127.0.0.1",
    "127.255.255.254",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.0x0.0x0.0x1",
    "0X7F.1",
    "017700000001",
    "0177.0.0.01",
    "00000000177.0.0.1",
    "127.0.0.1.",
    "１２７.０.０.１",
    "127。0。0。1",
    "①②⑦.⓪.⓪.①",
    "0",
    "0.0.0.0",  # noqa: S104 - asked, not bound
    "00",
    "0x0",
    "10.0.0.1",
    "10.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "192.168.257",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "169.254.169.254",
    "0xa9fea9fe",
    "2852039166",
    "169.254.43518",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "256.256.256.256",
    "1.2.3.4.5",
    "4294967297",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:a9fe:a9fe]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::169.254.169.254]",
    "[64:ff9b:1::1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[2001:db8::1]",
    "[2606:4700::5efe:10.0.0.1]",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[fec0::1]",
    "[fc00::1]",
    "[fd12:3456:789a::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "[100::1]",
    "[3fff::1]",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    "localhost.localdomain",
    "metadata.google.internal",
    "printer.local",
    "router.lan",
    "nas.home.arpa",
    "intranet",
]


@pytest.mark.parametrize("host", ADDRESSES)
async def test_inner_addresses_are_never_asked(host: str) -> None:
    """Directly: whatever the system's resolver would make of the name (here: this machine)."""
    async with serving(reply()) as server, client(allow=()) as http:
        with pytest.raises(Forbidden):
            await http.fetch(Request(url=f"http://{host}:{server.port}/"))
        assert server.connections == 0


@pytest.mark.parametrize("host", ADDRESSES)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_inner_addresses_are_not_asked_of_a_proxy(host: str, scheme: str) -> None:
    async with serving(reply()) as server:
        environ = {"HTTP_PROXY": server.url(), "HTTPS_PROXY": server.url()}
        async with client(allow=(), environ=environ) as http:
            with pytest.raises(Forbidden):
                await http.fetch(Request(url=f"{scheme}://{host}/"))
        assert server.connections == 0


RESOLVED = [
    ["127.0.0.1"],
    ["10.0.0.5"],
    ["169.254.169.254"],
    ["::1"],
    ["fe80::1%2"],
    ["::ffff:127.0.0.1"],
    ["64:ff9b::a9fe:a9fe"],
    ["93.184.215.14", "127.0.0.1"],
    ["2606:2800:21f:cb07::1", "fd00::1"],
]


@pytest.mark.parametrize("answer", RESOLVED, ids=", ".join)
async def test_names_of_inner_addresses_are_refused(answer: Sequence[str]) -> None:
    resolver = names({"rebind.example.kr": answer})
    async with serving(reply()) as server, client(allow=(), resolver=resolver) as http:
        with pytest.raises(Forbidden):
            await http.fetch(Request(url=server.url("/", "rebind.example.kr")))
        assert server.connections == 0


async def test_a_name_cannot_change_between_check_and_connection() -> None:
    """The name is resolved once a connection, and the connection goes to the address that was checked."""
    answers = [["127.0.0.2"], ["127.0.0.1"]]
    resolved = list[str]()

    async def resolve(host: str, port: int) -> Sequence[str]:
        resolved.append(host)
        return answers[len(resolved) - 1]

    async with serving(reply()) as server, client(allow=("127.0.0.2",), resolver=resolve) as http:
        with pytest.raises(Unreachable):
            await http.fetch(Request(url=server.url("/", "rebind.example.kr")))
        assert (resolved, server.connections) == (["rebind.example.kr"], 0)
        with pytest.raises(Forbidden):
            await http.fetch(Request(url=server.url("/", "rebind.example.kr")))
        assert server.connections == 0


async def test_a_redirect_to_a_rebound_name_is_checked_anew() -> None:
    resolver = names({"www.example.kr": ["127.0.0.1"], "inner.example.kr": ["127.0.0.3"]})
    answer: dict[str, Reply] = {}
    async with serving(answer) as server, client(resolver=resolver) as http:
        answer["/"] = redirect(server.url("/secret", "inner.example.kr"))
        with pytest.raises(Forbidden):
            await http.fetch(Request(url=server.url("/", "www.example.kr")))
        assert [asked.target for asked in server.asked] == ["/"]


async def test_rights_of_one_source_do_not_open_a_connection_for_another() -> None:
    inner = Manner(allow_private=True)
    async with serving(reply(200, NEWS)) as server, client(allow=()) as http:
        url = server.url("/", "intranet.example.kr")
        assert (await http.fetch(Request(url=url), inner)).status == 200
        with pytest.raises(Forbidden):
            await http.fetch(Request(url=url))
        assert len(server.asked) == 1


async def test_a_source_that_may_ask_its_own_host_may_not_be_sent_to_others() -> None:
    answer: dict[str, Reply] = {"/": redirect("http://127.0.0.9/")}
    async with serving(answer) as server, client(allow=()) as http:
        with pytest.raises(Forbidden):
            await http.fetch(Request(url=server.url("/")), Manner(allow_private=True))


async def test_a_good_server_is_served_while_hostile_ones_hang() -> None:
    """60 servers that never answer, 16 places: the good one gets its answer while they still hang."""
    release = asyncio.Event()

    async def hang(writer: asyncio.StreamWriter) -> None:
        await release.wait()

    arrived, full = list[Asked](), asyncio.Event()

    def answer(asked: Asked) -> Reply:
        arrived.append(asked)
        if len(arrived) == 16:
            full.set()
        return hang

    async with serving(answer) as bad, serving(reply(200, NEWS)) as good, client(total=16) as http:
        hanging = [
            asyncio.create_task(_outcome(http.fetch(Request(url=bad.url("/", f"h{n}.example.kr"))))) for n in range(60)
        ]
        await full.wait()
        document = await http.fetch(Request(url=good.url()))
        assert document.body == NEWS
        assert not any(task.done() for task in hanging)
        release.set()
        assert set(await asyncio.gather(*hanging)) == {Unreachable}


async def test_others_have_their_turn_while_an_answer_comes_in_single_bytes() -> None:
    """What has come in is given without waiting: the loop would stand still until the last of them."""
    turns, done = 0, asyncio.Event()

    async def others() -> None:
        nonlocal turns
        while not done.is_set():
            turns += 1
            await asyncio.sleep(0)

    async with serving(chunked(*[b"x"] * 20_000)) as server, client() as http:
        waiting = asyncio.create_task(others())
        assert len((await http.fetch(Request(url=server.url()))).body) == 20_000
        done.set()
        await waiting
    assert turns > 20_000 / 100


async def _outcome(fetch: Awaitable[object]) -> type[object]:
    try:
        return type(await fetch)
    except UpstreamError as error:
        return type(error)


def test_there_are_enough_cases() -> None:
    assert len(ANSWERS) + len(STREAMS) + len(LOCATIONS) >= 60
    assert len(ADDRESSES) >= 40
