"""Every text that a user may see has a Korean translation that fits; the compiled catalogue is the written one."""

from __future__ import annotations

import errno
import os
import re
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from scripts import messages

from policyfeed.errors import Paused, Unreachable, UsageError
from policyfeed.i18n import translator

HANGUL = re.compile("[가-힣]")


@pytest.fixture(scope="module")
def wanted() -> Mapping[str, set[str]]:
    return messages.collect()


def test_every_text_is_translated_and_the_catalogue_is_up_to_date(wanted: Mapping[str, set[str]]) -> None:
    found = messages.problems(messages.read(), dict(wanted))
    assert not found, "translate in policyfeed.po, then `make messages`:\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ("No source is due.", "src/policyfeed/cli/work.py"),  # say("…")
        ("last success", "src/policyfeed/cli/sources.py"),  # a table's header
        ("Polling", "src/policyfeed/cli/work.py"),  # a progress bar
        ("{url} redirects in a circle.", "src/policyfeed/transport/http.py"),  # an error
        ("Use debug, info, warning or error.", "src/policyfeed/cli/__init__.py"),  # remedy="…"
        ("The page is gone or has moved: look for the new address.", "src/policyfeed/harvest.py"),  # through a dict
        ("Dropped with {score} of 100 points", "src/policyfeed/cli/articles.py"),  # through a name
        ("Page %(page)s of %(pages)s", "src/policyfeed/web/templates/board.html"),  # a template with facts
    ],
)
def test_texts_are_found_however_they_are_said(wanted: Mapping[str, set[str]], text: str, file: str) -> None:
    assert file in wanted[text]


def test_translations_are_korean() -> None:
    said = {str(one.id): str(one.string) for one in messages.read() if one.id}
    wordy = {text for text in said if re.search("[a-z]", messages.PLACES.sub("", text))}
    assert [text for text in sorted(wordy) if not HANGUL.search(said[text])] == []


def test_no_particle_hangs_on_a_fact_whose_last_letter_nobody_knows() -> None:
    """은 or 는, 이 or 가, 으로 or 로: a noun stands between; 은(는) is no Korean that anybody would say."""
    both = re.compile(r"(은\(는\)|이\(가\)|을\(를\)|\(으\)로|와\(과\)|과\(와\))")
    hanging = re.compile(r"((?<!\})\}|\)s)['\"`’”]*(은|는|이|가|을|를|과|와|으로|로|이?라는)(?![가-힣])")
    said = [str(one.string) for one in messages.read() if one.id]
    assert [text for text in said if both.search(text) or hanging.search(text)] == []


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("{url} sent {count:d} bytes", {"url", "count"}),
        ("{name!r} is not known", {"name"}),
        ("Write {{id}} there", set()),
        ("Page %(page)s", {"page"}),
    ],
)
def test_placeholders_are_seen_in_every_form(text: str, places: set[str]) -> None:
    assert messages.placeholders(text) == places


def test_an_error_speaks_korean_with_its_remedy() -> None:
    error = Unreachable(
        "{url} redirects in a circle.",
        remedy="If it hands out a cookie first, let the source keep cookies.",
        url="https://www.molit.go.kr/dev/board/board_rss.jsp",
    )
    said = error.text(translator("ko"))
    assert said.startswith("https://www.molit.go.kr/dev/board/board_rss.jsp 주소가")
    assert "쿠키" in said


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "/x"), "파일이나 폴더가 없음"),
        (os.strerror(errno.EACCES), "권한 없음"),
        (sqlite3.OperationalError("unable to open database file"), "데이터베이스 파일을 열 수 없음"),
        (OSError("something odd"), "something odd"),
    ],
)
def test_what_the_system_says_is_quoted_in_korean(problem: object, said: str) -> None:
    error = UsageError("{file} cannot be read: {problem}.", file="/x", problem=problem)
    assert error.text(translator("ko")) == f"/x 파일을 읽을 수 없습니다: {said}."


def test_a_pause_is_told_in_korean_time_as_all_others() -> None:
    said = Paused("www.korea.kr", datetime(2026, 5, 20, 0, 30, tzinfo=UTC))
    assert str(said) == "www.korea.kr asked to be left alone until 2026-05-20 09:30 KST"


def test_nothing_said_is_nothing_in_korean_too() -> None:
    error = Unreachable("{said}", said="")
    assert error.text(translator("ko")) == translator("ko")("") == ""
