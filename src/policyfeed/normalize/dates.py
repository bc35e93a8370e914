"""Dates as Korean publishers write them → aware UTC. Unreadable is None, never a guess.

feedparser's own parsing is not used: it reads ``2024.08.26`` as 1 November and ``KST`` as UTC.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import parsedate_tz
from zoneinfo import ZoneInfo

_NUMBERS = re.compile(
    r"""^\s*(?P<y>\d{4})\s*(?:[-./]|년)\s*(?P<m>\d{1,2})\s*(?:[-./]|월)\s*(?P<d>\d{1,2})\s*(?:일|\.(?!\d))?
    \s*(?:\(?[월화수목금토일](?:요일)?\)?)?
    (?:[T\s,]*
       (?P<half>오전|오후|AM|PM|am|pm)?\s*
       (?P<H>\d{1,2})\s*(?::|시)\s*(?:(?P<M>\d{1,2})\s*분?)?(?:\s*:?\s*(?P<S>\d{1,2})(?:[.,]\d+)?\s*초?)?
       \s*(?P<half2>AM|PM|am|pm)?
    )?\s*(?P<zone>Z|UTC|GMT|KST|[+-]\d{2}:?\d{2})?\s*$""",
    re.VERBOSE,
)
_DIGITS = re.compile(r"^\s*(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})?)?\s*(Z|[+-]\d{2}:?\d{2})?\s*$")
_US = re.compile(r"^\s*(\d{2})/(\d{2})/(\d{4})(?:\s+(\d{2}):(\d{2}):(\d{2}))?\s*$")
_UNIX = re.compile(
    r"^\s*(?P<wd>[A-Za-z]{3})\s+(?P<mon>[A-Za-z]{3})\s+(?P<d>\d{1,2})\s+(?P<time>\d{1,2}:\d{2}:\d{2})"
    r"\s+(?P<zone>[A-Z]{3,4})\s+(?P<y>\d{4})\s*$"
)
_ZONES = {"KST": timedelta(hours=9), "JST": timedelta(hours=9), "GMT": timedelta(0), "UTC": timedelta(0),
          "Z": timedelta(0)}  # fmt: skip
_NAMED = re.compile(r"\b(KST|JST)\b")
_RFC822 = re.compile(r"^\s*(?:[A-Za-z]{3,9},?\s+)?\d{1,2}[\s-][A-Za-z]{3,9}[\s-]\d{2,4}\b")


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time in UTC; ``dated``: upstream gave only the day, and it is that day's midnight in its zone."""

    at: datetime
    dated: bool = False


def parse(raw: str, zone: str = "Asia/Seoul") -> Moment | None:
    """The moment that ``raw`` names, in ``zone`` where it names none itself; None when it cannot be read.

    Understood: RFC 822/2822, RFC 3339, Unix ``date`` output, and the Korean board forms ``2026.05.20``,
    ``2026-05-20 17:00:00.0``, ``2026년 5월 20일 오후 2:30``, ``20260520143000``, ``05/20/2026 14:30:00``.
    """
    text = raw.strip()
    if not text or len(text) > 100:
        return None
    default = ZoneInfo(zone)
    for reader in (_numbers, _digits, _us, _unix, _rfc822):
        try:
            if found := reader(text, default):
                return found
        except (ValueError, OverflowError):
            return None
    return None


def _numbers(text: str, default: ZoneInfo) -> Moment | None:
    found = _NUMBERS.match(text)
    if not found:
        return None
    day = date(int(found["y"]), int(found["m"]), int(found["d"]))
    if found["H"] is None:
        return _day(day, default)
    hour = int(found["H"])
    half = (found["half"] or found["half2"] or "").lower()
    if half in ("오후", "pm") and hour < 12:
        hour += 12
    elif half in ("오전", "am") and hour == 12:
        hour = 0
    return _at(day, hour, int(found["M"] or 0), int(found["S"] or 0), found["zone"], default)


def _digits(text: str, default: ZoneInfo) -> Moment | None:
    found = _DIGITS.match(text)
    if not found:
        return None
    day = date(int(found[1]), int(found[2]), int(found[3]))
    if found[4] is None:
        return _day(day, default)
    return _at(day, int(found[4]), int(found[5]), int(found[6] or 0), found[7], default)


def _us(text: str, default: ZoneInfo) -> Moment | None:
    found = _US.match(text)
    if not found:
        return None
    day = date(int(found[3]), int(found[1]), int(found[2]))
    return _at(day, int(found[4]), int(found[5]), int(found[6]), None, default) if found[4] else _day(day, default)


def _unix(text: str, default: ZoneInfo) -> Moment | None:
    found = _UNIX.match(text)
    if not found or found["zone"] not in _ZONES:
        return None
    day = datetime.strptime(f"{found['d']} {found['mon']} {found['y']}", "%d %b %Y").replace(tzinfo=UTC).date()
    hour, minute, second = (int(part) for part in found["time"].split(":"))
    return _at(day, hour, minute, second, found["zone"], default)


def _rfc822(text: str, default: ZoneInfo) -> Moment | None:
    if not _RFC822.match(text):
        return None
    named = _NAMED.search(text)
    parts = parsedate_tz(_NAMED.sub("", text))
    if parts is None:
        return None
    timed = ":" in text
    day = date(*parts[:3])
    if not timed:
        return _day(day, default)
    moment = datetime(*parts[:5], min(parts[5], 59), tzinfo=default)
    if named:
        moment = moment.replace(tzinfo=timezone(_ZONES[named[1]]))
    elif parts[9] is not None and not _zoneless(text):
        moment = moment.replace(tzinfo=timezone(timedelta(seconds=parts[9])))
    return Moment(moment.astimezone(UTC))


def _zoneless(text: str) -> bool:
    """Whether nothing follows the time of day: parsedate_tz then says 0, as for GMT."""
    return re.search(r":\d{2}\s*$", text) is not None


def _day(day: date, default: ZoneInfo) -> Moment:
    return Moment(datetime(day.year, day.month, day.day, tzinfo=default).astimezone(UTC), dated=True)


def _at(day: date, hour: int, minute: int, second: int, zone: str | None, default: ZoneInfo) -> Moment:
    moment = datetime(day.year, day.month, day.day, hour, minute, min(second, 59), tzinfo=default)
    if zone:
        moment = moment.replace(tzinfo=timezone(_offset(zone)))
    return Moment(moment.astimezone(UTC))


def _offset(zone: str) -> timedelta:
    if zone in _ZONES:
        return _ZONES[zone]
    sign = -1 if zone[0] == "-" else 1
    digits = zone[1:].replace(":", "")
    return sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
