"""Dates as Korean publishers write them → aware UTC. Unreadable is None, never a guess.

feedparser's own parsing is not used: it reads ``2024.08.26`` as 1 November and ``KST`` as UTC. Nor is the standard
library's for mail: it says UTC for every zone that it does not know, ``+09:00`` among them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

# With a comment after it: "+0900 (KST)", JavaScript's "GMT+0900 (한국 표준시)", Java's "+09:00[Asia/Seoul]"
_ZONE = (
    r"\s*\(?(?P<zone>(?:(?:GMT|UTC)\s?)?[+-]\d{1,2}(?::?\d{2})?|[A-Z]{1,5})?\)?"
    r"(?(zone)(?:\s*[(\[][^()\[\]]{1,50}[)\]])?)\s*"
)
_CLOCK = (
    r"""(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:[.,]\d{1,9})?)?(?:\s*(?P<half>[AaPp]\.?[Mm]\.?)(?![A-Za-z]))?"""
)
_NUMBERS = re.compile(
    r"""(?P<y>\d{4})\s*(?:[-./]|년)\s*(?P<m>\d{1,2})\s*(?:[-./]|월)\s*(?P<d>\d{1,2})\s*(?:일|\.(?!\d))?
    \s*(?:\(?[월화수목금토일](?:요일)?\)?)?
    (?:[T\s,]*
       (?P<early>오전|오후|[AaPp][Mm])?\s*
       (?P<H>\d{1,2})\s*(?::\s*(?=\d)|시)\s*(?:(?P<M>\d{1,2})\s*분?)?(?:\s*:?\s*(?P<S>\d{1,2})(?:[.,]\d{1,9})?\s*초?)?
       (?:\s*(?P<half>[AaPp][Mm]))?
    )?"""
    + _ZONE,
    re.VERBOSE,
)
_DIGITS = re.compile(
    r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})(?:[T ]?(?P<H>\d{2}):?(?P<M>\d{2})(?::?(?P<S>\d{2}))?)?" + _ZONE
)
_US = re.compile(r"(?P<m>\d{2})/(?P<d>\d{2})/(?P<y>\d{4})\s+" + _CLOCK)
# Java writes "수, 20 5월 2026" where nobody told it otherwise
_MAIL = re.compile(
    r"(?:(?:[A-Za-z]{3,9}|[월화수목금토일](?:요일)?)\.?(?:,\s*|\s+))?"
    r"(?P<d>\d{1,2})[\s-]+(?P<mon>[A-Za-z]{3,9}|\d{1,2}월)\.?,?[\s-]+(?P<y>\d{4}|\d{2})"
    rf"(?:,?\s+{_CLOCK})?{_ZONE}"
)
_UNIX = re.compile(
    rf"(?:[A-Za-z]{{3,9}}\s+)?(?P<mon>[A-Za-z]{{3,9}})\s+(?P<d>\d{{1,2}})\s+{_CLOCK}{_ZONE}\s+(?P<y>\d{{4}})"
)
_ENGLISH = re.compile(
    rf"(?:[A-Za-z]{{3,9}},?\s+)?(?P<mon>[A-Za-z]{{3,9}})\.?\s+(?P<d>\d{{1,2}}),?\s+(?P<y>\d{{4}})"
    rf"(?:,?\s+(?:(?:-|at)\s+)?{_CLOCK})?{_ZONE}"
)
_FORMS = (_NUMBERS, _DIGITS, _US, _MAIL, _UNIX, _ENGLISH)
_NAMES = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
          "december")  # fmt: skip
_MONTHS = {name[:size]: number for number, name in enumerate(_NAMES, 1) for size in range(3, len(name) + 1)}
_MONTHS |= {f"{number}월": number for number in range(1, 13)}
_OFFSET = re.compile(r"(?:GMT|UTC)?\s?([+-])(\d{1,2}):?(\d{2})?")
# Names with one meaning: RFC 822 §5.1 and the two that Korean and Japanese sites print
_ZONES = {"KST": 9, "JST": 9, "GMT": 0, "UTC": 0, "UT": 0, "Z": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5,
          "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time in UTC; ``dated``: upstream gave only the day, and it is that day's midnight in its zone."""

    at: datetime
    dated: bool = False


@lru_cache(maxsize=1024)  # releases of a day often have one time, midnight
def parse(raw: str, zone: str = "Asia/Seoul") -> Moment | None:
    """The moment that ``raw`` names, in ``zone`` where it names none itself; None when it cannot be read.

    Understood: RFC 822/2822 (Java's Korean ``수, 20 5월 2026``, too), RFC 3339, Unix ``date`` output, English dates
    (``May 20, 2026``), and the Korean board forms ``2026.05.20``, ``2026-05-20 17:00:00.0``,
    ``2026년 5월 20일 오후 2:30``, ``20260520143000``, ``05/20/2026 14:30:00`` (data.go.kr; without a time of day nobody
    knows which number is the month).
    """
    text = raw.strip()
    if not text or len(text) > 100:
        return None
    found = next(filter(None, (form.fullmatch(text) for form in _FORMS)), None)
    try:
        return _moment(found.groupdict(), ZoneInfo(zone)) if found else None
    except (ValueError, OverflowError):
        return None


def _moment(said: dict[str, str | None], default: ZoneInfo) -> Moment:
    day = date(_year(said["y"] or ""), _month(said), int(said["d"] or 0))
    if said["H"] is None:
        return Moment(datetime(day.year, day.month, day.day, tzinfo=default).astimezone(UTC), dated=True)
    hour, minute, second = int(said["H"]), int(said["M"] or 0), int(said["S"] or 0)
    hour = _hour(hour, said.get("early") or said.get("half") or "")
    if (hour, minute, second) == (24, 0, 0):  # ISO 8601: the end of the day
        day, hour = day + timedelta(days=1), 0
    moment = datetime(day.year, day.month, day.day, hour, minute, second - (second == 60), tzinfo=default)
    return Moment(_zoned(moment, said.get("zone")).astimezone(UTC))


def _year(text: str) -> int:
    """RFC 2822 §4.3 on years of two digits; only mail's form has them."""
    return int(text) if len(text) == 4 else int(text) + (2000 if int(text) < 50 else 1900)


def _month(said: dict[str, str | None]) -> int:
    word = (said.get("mon") or "").lower()
    if not word:
        return int(said["m"] or 0)
    return _MONTHS.get(word, 0)


def _hour(hour: int, half: str) -> int:
    """오후 0:30 and 오후 12:30 are the same, and 오후 14:30 is printed too."""
    if half == "오후" or half[:1] in ("p", "P"):
        return hour + 12 if hour < 12 else hour
    return 0 if half and hour == 12 else hour


def _zoned(moment: datetime, zone: str | None) -> datetime:
    """The moment in the zone that was printed. Raises ValueError for a name that may mean several zones."""
    if zone is None or zone == moment.tzname():
        return moment
    if zone in _ZONES:
        return moment.replace(tzinfo=timezone(timedelta(hours=_ZONES[zone])))
    found = _OFFSET.fullmatch(zone)
    if not found:
        raise ValueError(zone)
    offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    return moment.replace(tzinfo=timezone(-offset if found[1] == "-" else offset))
