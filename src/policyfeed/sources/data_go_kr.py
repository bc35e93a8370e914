"""data.go.kr's policy news (policyNewsList2): editorial articles of korea.kr with their whole text, for a key.

The API is asked for windows of at most three days, by the day of approval; there is no paging. The key is the option
``key`` (``env:NAME`` or ``file:PATH``), as the portal shows it under "Decoding": it is percent-encoded once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from policyfeed.clock import KST
from policyfeed.errors import Blocked, ConfigError, LayoutChanged, Misconfigured, Refused, Unreadable, UpstreamError
from policyfeed.normalize import dates, listing, parsers, xml
from policyfeed.normalize.attachments import media_type
from policyfeed.normalize.detail import kogl
from policyfeed.normalize.html import paragraphs
from policyfeed.normalize.korea_kr import detail as detail
from policyfeed.normalize.korea_kr import elsewhere as elsewhere
from policyfeed.normalize.korea_kr import read_detail as read_detail
from policyfeed.normalize.links import canonical
from policyfeed.normalize.text import one_line, shorten, text_of
from policyfeed.types import Attachment, Document, Entry, Kind, Page, Request, Source

if TYPE_CHECKING:
    from policyfeed.normalize.parsers import Element

ROBOTS = False
ADDRESS = "interface"

WINDOW = timedelta(days=2)
"""From the first to the last day of a call: three days."""
MOST_DAYS = 31
"""How far back a poll reaches after the daemon was down: the backfill command goes further."""
QUOTA_MARGIN = timedelta(minutes=5)
"""After midnight in Korea, when the day's calls are counted anew."""
_GOOD = ("0", "00")
_QUOTA, _NO_SERVICE = "22", "12"
_ASKED_WRONGLY = ("11", "97", "98")
_NO_KEY = ("20", "30", "31")
_REMEDIES = {
    "12": "The address is wrong or was retired: use policyNewsService2/policyNewsList2.",
    "20": "Apply for the dataset 15095335 at data.go.kr, or wait until the application is approved.",
    "22": "The day's calls are used up. It goes on by itself after midnight in Korea.",
    "30": "Give the Decoding key of an application for the dataset 15095335; a new key works after an hour or two.",
    "31": "Extend the key's period at data.go.kr.",
    "11": "The API wants something else than it did: upgrade policyfeed, or report this.",
    "97": "The API wants something else than it did: upgrade policyfeed, or report this.",
    "98": "The API wants something else than it did: upgrade policyfeed, or report this.",
}
_KINDS = {
    "policy": Kind.POLICY_NEWS,
    "press": Kind.PRESS_RELEASE,
    "pressrelease": Kind.PRESS_RELEASE,
    "briefing": Kind.BRIEFING,
    "actually": Kind.EXPLANATION,
    "fact": Kind.EXPLANATION,
}
"""GroupingCode → kind; what is not known here is what the source's ``article_kind`` says."""
_VIEW = "https://www.korea.kr/news/policyNewsView.do?newsId={id}"
_CODE = re.compile(r"<(?:returnReasonCode|resultCode)>\s*(\d{1,4})\s*<")
_MESSAGE = re.compile(r"<(?:errMsg|resultMsg)>\s*([^<]{1,200})<")
_WITHDRAWN = "D"


def check(source: Source) -> tuple[ConfigError, ...]:
    """A source without a key cannot work."""
    if not source.enabled or source.options.get("key"):
        return ()
    remedy = "Write env:NAME or file:PATH of the key for the dataset 15095335 of data.go.kr."
    return (listing.mistake(source, "key", "{source}: {key} is missing.", remedy),)


def first(source: Source, cursor: Mapping[str, Any], now: datetime) -> Request:
    """The first window: the last three days, or from the last day that was read to its end."""
    today = now.astimezone(KST).date()
    start = today - WINDOW
    if covered := cursor.get("covered"):
        start = max(min(start, date.fromisoformat(covered)), today - timedelta(days=MOST_DAYS))
    return _request(source, start, today)


def days(source: Source, start: date, end: date) -> Request:
    """The first window of the days from ``start`` to ``end``: what a backfill asks for."""
    return _request(source, start, end)


def read(source: Source, cursor: Mapping[str, Any], document: Document) -> Page:  # noqa: ARG001
    """A window's articles, and the next window until the last day asked for (``until`` in the address, for us alone).

    The cursor: ``covered``, the last day asked for. Raises Refused, Misconfigured (the key), LayoutChanged, Unreadable,
    Blocked.
    """
    root = _root(source, document)
    if error := refusal(source, document):
        raise error
    items = root.findall(".//NewsItem")
    if root.find(".//header") is None:
        raise _blocked(source, document) or LayoutChanged("The API's answer has no header.", source=source.id)
    gone = [_said(item, "OriginalUrl") or _VIEW.format(id=_said(item, "NewsItemId"))
            for item in items if _said(item, "ContentsStatus").upper() == _WITHDRAWN]  # fmt: skip
    entries = tuple(_entry(item) for item in items if _said(item, "ContentsStatus").upper() != _WITHDRAWN)
    start, end, until = _asked(source, document)
    following = _request(source, end + timedelta(days=1), until) if end < until else None
    return Page(
        entries=entries,
        next=following,
        cursor={"covered": min(end, until).isoformat()},
        vanished=tuple(map(canonical, gone)),
        newest_first=start + WINDOW >= until,
        rightly_empty=not entries and _is_known(root),
    )


def refusal(source: Source, document: Document) -> UpstreamError | None:
    """The error by its name that the API's own code tells, whatever status it came with; None = there is no code."""
    text = document.body[:4_096].decode("utf-8", "replace")
    found = _CODE.search(text)
    code = found[1] if found else ""
    if not code or code in _GOOD:
        return None
    said = _MESSAGE.search(text)
    facts = {"source": source.id, "code": code, "said": shorten(one_line(said[1] if said else ""), 100)}
    remedy = _REMEDIES.get(code, "It is tried again later, by itself.")
    if code in (_NO_SERVICE, *_ASKED_WRONGLY):
        return LayoutChanged("The API answers with code {code}: {said}.", remedy=remedy, **facts)
    if code in _NO_KEY and document.status != HTTPStatus.TOO_MANY_REQUESTS:
        return Misconfigured("The API refuses with code {code}: {said}.", remedy=remedy, **facts)
    after = _until_tomorrow(document.fetched) if code == _QUOTA else None
    return Refused(
        "The API refuses with code {code}: {said}.",
        remedy=remedy,
        status=document.status,
        after=after,
        **facts,
    )


def _until_tomorrow(now: datetime) -> float:
    """Seconds until a little after the next midnight in Korea."""
    here = now.astimezone(KST)
    midnight = datetime(here.year, here.month, here.day, tzinfo=KST) + timedelta(days=1)
    return (midnight + QUOTA_MARGIN - here).total_seconds()


def _request(source: Source, start: date, until: date) -> Request:
    asked = {
        "serviceKey": "{key}",  # filled in where the request is sent: nothing else ever holds the key
        "startDate": f"{start:%Y%m%d}",
        "endDate": f"{min(start + WINDOW, until):%Y%m%d}",
    }
    # The API never sees a fragment: it tells ``read`` how far to go.
    return Request(
        url=f"{source.url}?{urlencode(asked)}#{until:%Y%m%d}", headers=(("Accept", "application/xml"), *source.headers)
    )


def _asked(source: Source, document: Document) -> tuple[date, date, date]:
    """First and last day of the window, and the last day of all."""
    parts = urlsplit(document.url)
    asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    try:
        start, end = (datetime.strptime(asked[name], "%Y%m%d").date() for name in ("startDate", "endDate"))  # noqa: DTZ007 - days
        until = datetime.strptime(parts.fragment, "%Y%m%d").date() if parts.fragment else end  # noqa: DTZ007 - a day
    except (KeyError, ValueError) as problem:
        raise LayoutChanged("The API answers something else than it was asked.", source=source.id) from problem
    return start, end, until


def _root(source: Source, document: Document) -> Element:
    try:
        return parsers.xml(xml.mended(xml.undeclared(text_of(document, source.encoding))))
    except ValueError as problem:
        raise (_blocked(source, document) or Unreadable("The API's answer is no XML.", source=source.id)) from problem


def _blocked(source: Source, document: Document) -> Blocked | None:
    if not listing.is_block_page(text_of(document, source.encoding)):
        return None
    return Blocked("A block page came instead of the API's answer.", source=source.id)


def _is_known(root: Element) -> bool:
    """Whether a good answer's body is there and holds nothing else than what is read of it."""
    body = root.find("body")
    return body is not None and {node.tag for node in body} <= {"NewsItem", "totalCount"}


def _entry(item: Element) -> Entry:
    subtitles = [text for nth in (1, 2, 3) if (text := one_line(_said(item, f"SubTitle{nth}")))]
    body = _said(item, "DataContents")
    number = _said(item, "KoglType")
    return Entry(
        title=_said(item, "Title"),
        url=_said(item, "OriginalUrl") or _VIEW.format(id=_said(item, "NewsItemId")),
        guid=_said(item, "NewsItemId"),
        published=_later(_said(item, "ApproveDate"), _said(item, "EmbargoDate")),
        updated=_said(item, "ModifyDate"),
        summary=" ".join(subtitles),
        content=paragraphs(body) if _said(item, "ContentsType").upper() == "T" else body,
        ministry=_said(item, "MinisterCode"),
        kind=_KINDS.get(_said(item, "GroupingCode").lower()),
        licence=kogl(number) if re.fullmatch("[0-4]", number) else "",
        attachments=_files(item),
    )


def _later(approved: str, embargo: str) -> str:
    """When it may be read: an embargoed article is approved before its time."""
    one, other = dates.parse(approved), dates.parse(embargo)
    return embargo if one and other and other.at > one.at else approved or embargo


def _files(item: Element) -> tuple[Attachment, ...]:
    """Names and addresses stand in elements that are numbered, or repeated, in the same order."""
    urls = [_text(node) for node in item.iter() if re.fullmatch(r"FileUrl\d*", str(node.tag))]
    names = [_text(node) for node in item.iter() if re.fullmatch(r"FileName\d*", str(node.tag))]
    found = zip(urls, [*names, *[""] * len(urls)], strict=False)
    return tuple(Attachment(name=name, url=url, type=media_type(name)) for url, name in found if url)


def _said(item: Element, name: str) -> str:
    node = item.find(name)
    return _text(node) if node is not None else ""


def _text(node: Element) -> str:
    return (node.text or "").strip()
