"""A small upstream world on loopback: a korea.kr-like list, a ministry's feed, a Slack hook and a webhook receiver.

Tests publish releases into it, wait for what the program does to it, and run code at chosen requests (``at_request``).
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from standardwebhooks import Webhook

KST = timezone(timedelta(hours=9))
SECRET = "whsec_ZTJlLXBvbGljeWZlZWQtd2ViaG9vay1zZWNyZXQ="
SUBJECTS = (
    "온실가스 감축 이행계획 확정",
    "중대재해 예방 긴급 점검",
    "하도급 불공정거래 제재",
    "궁중문화축전 개막 공연",
)


@dataclass(frozen=True)
class Release:
    number: int
    title: str
    published: datetime

    @property
    def url(self) -> str:
        return f"/briefing/pressReleaseView.do?newsId={self.number}"


@dataclass
class Upstream:
    """What is published, what was asked, what was told. Give it to ``serve``."""

    releases: list[Release] = field(default_factory=list)
    slack: list[dict[str, Any]] = field(default_factory=list)
    webhooks: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    slack_says: tuple[int, str] = (200, "ok")
    at_request: Callable[[str, int], None] = lambda _path, _count: None
    changed: threading.Condition = field(default_factory=threading.Condition)
    server: ThreadingHTTPServer | None = None

    def start(self) -> str:
        """Serve on a free port; gives the address."""
        upstream = self

        class Handler(_Handler):
            world = upstream

        self.server = _Quiet(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def stop(self) -> None:
        assert self.server is not None
        self.server.shutdown()
        self.server.server_close()

    def publish(self, number: int, published: datetime, title: str = "") -> Release:
        """A new release: every fourth one is about culture, and is dropped by any topics about ESG."""
        subject = SUBJECTS[number % len(SUBJECTS)]
        release = Release(number, title or f"제{number}차 {subject}", published)
        with self.changed:
            self.releases.insert(0, release)
        return release

    def wait(self, until: Callable[[], bool], seconds: float = 60) -> None:
        """Wait for something that the program does here. Fails the test when it does not come."""
        with self.changed:
            assert self.changed.wait_for(until, seconds), "the program did not do what was awaited"

    def note(self, path: str) -> None:
        with self.changed:
            self.requests.append(path)
            count = len(self.requests)
            self.changed.notify_all()
        self.at_request(path, count)

    def list_page(self, query: dict[str, list[str]]) -> str:
        start, end, page = query["startDate"][0], query["endDate"][0], int(query["pageIndex"][0])
        found = [one for one in self.releases if start <= _day(one) <= end]
        rows = "".join(
            f'<li><a href="{escape(one.url)}&amp;pageIndex={page}"><span class="text">'
            f"<strong>{escape(one.title)}</strong>"
            f'<span class="lead">{escape(one.title)}에 관한 자료입니다.···</span><span class="source">'
            f"<span>{_day(one).replace('-', '.')}</span><span>기후에너지환경부</span></span></span></a></li>"
            for one in found[(page - 1) * 20 : page * 20]
        )
        return f'<p>총 <strong>{len(found)}</strong>건</p><div class="list_type"><ul>{rows}</ul></div>'

    def feed(self) -> str:
        items = "".join(
            f"<item><title>[보도자료] {escape(one.title)}</title><link>/board/{one.number}</link>"
            f"<description>{escape(one.title)}. 자세한 내용은 붙임을 참고하시기 바랍니다.</description>"
            f"<pubDate>{format_datetime(one.published.astimezone(KST))}</pubDate></item>"
            for one in self.releases[:30]
        )
        return f'<rss version="2.0"><channel><title>기후에너지환경부</title>{items}</channel></rss>'

    def told(self) -> list[str]:
        """The titles told by webhook, in order."""
        return [body["data"]["title"] for _, body in self.webhooks]


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Connections break when the program is killed; only what is no such break is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    world: Upstream
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/robots.txt":
            self._answer("User-agent: *\nAllow: /\n", "text/plain")
        elif parts.path == "/briefing/pressReleaseList.do":
            self._answer(self.world.list_page(parse_qs(parts.query, keep_blank_values=True)), "text/html")
        elif parts.path == "/rss":
            self._answer(self.world.feed(), "application/rss+xml")
        else:
            self._answer("<html><body>404</body></html>", "text/html", 404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.startswith("/slack/"):
            status, said = self.world.slack_says
            with self.world.changed:
                self.world.slack.append(json.loads(body))
            self._answer(said, "text/plain", status)
        else:
            self._check_signature(body)
            with self.world.changed:
                self.world.webhooks.append((self.headers["webhook-id"], json.loads(body)))
            self._answer("{}", "application/json")

    def _check_signature(self, body: bytes) -> None:
        """Standard Webhooks, but for the time: the program's clock may be ahead of ours."""
        key, moment = self.headers["webhook-id"], datetime.fromtimestamp(int(self.headers["webhook-timestamp"]), UTC)
        assert self.headers["webhook-signature"] == Webhook(SECRET).sign(key, moment, body.decode())

    def _answer(self, text: str, type_: str, status: int = 200) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{type_}; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()
        self.world.note(self.path)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Nothing on stderr."""


def _day(release: Release) -> str:
    return release.published.astimezone(KST).date().isoformat()


def moment(minutes_ago: float = 0) -> datetime:
    """A time of the real clock, to the second."""
    return datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=minutes_ago)  # noqa: TID251 - a test's clock
