"""What each revision of an article changed, paragraph by paragraph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from policyfeed.normalize.html import to_text
from policyfeed.normalize.text import shorten
from policyfeed.web.rows import When, when

MOST_CHANGES, MOST_CHARACTERS = 30, 400
"""Of one revision; of one paragraph."""


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
        after = [known["title"], *_paragraphs(known["content"] or known["summary"])]
        changes = tuple(_changes(before, after))[:MOST_CHANGES] if found else ()
        found.append(
            Revision(number=known["revision"], title=known["title"], seen=when(known["seen"]), changes=changes)
        )
        before = after
    return found


def _paragraphs(content: str) -> list[str]:
    return [line.strip() for line in to_text(content).splitlines() if line.strip()]


def _changes(before: list[str], after: list[str]) -> list[Change]:
    found = []
    for what, start, end, new_start, new_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what != "equal":
            found += [Change(came=False, text=shorten(text, MOST_CHARACTERS)) for text in before[start:end]]
            found += [Change(came=True, text=shorten(text, MOST_CHARACTERS)) for text in after[new_start:new_end]]
    return found
