"""Which articles a feed, an alert or a search takes."""

from __future__ import annotations

import pytest

from policyfeed.selection import Selection
from tests import releases


@pytest.mark.parametrize(
    ("words", "title", "taken"),
    [
        (("탄소 중립",), "탄소중립 도시 선정", True),
        (("탄소 중립",), "2050 탄소  중립", True),
        (("탄소중립",), "2050 탄소 중립", False),
        (("esg",), "ESG 공시 기준", True),
        (("esg", "녹조"), "ESG 공시 기준", False),
        (("c++ (",), "C++ ( 교육", True),
        ((" ",), "무엇이든", True),
    ],
)
def test_words_occur_with_or_without_their_spaces(words: tuple[str, ...], title: str, taken: bool) -> None:
    judged = releases.judged(1, title=title, summary="", content="")
    assert Selection(kept_only=False, words=words).takes(judged) is taken
