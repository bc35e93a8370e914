"""Every form of a date that publishers were seen to write; the forms are in ``tests/cases/dates/forms.toml``."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyfeed.normalize.dates import Moment, parse

CASES = Path(__file__).parents[1] / "cases" / "dates" / "forms.toml"
FORMS = tomllib.loads(CASES.read_text(encoding="utf-8"))
ZONES = {"elsewhere": "Europe/Brussels"}


def shown(found: Moment | None) -> str:
    if found is None:
        return ""
    return f"{found.at.replace(tzinfo=None).isoformat()}{' day' if found.dated else ''}"


@pytest.mark.parametrize(
    ("group", "raw", "expected"), [(group, raw, want) for group, forms in FORMS.items() for raw, want in forms.items()]
)
def test_a_date_is_read_or_refused(group: str, raw: str, expected: str) -> None:
    assert shown(parse(raw, ZONES.get(group, "Asia/Seoul"))) == expected


@pytest.mark.parametrize("raw", [raw for forms in FORMS.values() for raw in forms])
def test_white_space_around_a_date_does_not_matter(raw: str) -> None:
    assert parse(f" \t\r\n\xa0{raw}\u3000") == parse(raw)


def test_a_long_text_is_no_date() -> None:
    assert parse("2026.05.20" + " " * 200 + "14:30") is None


@given(st.text(max_size=120))
def test_any_text_is_a_moment_in_utc_or_nothing(raw: str) -> None:
    found = parse(raw)
    assert found is None or found.at.utcoffset() is not None


@given(st.datetimes(min_value=datetime(1990, 1, 2), max_value=datetime(2200, 1, 1)), st.integers(-840, 840))  # noqa: DTZ001
def test_what_computers_write_is_read_back(moment: datetime, minutes: int) -> None:
    aware = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    day = Moment(moment.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC), dated=True)
    assert parse(aware.isoformat()) == parse(format_datetime(aware)) == Moment(aware.astimezone(UTC))
    assert parse(f"{moment:%B %-d, %Y}", "UTC") == parse(f"{moment:%-d %B %Y}", "UTC") == day
