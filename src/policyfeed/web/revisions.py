"""What each revision of an article changed, paragraph by paragraph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Any

from policyfeed.normalize.html import to_text
from policyfeed.normalize.text import shorten
from policyfeed.web.rows import When, when

MOST_REVISIONS, MOST_CHANGES, MOST_CHARACTERS = 20, 30, 400
"""The newest; of one revision; of one paragraph."""
MOST_READ, MOST_PARAGRAPHS = 100_000, 500
"""Characters of a text, and paragraphs between the first that differs and the last, that are compared: the effort may
grow with the cube of these. The longest of 62,000 releases had 26,045 characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A paragraph that came, or went."""

    came: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    number: int
    title: str
    seen: When
    changes: tuple[Change, ...] = ()


def told(history: Sequence[dict[str, Any]]) -> list[Revision]:
    """The revisions, oldest first, each with what it changed of the one before (``store.articles.history``)."""
    found, before = list[Revision](), list[str]()
    for known in history:
        after = [known["title"], *_paragraphs((known["content"] or known["summary"])[:MOST_READ])]
        changes = tuple(_changes(before, after))[:MOST_CHANGES] if found else ()
        found.append(
            Revision(number=known["revision"], title=known["title"], seen=when(known["seen"]), changes=changes)
        )
        before = after
    return found


def _paragraphs(content: str) -> list[str]:
    return [line.strip() for line in to_text(content).splitlines() if line.strip()]


def _changes(before: list[str], after: list[str]) -> list[Change]:
    start = _alike(before, after)
    rest = _alike(before[start:][::-1], after[start:][::-1])
    old, new = (text[start : len(text) - rest][:MOST_PARAGRAPHS] for text in (before, after))
    found = []
    for what, old_start, old_end, new_start, new_end in SequenceMatcher(None, old, new).get_opcodes():
        if what != "equal":
            found += [Change(came=False, text=shorten(text, MOST_CHARACTERS)) for text in old[old_start:old_end]]
            found += [Change(came=True, text=shorten(text, MOST_CHARACTERS)) for text in new[new_start:new_end]]
    return found


def _alike(before: list[str], after: list[str]) -> int:
    """How many paragraphs at the beginning are the same."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))
