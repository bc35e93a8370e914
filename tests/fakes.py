"""The network in memory, and what a poll needs besides: for tests of our own code without a socket.

``Server`` stands where the transport stands (``poll.Fetch``): answers are scripted by URL, and every request is kept.
``PressList`` is korea.kr's list of press releases with paging, filter and total. ``poller`` puts a real ``Poller``
together over a real store.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlsplit

from policyfeed.channels import Channel
from policyfeed.clock import KST, Clock
from policyfeed.documents import Reading, read_document
from policyfeed.normalize.ministry import Ministries
from policyfeed.poll import Poller
from policyfeed.rhythm import Bounds, load_prior
from policyfeed.selection import Selection
from policyfeed.store import Store
from policyfeed.types import Article, Document, Ministry, Name, Reason, Request, Secret, Source, Verdict
from tests.alerts import directly

Answer = Document | Exception | Callable[[Request], Document]

MINISTRIES = Ministries(
    (
        Ministry(
            id="mcee",
            names=(
                Name(ko="환경부", en="Ministry of Environment", until="2025-09-30"),
                Name(ko="기후에너지환경부", en="Ministry of Climate, Energy and Environment", since="2025-10-01"),
            ),
            aliases=("기후부",),
            rep_codes=("A00009",),
        ),
        Ministry(id="moel", names=(Name(ko="고용노동부", en="Ministry of Employment and Labor"),), aliases=("노동부",)),
        Ministry(id="motir", names=(Name(ko="산업통상부", en="Ministry of Trade, Industry and Resources"),)),
        Ministry(id="forest", names=(Name(ko="산림청", en="Korea Forest Service"),)),
    )
)


class Server:
    """Answers by URL: each from its script in turn, the last one for ever. What is not scripted is a mistake."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.got: list[Request] = []
        self.visited: list[str] = []
        self._scripts: dict[str, list[Answer]] = {}

    def at(self, url: str, *answers: Answer) -> None:
        """Script a URL, with or without its query: the longer one counts."""
        self._scripts[url] = list(answers)

    def page(self, body: str | bytes, status: int = 200, **headers: str) -> Document:
        """An answer; header names are written with underscores."""
        named = {name.lower().replace("_", "-"): value for name, value in headers.items()}
        data = body.encode() if isinstance(body, str) else body
        return Document(url="", status=status, headers=named, body=data, fetched=self.clock())

    async def __call__(self, source: Source, request: Request) -> Document:
        self.visited.append(source.id)
        return await self.send(request)

    async def send(self, request: Request) -> Document:
        self.got.append(request)
        script = self._scripts.get(request.url) or self._scripts.get(request.url.partition("?")[0])
        assert script, f"no answer was scripted for {request.url}"
        answer = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(answer, Exception):
            raise answer
        document = answer if isinstance(answer, Document) else answer(request)
        return replace(document, url=document.url or request.url, fetched=self.clock())

    def headers(self, number: int = -1) -> dict[str, str]:
        """The headers of a request, the last one by default."""
        return dict(self.got[number].headers)


def conditional(server: Server, body: str | bytes, **headers: Any) -> Callable[[Request], Document]:
    """A server that knows its validators: 304 when both that it gave come back as they were."""
    whole = server.page(body, **headers)
    wanted = {"If-None-Match": whole.headers.get("etag"), "If-Modified-Since": whole.headers.get("last-modified")}
    wanted = {name: value for name, value in wanted.items() if value}

    def answer(request: Request) -> Document:
        sent = dict(request.headers)
        known = wanted and all(sent.get(name) == value for name, value in wanted.items())
        return replace(whole, status=304, body=b"") if known else whole

    return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An item of an invented feed; without a title of its own, one with its number."""

    number: int
    title: str | None = None
    text: str = "온실가스 감축 계획이 확정됐다."
    published: str = "Wed, 20 May 2026 09:00:00 +0900"
    url: str = ""
    guid: str = ""

    @property
    def said(self) -> str:
        return f"{self.number}차 탄소중립 기본계획 확정" if self.title is None else self.title

    def link(self, site: str) -> str:
        return self.url or f"https://{site}/board/view.do?no={self.number}"


def rss(*items: Item, site: str = "www.example.go.kr") -> str:
    """An RSS 2.0 feed with these items."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>보도자료</title>'
        f"<link>https://{site}/</link><description/>"
        + "".join(
            f"<item><title>{escape(item.said)}</title><link>{escape(item.link(site))}</link>"
            f"<description>{escape(item.text)}</description><pubDate>{item.published}</pubDate>"
            + (f"<guid>{escape(item.guid)}</guid>" if item.guid else "")
            + "</item>"
            for item in items
        )
        + "</channel></rss>"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release on korea.kr's list."""

    id: int
    day: date
    title: str = ""
    ministry: str = "기후에너지환경부"
    lead: str = "세 유역에서 사업이 시작된다 ···"


@dataclass(slots=True)
class PressList:
    """korea.kr's list: newest first by day and number, a page at a time, within the days asked for."""

    releases: list[Release] = field(default_factory=list)
    per_page: int = 20
    filters: bool = True

    def add(self, *several: Release) -> None:
        self.releases.extend(several)

    def withdraw(self, id_: int) -> None:
        self.releases = [one for one in self.releases if one.id != id_]

    def listed(self, start: str, end: str) -> list[Release]:
        found = [one for one in self.releases if not self.filters or start <= one.day.isoformat() <= end]
        return sorted(found, key=lambda one: (one.day, one.id), reverse=True)

    def __call__(self, request: Request) -> Document:
        asked = {name: values[-1] for name, values in parse_qs(urlsplit(request.url).query).items()}
        listed = self.listed(asked["startDate"], asked["endDate"])
        first = (int(asked["pageIndex"]) - 1) * self.per_page
        shown = "".join(self._row(one) for one in listed[first : first + self.per_page])
        body = (
            f'<!doctype html><html lang="ko"><body><p>총 <strong>{len(listed):,}</strong>건</p>'
            f'<div class="list_type"><ul>{shown}</ul></div></body></html>'
        )
        return Document(url=request.url, status=200, headers={"content-type": "text/html;charset=UTF-8"},
                        body=body.encode(), fetched=datetime(2026, 1, 1, tzinfo=KST))  # fmt: skip

    def _row(self, one: Release) -> str:
        return (
            f'<li><a href="/briefing/pressReleaseView.do?newsId={one.id}&amp;pageIndex=1"><span class="text">'
            f"<strong>{escape(one.title or f'{one.id}번 시범사업 선정')}</strong>"
            f'<span class="lead">{escape(one.lead)}</span>'
            f'<span class="source"><span>{one.day:%Y.%m.%d}</span><span>{escape(one.ministry)}</span></span>'
            f"</span></a></li>"
        )


def source(id_: str = "example-press", **changes: Any) -> Source:
    """A ministry's feed."""
    made = Source(id=id_, kind="feed", url=f"https://www.example.go.kr/rss/{id_}.xml", ministry="mcee")
    return replace(made, **changes)


def korea_kr(**options: Any) -> Source:
    url = "https://www.korea.kr/briefing/pressReleaseList.do"
    return Source(id="korea-press", kind="korea_kr", url=url, options=options)


def channel(name: str = "team", selection: Selection = Selection()) -> Channel:
    return Channel(name=name, kind="slack", url=Secret("https://hooks.example.org/moonlit-otter"), selection=selection)


def judge(article: Article) -> Verdict:
    """Keeps what speaks of 탄소, in title or text."""
    kept = "탄소" in f"{article.title} {article.summary} {article.content}"
    reasons = (Reason(rule="term", points=90.0 if kept else 1.0, term="탄소"),)
    return Verdict(kept=kept, score=90.0 if kept else 1.0, reasons=reasons, rule_version="fake")


async def reading(source: Source, cursor: Mapping[str, Any], document: Document) -> Reading:
    """The real reading, in this process; cursors pass through JSON as they do on their way through the store."""
    return read_document(source, json.loads(json.dumps(cursor)), document, MINISTRIES)


def poller(store: Store, server: Server, channels: Sequence[Channel] = (), **changes: Any) -> Poller:
    """A real Poller: real store, real adapters, the network scripted."""
    parts: dict[str, Any] = {
        "store": store,
        "db": directly,
        "fetch": server,
        "read": reading,
        "judge": judge,
        "channels": channels,
        "clock": server.clock,
        "bounds": lambda _source: Bounds(),
        "prior": load_prior(),
    }
    return Poller(**{**parts, **changes})
