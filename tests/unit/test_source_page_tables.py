"""Tables of the kinds ``page`` and ``json``: mistakes are found before the first request; requests are built right."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from policyfeed import registry
from policyfeed.normalize import listing
from policyfeed.types import Request, Source

NOW = datetime(2026, 5, 20, tzinfo=UTC)
PAGE: dict[str, Any] = {"item": "tr", "title": "a", "link": "a"}
JSON: dict[str, Any] = {"items": "list", "title": "SUBJECT", "link": "url"}


def source(kind: str, options: dict[str, Any], **more: Any) -> Source:
    return Source(id="board", kind=kind, url="https://news.example.go.kr/list.do?m=1", options=options, **more)


@pytest.mark.parametrize(
    ("kind", "options", "keys"),
    [
        ("page", PAGE, []),
        ("page", {}, ["item", "title", "link"]),
        ("page", {**PAGE, "item": "td:nth-child("}, ["item"]),
        ("page", {**PAGE, "date": "td[@title"}, ["date"]),
        ("page", {**PAGE, "title": "@title"}, []),
        ("page", {**PAGE, "date_pattern": "(\\d"}, ["date_pattern"]),
        ("page", {"item": "tr", "title": "a", "id": "a@onclick"}, ["link"]),
        ("page", {**PAGE, "allow_empty": True}, ["frame"]),
        ("page", {**PAGE, "allow_empty": True, "frame": "table"}, []),
        ("json", JSON, []),
        ("json", {}, ["title", "link"]),
        ("json", {"title": "t", "link_template": "https://x.go.kr/{id}"}, ["id"]),
        ("json", {"title": "t", "link_template": "https://x.go.kr/{no}"}, []),
        ("json", {**JSON, "date_pattern": "["}, ["date_pattern"]),
    ],
)
def test_mistakes_are_found_and_named(kind: str, options: dict[str, Any], keys: list[str]) -> None:
    mistakes = registry.load("sources", kind).check(source(kind, options))
    assert [mistake.facts["key"] for mistake in mistakes] == [f"options.{key}" for key in keys]
    for mistake in mistakes:
        assert mistake.text().startswith("board: options.")


def test_get_and_post_requests() -> None:
    adapter = registry.load("sources", "json")
    plain = adapter.first(source("json", JSON), {}, NOW)
    assert plain == Request(url="https://news.example.go.kr/list.do?m=1", headers=(("Accept", adapter.ACCEPT),))
    form = adapter.first(source("json", JSON, method="POST", body="pageNo=1&검색=기후"), {}, NOW)
    assert form.body.decode() == "pageNo=1&검색=기후"
    assert dict(form.headers)["Content-Type"] == "application/x-www-form-urlencoded; charset=UTF-8"
    own = adapter.first(
        source("json", JSON, method="POST", body='{"page": 1}', headers=(("accept", "*/*"), ("X-Requested-With", "x"))),
        {},
        NOW,
    )
    assert own.headers == (("Content-Type", "application/json"), ("accept", "*/*"), ("X-Requested-With", "x"))


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (Request(url="https://a.go.kr/l.do"), Request(url="https://a.go.kr/l.do?p=2")),
        (Request(url="https://a.go.kr/l.do?m=&p=1"), Request(url="https://a.go.kr/l.do?m=&p=2")),
        (
            Request(url="https://a.go.kr/l.do", method="POST", body=b"p=1&m=4"),
            Request(url="https://a.go.kr/l.do", method="POST", body=b"m=4&p=2"),
        ),
        (
            Request(url="https://a.go.kr/l.do", method="POST", body=b'{"p": 1, "m": "4"}'),
            Request(url="https://a.go.kr/l.do", method="POST", body=b'{"p": 2, "m": "4"}'),
        ),
        (Request(url="https://a.go.kr/l.do", method="POST"), Request(url="https://a.go.kr/l.do?p=2", method="POST")),
    ],
)
def test_the_page_parameter_goes_where_the_parameters_are(first: Request, expected: Request) -> None:
    assert listing.at_page(first, "p", 2) == expected


@pytest.mark.parametrize(
    ("raw", "pattern", "form", "expected"),
    [
        (" 2026.05.20. ", "", "", "2026.05.20."),
        ("등록일 2026.05.20 조회 33", r"\d{4}\.\d{2}\.\d{2}", "", "2026.05.20"),
        ("등록일 2026.05.20 조회 33", r"등록일 (\S+)", "", "2026.05.20"),
        ("조회 33", r"\d{4}", "", ""),
        ("20/05/26", "", "%d/%m/%y", "2026-05-20"),
        ("20/05/26 08:30", "", "%d/%m/%y %H:%M", "2026-05-20T08:30:00+09:00"),
        ("20/05/26 08:30 +0000", "", "%d/%m/%y %H:%M %z", "2026-05-20T08:30:00+00:00"),
        ("어제", "", "%d/%m/%y", "어제"),
        ("1779235200", "", "epoch", "2026-05-20T00:00:00+00:00"),
        ("1779235200000", "", "epoch_ms", "2026-05-20T00:00:00+00:00"),
        ("9" * 30, "", "epoch", "9" * 30),
        ("", "", "epoch", ""),
    ],
)
def test_dates_of_boards(raw: str, pattern: str, form: str, expected: str) -> None:
    assert listing.date_text(raw, pattern, form) == expected


def test_templates_are_filled_and_encoded() -> None:
    assert (
        listing.fill("https://a.go.kr/{id}?c={2}", {"id": "7/8 &", "2": "가"})
        == "https://a.go.kr/7%2F8%20%26?c=%EA%B0%80"
    )
    assert listing.fill("https://a.go.kr/{id}", {"id": ""}) == ""
    assert listing.fill("https://a.go.kr/{no}", {"id": "7"}) == ""


class TestLeafing:
    """``listing.turn`` reads on while a page ends with rows that the last poll did not see."""

    def test_lists_of_one_page_have_no_cursor(self) -> None:
        assert listing.turn({"seen": ["a"]}, ["b"], most=1) == listing.Turn(cursor=None)

    def test_first_contact_reads_one_page(self) -> None:
        assert listing.turn({}, ["b", "a"], most=5) == listing.Turn(cursor={"seen": ["b", "a"]})

    def test_a_pinned_notice_does_not_end_it_early(self) -> None:
        turn = listing.turn({"seen": ["notice", "a"]}, ["notice", "d", "c", "b"], most=5)
        assert turn.more

    def test_one_withdrawn_release_does_not_prolong_it(self) -> None:
        turn = listing.turn({"seen": ["d", "c", "b"]}, ["d", "b", "a"], most=5)
        assert not turn.more

    def test_it_ends_at_most_pages_and_says_so(self) -> None:
        cursor: dict[str, Any] = {"seen": ["old"]}
        for page in range(3):
            turn = listing.turn(cursor, [f"{page}-1", f"{page}-2"], most=3)
            cursor = dict(turn.cursor or {})
        assert not turn.more
        assert cursor == {"seen": ["0-1", "0-2", "1-1", "1-2", "2-1", "2-2"]}
        assert "backfill" in turn.warnings[0]

    def test_a_broken_off_poll_leaves_what_was_seen_before(self) -> None:
        turn = listing.turn({"seen": ["a"]}, ["d", "c"], most=3)
        assert turn.cursor is not None
        assert turn.cursor["seen"] == ["a"]
        assert turn.ended == listing.Turn(cursor={"seen": ["d", "c"]})
        assert turn.ended.ended == turn.ended


def test_block_pages_are_known_by_their_words() -> None:
    assert listing.is_block_page("<p>정상적인 메뉴접근이 아닙니다.</p>")
    assert listing.is_block_page("<div class='g-reCAPTCHA'></div>")
    assert not listing.is_block_page("<p>등록된 게시물이 없습니다.</p>")
