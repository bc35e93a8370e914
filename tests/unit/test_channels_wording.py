"""Text that fits."""

import pytest

from policyfeed import wording
from policyfeed.types import Reason
from policyfeed.wording import fit
from tests.alerts import judged


@pytest.mark.parametrize(
    ("text", "limit", "fitted"),
    [
        ("탄소중립", 4, "탄소중립"),
        ("탄소중립", 3, "탄소…"),
        ("녹색 전환 추진계획", 8, "녹색 전환…"),
        ("a verylongwordwithoutanyend", 10, "a verylon…"),
        ("", 5, ""),
        ("각가", 2, "각가"),
        ("🇰🇷🇰🇷🇰🇷", 5, "🇰🇷🇰🇷…"),
        ("e\u0301e\u0301e\u0301", 4, "e\u0301…"),
        ("👍🏽👍🏽", 3, "👍🏽…"),
        ("abc", 1, "…"),
    ],
)
def test_a_text_is_cut_between_words_and_never_inside_a_character(text: str, limit: int, fitted: str) -> None:
    assert fit(text, limit) == fitted


def test_one_endless_character_does_not_cost_more_than_the_limit() -> None:
    assert fit("e" + "\u0301" * 2_000_000, 100) == "…"


def test_size_may_count_something_else() -> None:
    assert fit("가나다라", 10, lambda text: len(text.encode())) == "가나…"


@pytest.mark.parametrize(("language", "why"), [("ko", "근거: 공급망(제목)"), ("en", "Why: 공급망 (title)")])
def test_the_signs_of_the_topics_files_are_for_editors(language: str, why: str) -> None:
    reasons = (Reason(rule="term", points=40.0, topic="G5", term="|공급망*", field="title", offset=0),)
    said = wording.told(judged(verdict={"reasons": reasons}), language=language).why
    assert said.endswith(why)


def test_who_publishes_is_named_though_nobody_else_is_credited() -> None:
    assert wording.told(judged(ministries=(), department=""), language="ko").ministry == "기후에너지환경부"


@pytest.mark.parametrize(("language", "kind"), [("ko", "보도자료(수정)"), ("en", "Press release (corrected)")])
def test_a_corrected_release_is_told_as_one(language: str, kind: str) -> None:
    assert wording.told(judged(revision=2), language=language).kind == kind
