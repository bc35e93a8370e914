"""A Korean reader sees a Korean page: every text of feeds and pages is translated."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file

import policyfeed
from policyfeed.i18n import translator

ROOT = Path(policyfeed.__file__).parent
FILES = [
    *((path, "python") for folder in ("web", "formats") for path in sorted((ROOT / folder).glob("*.py"))),
    (ROOT / "naming.py", "python"),
    *((path, "jinja2.ext:babel_extract") for path in sorted((ROOT / "web/templates").glob("*.html"))),
]
SAME = {"policyfeed"}


def _texts(path: Path, method: str) -> set[str]:
    return {text for _, text, _, _ in extract_from_file(method, path) if isinstance(text, str)} - SAME


@pytest.mark.parametrize(("path", "method"), FILES, ids=[path.name for path, _ in FILES])
def test_every_text_has_a_korean_one(path: Path, method: str) -> None:
    korean = translator("ko")
    assert not [text for text in _texts(path, method) if korean(text) == text]


@pytest.mark.parametrize(("path", "method"), FILES, ids=[path.name for path, _ in FILES])
def test_translations_have_the_same_places_to_fill(path: Path, method: str) -> None:
    korean = translator("ko")
    for text in _texts(path, method):
        for place in ("%(score)s", "%(title)s", "%(page)s", "%(when)s", "{name}", "{score}", "{day}"):
            assert (place in text) is (place in korean(text)), text


def test_the_files_hold_texts() -> None:
    assert sum(len(_texts(path, method)) for path, method in FILES) > 50
