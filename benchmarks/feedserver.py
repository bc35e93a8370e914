"""A feed server for benchmarks: N feeds × 50 Korean entries of 2–6 kB on loopback, each feed on an address of its own.

Descriptions are made as the ministries' are (``feedbodies``): of ten feeds nine carry HTML in CDATA, one escapes it.

Run in a process of its own; ``/control?etag=1&built=3&extra=2`` sets what all feeds say from then on: whether they have
ETags, when they were built, how many entries each has gained.
"""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from multiprocessing import Process, Queue
from urllib.parse import parse_qs, urlsplit

import feedbodies

ENTRIES = 50
_SUBJECTS = (
    *("탄소중립 시범사업", "중대재해 예방 점검", "하도급 거래 개선"),
    *("문화축전 개막", "수소 충전소 확충", "청년 일자리 지원"),
)
_START = datetime.now(UTC).replace(microsecond=0)


class Feeds:
    """What is served. ``asked`` counts requests by status."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.bodies = feedbodies.made()
        self.etag, self.built, self.extra = True, 0, 0
        self.asked: dict[int, int] = {}

    def set(self, query: str) -> None:
        for name, values in parse_qs(query).items():
            setattr(self, name, int(values[0]) if name != "etag" else bool(int(values[0])))

    def body(self, feed: int) -> bytes:
        total = ENTRIES + self.extra
        items = "".join(self._item(feed, total - number) for number in range(ENTRIES))
        built = format_datetime(_START + timedelta(minutes=self.built))
        return (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel><title>제{feed}기관 보도자료</title>'
            f"<link>{self.url(feed)}</link><description>보도자료</description><lastBuildDate>{built}</lastBuildDate>"
            f"{items}</channel></rss>"
        ).encode()

    def _item(self, feed: int, number: int) -> str:
        chosen = (feed * 7919 + number * 104_729) % 1_000_003
        title = f"제{feed}기관 {number}차 {_SUBJECTS[chosen % len(_SUBJECTS)]} 추진 현황 {chosen} 발표"
        at = _START - timedelta(hours=3 * (ENTRIES + 1 - number), seconds=97 * feed)  # the new one is of today
        link = f"{self.url(feed)}view.do?no={number}"
        bodies = self.bodies[feed % len(self.bodies)]
        return (
            f"<item><title>{title}</title><link>{link}</link><guid>{link}</guid>"
            f"<description>{bodies[chosen % len(bodies)]}</description>"
            f"<pubDate>{format_datetime(at)}</pubDate></item>"
        )

    def url(self, feed: int) -> str:
        return url(self.port, feed)

    def answer(self, target: str, headers: dict[str, str]) -> tuple[int, list[str], bytes]:
        parts = urlsplit(target)
        if parts.path == "/control":
            self.set(parts.query)
            return 200, [], b"ok"
        body = self.body(int(parts.path.rsplit("/", 1)[-1].removesuffix(".xml")))
        tag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
        if self.etag and headers.get("if-none-match") == tag:
            return 304, [f"ETag: {tag}"], b""
        return 200, [f"ETag: {tag}"] if self.etag else [], body

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1"):
                line, *rest = head.split("\r\n")
                sent = {name.lower(): value.strip() for name, _, value in (row.partition(":") for row in rest)}
                status, extra, body = self.answer(line.split(" ")[1], sent)
                self.asked[status] = self.asked.get(status, 0) + 1
                length = [] if status == 304 else [f"Content-Length: {len(body)}", "Content-Type: application/rss+xml"]
                said = [f"HTTP/1.1 {status} OK", *extra, *length, "", ""]
                writer.write("\r\n".join(said).encode() + body)
                await writer.drain()
                if "close" in sent.get("connection", "") or line.endswith("HTTP/1.0"):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def url(port: int, feed: int) -> str:
    """A feed's site: each has an address in 127.0.0.0/8, as each ministry has its host."""
    return f"http://127.1.{feed // 250}.{feed % 250 + 1}:{port}/"


def feed_url(port: int, feed: int) -> str:
    return f"{url(port, feed)}rss/{feed}.xml"


def start() -> tuple[Process, int]:
    """The server in a process of its own, and its port."""
    told: Queue[int] = Queue()
    process = Process(target=_run, args=(told,), daemon=True)
    process.start()
    return process, told.get(timeout=30)


def _run(told: Queue[int]) -> None:
    async def main() -> None:
        feeds = Feeds(0)
        server = await asyncio.start_server(feeds.serve, "0.0.0.0", 0, backlog=4096)  # noqa: S104 - all of loopback
        feeds.port = server.sockets[0].getsockname()[1]
        told.put(feeds.port)
        await server.serve_forever()

    asyncio.run(main())
