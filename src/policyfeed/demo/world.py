"""The demo's example world: invented releases, served as the documents that the real sites would give.

It stands where the HTTP client stands (``fetch``): korea.kr's list, ministries' RSS feeds, and a messenger that keeps
what it is told.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from email.utils import format_datetime
from html import escape
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs, urlsplit

from policyfeed.clock import KST, Clock
from policyfeed.normalize.ministry import Ministries
from policyfeed.transport.http import Manner
from policyfeed.types import Document, Request, Source

SLACK = "https://hooks.slack.com/services/demo"
PER_PAGE = 20
FIRST_ID = 156_900_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    number: int
    ministry: str
    title: str
    body: str
    published: datetime
    late: bool

    @property
    def lead(self) -> str:
        return " ".join(self.body.split())[:140]


@dataclass(slots=True)
class World:
    """Serves releases; ``reveal`` lets the late ones come out. ``told`` holds what the messenger was sent."""

    ministries: Ministries
    sources: Sequence[Source]
    clock: Clock
    releases: list[Release] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    revealed: bool = False

    @classmethod
    def load(cls, ministries: Ministries, sources: Sequence[Source], clock: Clock) -> World:
        """The world of ``releases.toml``, its days counted back from today; the sources are those that it can serve."""
        rows = tomllib.loads(files("policyfeed.demo").joinpath("releases.toml").read_text(encoding="utf-8"))["release"]
        releases = [_release(number, row, clock()) for number, row in enumerate(rows)]
        publishing = {release.ministry for release in releases}
        served = [
            source
            for source in sources
            if source.enabled
            and (source.kind == "korea_kr" or (source.kind == "feed" and source.ministry in publishing))
        ]
        return cls(ministries, served, clock, sorted(releases, key=lambda one: one.published, reverse=True))

    def reveal(self) -> None:
        self.revealed = True

    async def fetch(self, request: Request, manner: Manner) -> Document:  # noqa: ARG002 - the client's signature
        """What the site, or the messenger, of the URL answers."""
        if request.url.startswith(SLACK):
            self.told.append(json.loads(request.body))
            return self._document(request, "ok", "text/plain")
        for source in self.sources:
            if request.url.startswith(source.url):
                page = self._list(request) if source.kind == "korea_kr" else self._feed(source)
                return self._document(
                    request, page, "text/html" if source.kind == "korea_kr" else "application/rss+xml"
                )
        return Document(url=request.url, status=404, fetched=self.clock())

    def _document(self, request: Request, text: str, type_: str) -> Document:
        headers = {"content-type": f"{type_}; charset=utf-8"}
        return Document(url=request.url, status=200, headers=headers, body=text.encode(), fetched=self.clock())

    def _visible(self) -> list[Release]:
        return [release for release in self.releases if self.revealed or not release.late]

    def _name(self, ministry: str) -> str:
        found = self.ministries.get(ministry)
        return found.name if found else ministry

    def _list(self, request: Request) -> str:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
        found = [one for one in self._visible() if asked["startDate"] <= _day(one) <= asked["endDate"]]
        page = int(asked["pageIndex"])
        rows = "".join(
            f'<li><a href="/briefing/pressReleaseView.do?newsId={FIRST_ID + one.number}&amp;pageIndex={page}">'
            f'<span class="text"><strong>{escape(one.title)}</strong><span class="lead">{escape(one.lead)}···</span>'
            f'<span class="source"><span>{_day(one).replace("-", ".")}</span>'
            f"<span>{self._name(one.ministry)}</span></span></span></a></li>"
            for one in found[(page - 1) * PER_PAGE : page * PER_PAGE]
        )
        return f'<p>총 <strong>{len(found)}</strong>건</p><div class="list_type"><ul>{rows}</ul></div>'

    def _feed(self, source: Source) -> str:
        host = urlsplit(source.url).netloc
        items = "".join(
            f"<item><title>{escape(one.title)}</title><link>https://{host}/press/{one.number}</link>"
            f"<description>{escape(''.join(f'<p>{escape(line)}</p>' for line in one.body.splitlines() if line))}"
            f"</description><pubDate>{format_datetime(one.published.astimezone(KST))}</pubDate></item>"
            for one in self._visible()
            if one.ministry == source.ministry
        )
        return f'<rss version="2.0"><channel><title>{escape(source.name)}</title>{items}</channel></rss>'


def _release(number: int, row: dict[str, Any], now: datetime) -> Release:
    late = bool(row.get("late"))
    day = now.astimezone(KST).date() - timedelta(days=row["day"])
    published = datetime.combine(day, time.fromisoformat(row["time"]), KST)
    if late:
        published = now - timedelta(minutes=number % 7)
    title = f"{row['tag']} {row['title']}" if "tag" in row else row["title"]
    return Release(
        number=number, ministry=row["ministry"], title=title, body=row["body"].strip(), published=published, late=late
    )


def _day(release: Release) -> str:
    return release.published.astimezone(KST).date().isoformat()
