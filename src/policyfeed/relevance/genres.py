"""Sorts of releases, known by kind, tag or wording."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from policyfeed.relevance.case import Passage
from policyfeed.relevance.matching import Found, Matcher
from policyfeed.relevance.rules import Genre, Strength, Term
from policyfeed.relevance.text import Squeezed
from policyfeed.types import Kind

PATTERN_CHARS = 500
"""How far patterns are sought: editors write them, and a careless one may be slow on a long text."""


Read = tuple[Passage, Squeezed]


@dataclass(frozen=True, slots=True)
class Sign:
    """What showed a genre; no passage when the article's kind or a tag did."""

    passage: Passage | None = None
    offset: int = -1
    text: str = ""


class GenreFinder:
    """One genre, ready to be sought."""

    def __init__(self, genre: Genre) -> None:
        self.genre = genre
        joined = "|".join(f"(?:{pattern})" for pattern in genre.patterns)
        self._pattern = re.compile(joined) if joined else None
        terms = [Term(text=text, topic=genre.id, strength=Strength.WEAK) for text in genre.terms]
        self._matcher = Matcher(terms) if terms else None

    def sign(self, kind: Kind, tagged: str, read: Iterable[Read], told: Sequence[tuple[Passage, Found]]) -> Sign | None:
        """Why an article is of this genre, or None. ``tagged`` is the title's tags, ``read`` the passages to look at,
        ``told`` where topics' terms stand: what speaks against an article is not read out of the middle of a term (the
        수급 of 전력수급)."""
        if self.genre.kinds and kind in self.genre.kinds:
            return Sign()
        if tagged and self._pattern and (found := self._pattern.search(tagged, 0, PATTERN_CHARS)):
            return Sign(text=found[0])
        for passage, squeezed in read:
            for start, end in self._spans(passage.text, squeezed):
                if self.genre.points >= 0 or not _inside(passage, start, end, told):
                    return Sign(passage, passage.shift + start, passage.text[start:end])
        return None

    def _spans(self, text: str, squeezed: Squeezed) -> Iterable[tuple[int, int]]:
        found = list[tuple[int, int]]()
        # mostly there is nothing: to hear it from one search costs half of what an iterator does
        if self._pattern and self._pattern.search(text, 0, PATTERN_CHARS):
            found += (one.span() for one in self._pattern.finditer(text, 0, PATTERN_CHARS))
        if self._matcher:
            found += ((one.offset, one.until) for one in self._matcher.find(squeezed))
        return found


def _inside(passage: Passage, start: int, end: int, told: Sequence[tuple[Passage, Found]]) -> bool:
    return any(where is passage and term.offset <= start and end <= term.until for where, term in told)
