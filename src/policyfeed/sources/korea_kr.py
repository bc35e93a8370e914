"""korea.kr's lists (보도자료, 설명·해명, 정책뉴스): all ministries in one place, what is left of its RSS.

The list gives title, lead, ministry and day. It is asked for the last days (``overlap_days``), newest first, page by
page. Releases may be listed late, under their earlier approval date, or vanish, so a poll may stop early only when the
page's own total is just what is known; every ``sweep_hours`` it goes to the end all the same. The end is where the
total is reached (one that is less than a page shows is none) or, but for a few, a page brings nothing new, however many
releases a page holds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

from policyfeed import sources
from policyfeed.clock import KST
from policyfeed.errors import LayoutChanged, Remark
from policyfeed.normalize import parsers
from policyfeed.normalize.korea_kr import MOBILE, SITE
from policyfeed.normalize.korea_kr import detail as detail
from policyfeed.normalize.korea_kr import elsewhere as elsewhere
from policyfeed.normalize.korea_kr import read_detail as read_detail
from policyfeed.normalize.listing import blocked, is_block_page
from policyfeed.normalize.text import text_of
from policyfeed.types import Document, Entry, Page, Request, Source

if TYPE_CHECKING:
    from policyfeed.normalize.parsers import Node

ROBOTS = True
ADDRESS = "page"
MOST_DAYS = 31
"""How far back a poll reaches after the daemon was down: the backfill command goes further."""
PER_PAGE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(sources.Options):
    """The options of a source of this kind: the days that a poll asks for, how often it reads them to their end, and
    whether it asks for one ministry alone (``rep_code``: several with commas)."""

    overlap_days: int = field(default=3, metadata={"ge": 1, "le": MOST_DAYS})
    sweep_hours: float = field(default=3, metadata={"ge": 0, "le": 168})
    rep_code: str = ""


_ITEM = 'div.list_type ul > li > a[href*="newsId="]'
_NEWS_ID = re.compile(r"newsId=(\d{1,12})")
_DAY = re.compile(r"(\d{4})[.-]\s*(\d{1,2})[.-]\s*(\d{1,2})")
_TOTAL = re.compile(r"총\s*<strong[^>]*>\s*([\d,]+)\s*</strong>")


def first(source: Source, cursor: Mapping[str, Any], now: datetime) -> Request:
    """Page 1 of the days from the overlap's (or the last complete poll's) beginning until today."""
    today = now.astimezone(KST).date()
    start = today - timedelta(days=Options.of(source).overlap_days - 1)
    if covered := cursor.get("covered"):
        start = max(min(start, date.fromisoformat(covered)), today - timedelta(days=MOST_DAYS))
    return _request(source, start, today, 1)


def days(source: Source, start: date, end: date) -> Request:
    """Page 1 of the releases of the days from ``start`` to ``end``: what a backfill asks for."""
    return _request(source, start, end, 1)


def read(source: Source, cursor: Mapping[str, Any], document: Document) -> Page:
    """One page's entries. Raises Blocked, LayoutChanged (no total, or items in another form).

    The cursor: ``covered`` (last day asked for), ``swept`` (when the list was last read to its end), ``seen``
    (news id → day, of the window), ``short`` (by how many releases the list then fell short of its own total); while a
    poll is under way also ``read``, what it has seen so far.
    """
    text = text_of(document, source.encoding)
    number, start, end = _asked(document)
    total = _total(text, document)
    base = document.url.replace(MOBILE, SITE, 1)
    found = {_id(node): _entry(node, base) for node in parsers.html(text).css(_ITEM)}
    missing = total - len(cursor.get("read", {}))
    if missing > (PER_PAGE if number > 1 else 0) and found.keys() <= cursor.get("read", {}).keys():
        raise LayoutChanged(
            "{url} says {total} releases but lists nothing new on this page.", url=document.url, total=total
        )
    warnings = _check(found, total, (start, end), document)
    read_ = dict(cursor.get("read", {})) | {id_: _day(entry) or end for id_, entry in found.items()}
    seen = {id_: day for id_, day in cursor.get("seen", {}).items() if day >= start} | read_
    swept, short = cursor.get("swept", ""), int(cursor.get("short", 0))
    complete = len(read_) >= total >= len(found) or len(read_) == len(cursor.get("read", {}))
    if complete:
        swept, seen, short = document.fetched.isoformat(), read_, total - len(read_)
    entries = tuple(found.values())
    if complete or (len(seen) + short == total and not _sweep_due(source, swept, document.fetched)):
        vanished = _vanished(cursor, read_, start) if complete and not short else ()
        done = {"covered": end, "swept": swept, "seen": seen} | ({"short": short} if short else {})
        return Page(
            entries=entries,
            cursor=done,
            vanished=vanished,
            warnings=warnings,
            total=total,
            rightly_empty=not total and len(_gone(cursor, read_, start)) <= 1,
        )
    following = _request(source, date.fromisoformat(start), date.fromisoformat(end), number + 1)
    return Page(entries=entries, next=following, cursor={**cursor, "read": read_}, warnings=warnings, total=total)


def _vanished(cursor: Mapping[str, Any], read_: Mapping[str, str], start: str) -> tuple[str, ...]:
    """What a complete reading does not find any more.

    Nothing where several are missing and all of them are newer than what is listed: that is an old copy of the list.
    """
    gone = _gone(cursor, read_, start)
    newest = max((_place(id_, day) for id_, day in read_.items()), default=("", 0, ""))
    if len(gone) > 1 and min(_place(id_, cursor["seen"][id_]) for id_ in gone) > newest:
        return ()
    return tuple(f"korea.kr/{id_}" for id_ in gone)


def _gone(cursor: Mapping[str, Any], read_: Mapping[str, str], start: str) -> list[str]:
    """What the last poll saw in the window and is not among what was read."""
    return [id_ for id_, day in cursor.get("seen", {}).items() if day >= start and id_ not in read_]


def _place(id_: str, day: str) -> tuple[str, int, str]:
    """Where a release stands in the order of time: on a day, later ones have higher numbers."""
    return day, len(id_), id_


def _asked(document: Document) -> tuple[int, str, str]:
    """Page number, first and last day that the answer's address names. Raises LayoutChanged when it names none."""
    asked = {name: values[-1] for name, values in parse_qs(urlsplit(document.url).query).items()}
    try:
        days = [date.fromisoformat(asked[name]).isoformat() for name in ("startDate", "endDate")]
        return int(asked["pageIndex"]), days[0], days[1]
    except (KeyError, ValueError) as problem:
        raise LayoutChanged(
            "{url} is not the list that was asked for: it was redirected.",
            remedy="Look at the page in a browser; until policyfeed is updated, ministries' own feeds go on.",
            url=document.url,
        ) from problem


def _request(source: Source, start: date, end: date, number: int) -> Request:
    asked = {
        "pageIndex": number,
        "repCodeType": "",
        "repCode": Options.of(source).rep_code,
        "startDate": start.isoformat(),
        "endDate": end.isoformat(),
        "srchWord": "",
        "period": "direct",
    }
    headers = (("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1"), *source.headers)
    return Request(url=f"{source.url}?{urlencode(asked)}", headers=headers)


def _sweep_due(source: Source, swept: str, now: datetime) -> bool:
    if not swept:
        return True
    ago, most = now - datetime.fromisoformat(swept), timedelta(hours=Options.of(source).sweep_hours)
    return not timedelta(0) <= ago < most  # a sweep in the future: the clock was wrong


def _total(text: str, document: Document) -> int:
    if found := _TOTAL.search(text):
        return int(found[1].replace(",", ""))
    if is_block_page(text):
        raise blocked(document.url)
    raise LayoutChanged(
        "{url} shows no total (총 N): the page was rebuilt, or something else was served.",
        remedy="Look at the page in a browser; until policyfeed is updated, ministries' own feeds go on.",
        url=document.url,
    )


def _entry(node: Node, base: str) -> Entry:
    def part(selector: str) -> str:
        found = node.css_first(selector)
        for line_break in found.css("br") if found else ():
            line_break.replace_with(" ")
        return found.text() if found else ""

    return Entry(
        title=part("strong"),
        url=urljoin(base, f"{urlsplit(node.attributes.get('href') or '').path}?newsId={_id(node)}"),
        published=part("span.source > span:nth-child(1)").strip(),
        summary=part("span.lead").strip(),
        ministry=part("span.source > span:nth-child(2)").strip(),
    )


def _id(node: Node) -> str:
    found = _NEWS_ID.search(node.attributes.get("href") or "")
    return found[1] if found else ""


def _day(entry: Entry) -> str:
    found = _DAY.search(entry.published)
    return f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}" if found else ""


def _check(found: Mapping[str, Entry], total: int, window: tuple[str, str], document: Document) -> tuple[str, ...]:
    """Raises LayoutChanged for a page that is not what it was; single odd releases are warnings, and are kept."""
    odd = [id_ for id_, entry in found.items() if not (id_ and entry.title.strip() and entry.ministry and _day(entry))]
    if len(odd) * 2 > len(found):
        raise LayoutChanged("{url} lists releases without title, ministry or date.", url=document.url)
    for entry in found.values():
        if (day := _day(entry)) and not window[0] <= day <= window[1]:
            raise LayoutChanged(
                "{url} lists {day}, outside the days asked for: the filter was ignored.", url=document.url, day=day
            )
    contradiction = Remark("the list says that it has {total}, and shows {count}", total=total, count=len(found))
    remarks = (Remark("release {id} is listed without title, ministry or date", id=id_) for id_ in odd)
    return (*([contradiction] if len(found) > total else []), *remarks)
