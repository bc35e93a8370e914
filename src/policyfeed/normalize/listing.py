"""List pages (boards): what the kinds ``page`` and ``json`` share. Leafing, dates, addresses, block pages."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from policyfeed.errors import Blocked, ConfigError, LayoutChanged, Remark
from policyfeed.types import Entry, Request, Source

REMEMBERED = 500
"""Keys of the last poll that are kept: more than any poll reads."""
EMPTY = Remark("the list is empty")
_BLOCK = re.compile(
    "정상적인 메뉴접근이 아닙니다|비정상적인 접근|자동\\s*등록\\s*방지|보안\\s*문자|접근이 (차단|제한)|웹\\s*방화벽"
    "|Access Denied|Request Rejected|Just a moment|captcha|Web Application Firewall",
    re.IGNORECASE,
)
_PLACE = re.compile(r"\{([^{}]+)\}")
_TIMED = re.compile(r"%[HIpMScXfs]")


def mistake(source: Source, key: str, template: str, remedy: str = "") -> ConfigError:
    """A mistake in the options of a source; facts: source, key and value."""
    value = source.options.get(key, "")
    return ConfigError(template, remedy=remedy, source=source.id, key=f"options.{key}", value=value)


def is_pattern(pattern: str) -> bool:
    """Whether it is a regular expression."""
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def is_block_page(text: str) -> bool:
    """Whether a page without any entry is a refusal. Never ask it of a page with entries: titles may say "captcha"."""
    return bool(_BLOCK.search(text[:200_000]))


def blocked(url: str) -> Blocked:
    """The error of a block page."""
    return Blocked("{url} answered with a block page.", remedy="It is tried again later.", url=url)


def nothing_found(text: str, source: Source, url: str, sought: str) -> Blocked | LayoutChanged:
    """The error of a document without entries; ``sought`` is the selector or path that found none."""
    if is_block_page(text):
        return blocked(url)
    return LayoutChanged(
        "{url} has nothing at {sought}: the page was rebuilt, or something else was served.",
        remedy="Look at it in a browser and mend the table of the source {source}.",
        url=url,
        sought=sought,
        source=source.id,
    )


def check_fields(entries: Sequence[Entry], wanted: Mapping[str, str], source: Source, url: str) -> None:
    """Raises LayoutChanged when a field is empty in every entry; ``wanted``: Entry's field → where it is read from."""
    for name, place in wanted.items():
        if not any(getattr(entry, name) for entry in entries):
            raise LayoutChanged(
                "{url}: no row has anything at {sought}: the list was rebuilt.",
                remedy="Look at it in a browser and mend the table of the source {source}.",
                url=url,
                sought=place,
                source=source.id,
            )


def date_text(raw: str, pattern: str = "", form: str = "", zone: str = "Asia/Seoul") -> str:
    """The date as printed, or what ``pattern`` finds of it; with a ``form`` (strptime, ``epoch``, ``epoch_ms``) in ISO.

    What does not fit the form is handed on as it is: normalize says so, and makes no guess.
    """
    text = raw.strip()
    if pattern:
        found = re.search(pattern, text)
        text = (found[1] if found.re.groups else found[0]) if found else ""
    if not form or not text:
        return text
    try:
        if form in ("epoch", "epoch_ms"):
            return datetime.fromtimestamp(float(text) / (1000 if form == "epoch_ms" else 1), UTC).isoformat()
        moment = datetime.strptime(text, form)  # noqa: DTZ007 - the zone follows, unless the form has one
    except (ValueError, OverflowError, OSError):
        return text
    if not _TIMED.search(form):
        return moment.date().isoformat()
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).isoformat()


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with its ``{name}`` places filled, percent-encoded; empty when one of them has no value."""
    if not all(values.get(name) for name in _PLACE.findall(template)):
        return ""
    return _PLACE.sub(lambda place: quote(values[place[1]], safe=""), template)


def places(template: str) -> tuple[str, ...]:
    """The names that a template wants."""
    return tuple(_PLACE.findall(template))


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Whether to read one more page, and the cursor to leave behind."""

    cursor: Mapping[str, Any] | None
    more: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def ended(self) -> Turn:
        """The same when there is no further page after all."""
        if not self.more or self.cursor is None:
            return self
        return Turn(cursor={"seen": self.cursor["read"][:REMEMBERED]}, warnings=self.warnings)


def under_way(cursor: Mapping[str, Any]) -> int:
    """How many pages of the present poll were read already."""
    return int(cursor.get("pages", 0))


def turn(cursor: Mapping[str, Any], keys: Sequence[str], most: int) -> Turn:
    """Read on while a page ends with what the last poll did not see, at most ``most`` pages.

    The last half decides: notices pinned to the top are always known, and one withdrawn release moves an unknown one up
    to the page's end. At first contact one page is enough. A cursor with ``all`` (a backfill's) goes on to the end.
    """
    seen, read = cursor.get("seen", ()), list(cursor.get("read", ()))
    repeated = bool(keys) and set(keys) <= set(read)
    if cursor.get("all"):
        return _turn_back(read, keys, under_way(cursor) + 1, ended=repeated or not keys)
    if most <= 1:
        return Turn(cursor=None)
    caught_up = not seen or not keys or bool(set(keys[len(keys) // 2 :]) & set(seen))
    if not (repeated or caught_up) and under_way(cursor) + 1 < most:
        reading = {"seen": list(seen), "read": [*read, *keys], "pages": under_way(cursor) + 1}
        return Turn(cursor=reading, more=True)
    warnings: tuple[Remark, ...] = ()
    if repeated:
        warnings = (Remark("the next page shows the same rows again: the page parameter is ignored"),)
    elif not caught_up:
        template = "all rows of {most} pages are new: older ones may have been missed, a backfill finds them"
        warnings = (Remark(template, most=most),)
    left = {"seen": list(dict.fromkeys([*read, *keys]))[:REMEMBERED]}
    return Turn(cursor=left, warnings=warnings)


def _turn_back(read: Sequence[str], keys: Sequence[str], pages: int, *, ended: bool) -> Turn:
    """A backfill's turn: on to the end, whatever is known. Beyond it some lists show their last page again."""
    read = list(dict.fromkeys([*read, *keys]))[-REMEMBERED:]
    return Turn(cursor={"seen": read}) if ended else Turn(cursor={"all": True, "read": read, "pages": pages}, more=True)


def request(source: Source, accept: str) -> Request:
    """The first page: the configured request, with Accept and, for a body, Content-Type where none is configured."""
    headers = {name.lower() for name, _ in source.headers}
    given = [("Accept", accept)] if "accept" not in headers else []
    if source.body and "content-type" not in headers:
        form = "application/json" if _is_json(source.body) else "application/x-www-form-urlencoded; charset=UTF-8"
        given.append(("Content-Type", form))
    return Request(
        url=source.url, method=source.method, headers=(*given, *source.headers), body=source.body.encode("utf-8")
    )


def at_page(first: Request, param: str, value: int) -> Request:
    """The request with the page's parameter set: in the body of a POST (form or JSON), else in the query."""
    body = first.body.decode("utf-8")
    if first.method != "POST" or not body:
        parts = urlsplit(first.url)
        return replace(first, url=urlunsplit(parts._replace(query=_with(parts.query, param, value))))
    if _is_json(body):
        return replace(first, body=json.dumps({**json.loads(body), param: value}, ensure_ascii=False).encode("utf-8"))
    return replace(first, body=_with(body, param, value).encode("utf-8"))


def _with(query: str, param: str, value: int) -> str:
    pairs = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] != param]
    return urlencode([*pairs, (param, str(value))])


def _is_json(body: str) -> bool:
    return body.lstrip().startswith("{")
