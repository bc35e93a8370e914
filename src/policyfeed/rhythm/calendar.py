"""The Korean calendar: which days are worked. Days are proleptic ordinals (``date.toordinal``) in KST."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache, partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import holidays

KST = timezone(timedelta(hours=9))  # no summer time since 1988: a fixed offset is the same and many times faster
MINUTES = 1440
EVE, FREE = 5, 6
KINDS = range(7)
"""Monday to Friday where they are worked; EVE, a free day before a working one, which has the embargoes of its morning
papers; FREE, any other free day."""
_SATURDAY = 5


def _korea() -> Callable[..., holidays.HolidayBase]:
    """The package's South Korea alone: to load it the package would load all 250 countries, for half a second."""
    file = Path(holidays.__file__).parent / "countries" / "south_korea.py"
    spec = spec_from_file_location(f"{__name__}.south_korea", file)
    if spec is None or spec.loader is None or not file.exists():  # a later package may be laid out otherwise
        return partial(holidays.country_holidays, "KR")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    korea: type[holidays.HolidayBase] = module.SouthKorea
    return korea


_holidays_of_korea = _korea()


@lru_cache(maxsize=64)
def _public_holidays(year: int) -> frozenset[int]:
    """Public holidays of a year, substitute days (대체공휴일) and temporary ones as far as the package knows them."""
    return frozenset(day.toordinal() for day in _holidays_of_korea(years=year))


@lru_cache(maxsize=4096)
def works(day: int) -> bool:
    """Whether ministries work on that day: neither a weekend nor a public holiday."""
    on = date.fromordinal(day)
    return on.weekday() < _SATURDAY and day not in _public_holidays(on.year)


def kind_of(day: int) -> int:
    """One of KINDS."""
    if works(day):
        return date.fromordinal(day).weekday()
    return EVE if works(day + 1) else FREE


def week_start(day: int) -> int:
    """The Saturday on which the budget's week began."""
    return day - (date.fromordinal(day).weekday() - _SATURDAY) % 7


def place(moment: datetime) -> tuple[int, float]:
    """The KST day of a moment and the seconds since its midnight."""
    local = moment.astimezone(KST)
    return local.toordinal(), local.hour * 3600 + local.minute * 60 + local.second + local.microsecond / 1e6


def moment_of(day: int, seconds: float) -> datetime:
    """The moment, in UTC, so many seconds after the KST midnight of a day."""
    midnight = datetime.combine(date.fromordinal(day), datetime.min.time(), KST)
    return (midnight + timedelta(seconds=seconds)).astimezone(UTC)
