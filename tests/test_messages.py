"""Every text that a user may see has a Korean translation that fits; the compiled catalogue is the written one."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from scripts import messages

from policyfeed.errors import Unreachable
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


def test_nothing_said_is_nothing_in_korean_too() -> None:
    error = Unreachable("{said}", said="")
    assert error.text(translator("ko")) == translator("ko")("") == ""
