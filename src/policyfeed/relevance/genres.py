"""Sorts of releases, known by kind, tag or wording."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ahocorasick_rs import AhoCorasick

from policyfeed.relevance.case import Case, Passage
from policyfeed.relevance.matching import Found, Matcher
from policyfeed.relevance.rules import Genre, Strength, Term, Zone
from policyfeed.relevance.text import Squeezed
from policyfeed.types import Kind

PATTERN_CHARS = 500
"""How far patterns are sought: editors write them, and a careless one may be slow on a long text."""

# In a pattern: what stands for one character or none, a group without groups in it, how often
_SIGN = re.compile(r"\\[bBdDsSwW\W]")
_SET = re.compile(r"\[[^\[\]]+\]")
_GROUP = re.compile(r"\([^()]*\)")
_TIMES = re.compile(r"\{\d*,?\d*\}")
_UNSURE = re.compile(r"[\\()\[\]{}]")
_WORD = re.compile(r"[^\0.^$*+?]+(?![*?])")


@dataclass(frozen=True, slots=True)
class Sign:
    """What showed a genre; no passage when the article's kind or a tag did."""

    passage: Passage | None = None
    offset: int = -1
    text: str = ""


Read = tuple[Passage, Squeezed]
_Signed = tuple[Genre, Sign]


class Genres:
    """All genres, ready to be sought. One look for words of their patterns tells which of them may be there at all."""

    def __init__(self, genres: Iterable[Genre]) -> None:
        self._finders = tuple(GenreFinder(genre) for genre in genres)
        self._zones = {Zone.TITLE, *(Zone.LEAD for finder in self._finders if finder.genre.lead)}
        having: dict[str, set[int]] = {}
        for index, finder in enumerate(self._finders):
            for word in finder.words():
                having.setdefault(word, set()).add(index)
        self._having = tuple(having.values())
        self._automaton = AhoCorasick(list(having))
        self._always = frozenset(range(len(self._finders))).difference(*self._having)

    def signs(self, case: Case, read: Sequence[Read], told: Sequence[tuple[Passage, Found]]) -> Iterator[_Signed]:
        """The genres of an article and what showed them. ``told`` is where topics' terms stand: what speaks against an
        article is not read out of the middle of a term (the 수급 of 전력수급)."""
        tagged = "".join(f"[{tag}] " for tag in case.tags)
        looked = [one for one in read if one[0].zone in self._zones]
        for index in sorted(self._likely([tagged, *(passage.text for passage, _ in looked)])):
            finder = self._finders[index]
            here = looked if finder.genre.lead else [one for one in looked if one[0].zone is Zone.TITLE]
            if (sign := finder.sign(case.kind, tagged, here, told)) is not None:
                yield finder.genre, sign

    def _likely(self, texts: Iterable[str]) -> set[int]:
        found = set(self._always)
        for text in texts:
            for word, _, _ in self._automaton.find_matches_as_indexes(text, overlapping=True):
                found |= self._having[word]
        return found


def words(pattern: str) -> tuple[str, ...]:
    """Words of which every match of the regular expression holds at least one; none where they are not plain to see."""
    rest = _TIMES.sub("*", _SET.sub("\0", _SIGN.sub("\0", pattern)))
    while rest != (less := _GROUP.sub("\0", rest)):
        rest = less
    ways = [_WORD.findall(way) for way in rest.split("|")]
    return () if _UNSURE.search(rest) or not all(ways) else tuple(max(way, key=len) for way in ways)


class GenreFinder:
    """One genre, ready to be sought."""

    def __init__(self, genre: Genre) -> None:
        self.genre = genre
        joined = "|".join(f"(?:{pattern})" for pattern in genre.patterns)
        self._pattern = re.compile(joined) if joined else None
        terms = [Term(text=text, topic=genre.id, strength=Strength.WEAK) for text in genre.terms]
        self._matcher = Matcher(terms) if terms else None

    def words(self) -> tuple[str, ...]:
        """Words one of which stands where the genre shows; none where it may show without."""
        found = [words(pattern) for pattern in self.genre.patterns]
        sure = all(found) and not self.genre.kinds and not self.genre.terms
        return tuple(word for one in found for word in one) if sure else ()

    def sign(self, kind: Kind, tagged: str, read: Iterable[Read], told: Sequence[tuple[Passage, Found]]) -> Sign | None:
        """Why an article is of this genre, or None. ``tagged``: the title's tags, ``read``: the passages to look at."""
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
