"""Sorts of releases, known by kind, tag or wording."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ahocorasick_rs import AhoCorasick

from policyfeed.relevance.case import Case, Passage
from policyfeed.relevance.matching import Found, Matcher
from policyfeed.relevance.rules import Genre, Strength, Term, Zone
from policyfeed.relevance.terms import needles
from policyfeed.relevance.text import Squeezed
from policyfeed.types import Kind

PATTERN_CHARS = 500
"""How far patterns are sought: editors write them, and a careless one may be slow on a long text."""

# In a pattern: what stands for one character or none, how often, a group without groups in it
_SIGN = re.compile(r"\\[bBdDsSwW\W]")
_SET = re.compile(r"\[[^\[\]]+\]")
_TIMES = re.compile(r"\{\d*,?\d*\}")
_GROUP = re.compile(r"\((\?(?::|[=!]|<[=!]))?([^()]*)\)([*?]?)")
_UNSURE = re.compile(r"[\\()\[\]{}]")
_WORD = re.compile(r"[^\0\ue000-\uf8ff.^$*+?]+(?![*?])")
_NO_LETTERS = re.compile(r"\\.|\(\?[:=!<]*|\{[\d,]*\}|[^\w\s]")
_PLACE = re.compile(r"[\ue000-\uf8ff]")
"""Where a group stood of whose ways one must be there."""


@dataclass(frozen=True, slots=True)
class Sign:
    """What showed a genre; no passage when the article's kind or a tag did."""

    passage: Passage | None = None
    offset: int = -1
    text: str = ""


Read = tuple[Passage, Squeezed]
_Signed = tuple[Genre, Sign]


class Genres:
    """All genres, ready to be sought. A look for words of their patterns, and one for their terms, tell which of these
    may match at all."""

    def __init__(self, genres: Iterable[Genre]) -> None:
        self._finders = tuple(GenreFinder(genre) for genre in genres)
        self._zones = {Zone.TITLE, *(Zone.LEAD for finder in self._finders if finder.genre.lead)}
        having: dict[str, set[tuple[int, str]]] = {}
        terms: dict[str, set[int]] = {}
        self._always = dict[int, set[str]]()
        for index, finder in enumerate(self._finders):
            if finder.genre.kinds:
                self._always[index] = set()
            for needle in (needle for term in finder.genre.terms for needle in needles(term)):
                terms.setdefault(needle.text, set()).add(index)
            for pattern in finder.genre.patterns:
                for word in (found := words(pattern)):
                    having.setdefault(word, set()).add((index, pattern))
                if not found:
                    self._always.setdefault(index, set()).add(pattern)
        self._having, self._words = tuple(having.values()), AhoCorasick(list(having))
        self._of_terms, self._terms = tuple(terms.values()), AhoCorasick(list(terms))

    def signs(self, case: Case, read: Sequence[Read], told: Sequence[tuple[Passage, Found]]) -> Iterator[_Signed]:
        """The genres of an article and what showed them. ``told`` is where topics' terms stand: what speaks against an
        article is not read out of the middle of a term (the 수급 of 전력수급)."""
        tagged = "".join(f"[{tag}] " for tag in case.tags)
        looked = [one for one in read if one[0].zone in self._zones]
        likely = self._likely(tagged, looked)
        for index in sorted(likely):
            finder = self._finders[index]
            here = looked if finder.genre.lead else [one for one in looked if one[0].zone is Zone.TITLE]
            if (sign := finder.sign(case.kind, tagged, here, told, likely[index])) is not None:
                yield finder.genre, sign

    def _likely(self, tagged: str, looked: Sequence[Read]) -> dict[int, set[str]]:
        """The genres whose terms, kinds or patterns may match, and these patterns."""
        found = {index: set(patterns) for index, patterns in self._always.items()}
        for word in _held(self._words, (tagged, *(passage.text for passage, _ in looked))):
            for index, pattern in self._having[word]:
                found.setdefault(index, set()).add(pattern)
        for term in _held(self._terms, (squeezed.text for _, squeezed in looked)):
            for index in self._of_terms[term]:
                found.setdefault(index, set())
        return found


def _held(automaton: AhoCorasick, texts: Iterable[str]) -> set[int]:
    return {one for text in texts for one, _, _ in automaton.find_matches_as_indexes(text, overlapping=True)}


def words(pattern: str) -> tuple[str, ...]:
    """Words of which every match of the regular expression holds at least one; none where they are not plain to see."""
    groups = list[tuple[str, ...]]()

    def place(found: re.Match[str]) -> str:
        sure = found[1] == "?:" or (found[1] is None and not found[2].startswith("?"))
        if found[3] or not sure or not (ways := _ways(found[2], groups)):
            return f"\0{found[3]}"
        groups.append(ways)
        return chr(0xE000 + len(groups) - 1)

    rest = _TIMES.sub("*", _SET.sub("\0", _SIGN.sub("\0", pattern)))
    while rest != (less := _GROUP.sub(place, rest)):
        rest = less
    return () if _UNSURE.search(rest) else _ways(rest, groups)


def _ways(rest: str, groups: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """A word for each of the alternatives, or what stands for it in a group; none when one of them has neither."""
    told = list[str]()
    for way in rest.split("|"):
        if found := _WORD.findall(way):
            told.append(max(found, key=len))
        elif places := _PLACE.findall(way):
            told += max((groups[ord(one) - 0xE000] for one in places), key=lambda ways: min(map(len, ways)))
        else:
            return ()
    return tuple(told)


def trials(pattern: str) -> Iterator[str]:
    """Titles on which a careless pattern may be sought for ever: its own letters to some place, what stands there again
    and again, an end that hardly anything matches."""
    plain = pattern.replace(r"\d", "0").replace(r"\s", " ").replace(r"\w", "가").replace(".", "가")
    letters = _NO_LETTERS.sub("", plain) + "가a0"
    for at, letter in enumerate(letters):
        for part in {letter, f"{letter} ", letters[max(at - 1, 0) : at + 1], letters[: at + 1]}:
            yield f"{(letters[:at] + part * PATTERN_CHARS)[: PATTERN_CHARS - 2]} \0"


_compiled = lru_cache(maxsize=4096)(re.compile)


class GenreFinder:
    """One genre, ready to be sought."""

    def __init__(self, genre: Genre) -> None:
        self.genre = genre
        terms = [Term(text=text, topic=genre.id, strength=Strength.WEAK) for text in genre.terms]
        self._matcher = Matcher(terms) if terms else None

    def sign(
        self,
        kind: Kind,
        tagged: str,
        read: Iterable[Read],
        told: Sequence[tuple[Passage, Found]],
        likely: Container[str],
    ) -> Sign | None:
        """Why an article is of this genre, or None. ``tagged``: the title's tags, ``read``: the passages to look at,
        ``likely``: the patterns that may match."""
        if self.genre.kinds and kind in self.genre.kinds:
            return Sign()
        patterns = [_compiled(pattern) for pattern in self.genre.patterns if pattern in likely]
        if tagged and (span := next(_matches(patterns, tagged), None)):
            return Sign(text=tagged[slice(*span)])
        for passage, squeezed in read:
            for start, end in self._spans(patterns, passage.text, squeezed):
                if self.genre.points >= 0 or not _inside(passage, start, end, told):
                    return Sign(passage, passage.shift + start, passage.text[start:end])
        return None

    def _spans(self, patterns: Sequence[re.Pattern[str]], text: str, squeezed: Squeezed) -> Iterator[tuple[int, int]]:
        yield from _matches(patterns, text)
        if self._matcher:
            yield from ((one.offset, one.until) for one in self._matcher.find(squeezed))


def _matches(patterns: Sequence[re.Pattern[str]], text: str) -> Iterator[tuple[int, int]]:
    """Where one of them matches, from the left and without overlaps; at the same place the first of them counts."""
    at = 0
    while found := [one for pattern in patterns if (one := pattern.search(text, at, PATTERN_CHARS))]:
        start, end = min(found, key=re.Match.start).span()
        yield start, end
        at = max(end, start + 1)


def _inside(passage: Passage, start: int, end: int, told: Sequence[tuple[Passage, Found]]) -> bool:
    return any(where is passage and term.offset <= start and end <= term.until for where, term in told)
