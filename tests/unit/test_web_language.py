"""Which language a browser is answered in."""

from __future__ import annotations

import pytest

from policyfeed.web.language import preferred


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("en; q=0.9, ko; q=0.1", "en"),
        ("en;q=0.1,ko;q=0.9", "ko"),
        ("en ; Q = 0.9 , ko;q=0.1", "en"),
        ("ko-KR,ko;q=0.9,en-US;q=0.8", "ko"),
        ("en-GB", "en"),
        ("de, en;q=0.4", "en"),
        ("ko;q=0, en;q=0.1", "en"),
        ("en;q=much", "en"),
        ("*, en;q=0.0", "ko"),
        ("de", "ko"),
        ("", "ko"),
        (",;,", "ko"),
    ],
)
def test_the_language_of_most_weight_that_we_have(header: str, language: str) -> None:
    assert preferred(header) == language
