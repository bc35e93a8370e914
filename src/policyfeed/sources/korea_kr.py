"""korea.kr's list of press releases: all ministries in one place, what is left since the RSS was switched off.

The list gives title, lead, ministry and day. It is asked for the last days (``overlap_days``), newest first, page by
page. Releases may be listed late, under their earlier approval date, so a poll may stop early only when the page's own
total is accounted for by releases already known; every ``sweep_hours`` it goes to the end all the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from policyfeed.clock import KST
from policyfeed.errors import Blocked, LayoutChanged
from policyfeed.normalize.listing import is_block_page
from policyfeed.normalize.text import decode
from policyfeed.types import Document, Entry, Page, Request, Source

OVERLAP_DAYS = 3
SWEEP_HOURS = 3
MOST_DAYS = 31
"""How far back a poll reaches after the daemon was down: the backfill command goes further."""
PER_PAGE = 20
_ITEM = 'div.list_type ul > li > a[href*="newsId="]'
_NEWS_ID = re.compile(r"newsId=(\d{1,12})")
_DAY = re.compile(r"(\d{4})[.-](\d{1,2})[.-](\d{1,2})")
_TOTAL = re.compile(r"총\s*<strong[^>]*>\s*([\d,]+)\s*</strong>")


def first(source: Source, cursor: Mapping[str, Any], now: datetime) -> Request:
    """Page 1 of the days from the overlap's (or the last complete poll's) beginning until today."""
    today = now.astimezone(KST).date()
    start = today - timedelta(days=int(source.options.get("overlap_days", OVERLAP_DAYS)) - 1)
    if covered := cursor.get("covered"):
        start = max(min(start, date.fromisoformat(covered)), today - timedelta(days=MOST_DAYS))
    return _request(source, start, today, 1)


def read(source: Source, cursor: Mapping[str, Any], document: Document) -> Page:
    """One page's entries. Raises Blocked, LayoutChanged (no total, or items in another form).

    The cursor: ``covered`` (last day asked for), ``swept`` (when the list was last read to its end), ``seen``
    (news id → day, of the window); while a poll is under way also ``read``, what it has seen so far.
    """
    text = decode(document.body, document.headers.get("content-type", ""), source.encoding)
    asked = {name: values[-1] for name, values in parse_qs(urlsplit(document.url).query).items()}
    number, start, end = int(asked.get("pageIndex", 1)), asked.get("startDate", ""), asked.get("endDate", "")
    total = _total(text, document)
    found = {_id(node): _entry(node, document) for node in LexborHTMLParser(text).css(_ITEM)}
    _check(found, total, number, (start, end), document)
    read_ = dict(cursor.get("read", {})) | {id_: _day(entry) for id_, entry in found.items()}
    seen = {id_: day for id_, day in cursor.get("seen", {}).items() if day >= start} | read_
    swept = cursor.get("swept", "")
    complete = not found or number * PER_PAGE >= total
    entries = tuple(found.values())
    if complete:
        swept, seen = document.fetched.isoformat(), read_
    if complete or (len(seen) >= total and not _sweep_due(source, swept, document.fetched)):
        return Page(entries=entries, cursor={"covered": end, "swept": swept, "seen": seen})
    following = _request(source, date.fromisoformat(start), date.fromisoformat(end), number + 1)
    return Page(entries=entries, next=following, cursor={**cursor, "read": read_})


def _request(source: Source, start: date, end: date, number: int) -> Request:
    asked = {
        "pageIndex": number,
        "repCodeType": "",
        "repCode": source.options.get("rep_code", ""),
        "startDate": start.isoformat(),
        "endDate": end.isoformat(),
        "srchWord": "",
        "period": "direct",
    }
    headers = (("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1"), *source.headers)
    return Request(url=f"{source.url}?{urlencode(asked)}", headers=headers)


def _sweep_due(source: Source, swept: str, now: datetime) -> bool:
    hours = float(source.options.get("sweep_hours", SWEEP_HOURS))
    return not swept or now - datetime.fromisoformat(swept) >= timedelta(hours=hours)


def _total(text: str, document: Document) -> int:
    if found := _TOTAL.search(text):
        return int(found[1].replace(",", ""))
    if is_block_page(text):
        raise Blocked("{url} answered with a block page.", remedy="It is tried again later.", url=document.url)
    raise LayoutChanged(
        "{url} shows no total (총 N): the page was rebuilt, or something else was served.",
        remedy="Look at the page in a browser; until policyfeed is updated, ministries' own feeds go on.",
        url=document.url,
    )


def _entry(node: LexborNode, document: Document) -> Entry:
    def part(selector: str) -> str:
        found = node.css_first(selector)
        return found.text() if found else ""

    return Entry(
        title=part("strong"),
        url=urljoin(document.url, f"/briefing/pressReleaseView.do?newsId={_id(node)}")
        if "pressReleaseView" in (node.attributes.get("href") or "")
        else urljoin(document.url, node.attributes.get("href") or ""),
        published=part("span.source > span:nth-child(1)").strip(),
        summary=part("span.lead").strip(),
        ministry=part("span.source > span:nth-child(2)").strip(),
    )


def _id(node: LexborNode) -> str:
    found = _NEWS_ID.search(node.attributes.get("href") or "")
    return found[1] if found else ""


def _day(entry: Entry) -> str:
    found = _DAY.search(entry.published)
    return f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}" if found else ""


def _check(found: Mapping[str, Entry], total: int, number: int, window: tuple[str, str], document: Document) -> None:
    """What a right page holds: as many items as its total says, with titles, ministries and days within the window."""
    expected = min(PER_PAGE, total - (number - 1) * PER_PAGE)
    if expected > 0 and not found:
        raise LayoutChanged("{url} says {total} releases but lists none.", url=document.url, total=total)
    for entry in found.values():
        if not (entry.title.strip() and entry.ministry and _day(entry)):
            raise LayoutChanged("{url} lists a release without title, ministry or date.", url=document.url)
        if not window[0] <= _day(entry) <= window[1]:
            raise LayoutChanged(
                "{url} lists {day}, outside the days asked for: the filter was ignored.",
                url=document.url,
                day=_day(entry),
            )
