"""Finds all terms in one pass over the text (Aho-Corasick), then drops what stands inside a longer expression."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick

from policyfeed.relevance.rules import Mask, Term
from policyfeed.relevance.terms import NEAR, Needle, needles
from policyfeed.relevance.text import Squeezed


class Found(NamedTuple):
    """One occurrence; ``start`` and ``end`` count in the squeezed text, ``offset`` and ``until`` as stored."""

    sought: Term
    start: int
    end: int
    text: Squeezed

    @property
    def offset(self) -> int:
        return self.text.origin(self.start)

    @property
    def until(self) -> int:
        return self.text.origin(self.end - 1) + 1


class _Owned(NamedTuple):
    """What a string with its edges stands for: topics that it masks, terms (with their numbers), parts of ``+`` terms
    (the term's number, which part)."""

    masks: list[str]
    terms: list[tuple[int, Term]]
    parts: list[tuple[int, int]]


_Hits = dict[tuple[int, int], _Owned]
"""Start and -end, and what fits there; in the order of the spans, the longer one comes first."""


class Matcher:
    """An automaton over all terms and masks; building it costs milliseconds, so keep it."""

    def __init__(self, sought: Iterable[Term | Mask]) -> None:
        self._sought = tuple(sought)
        self._sizes: dict[int, int] = {}
        by_text: dict[str, dict[Needle, _Owned]] = {}
        for number, one in enumerate(self._sought):
            parts = needles(one.text)
            for index, needle in enumerate(parts):
                owned = by_text.setdefault(needle.text, {}).setdefault(needle, _Owned([], [], []))
                if len(parts) > 1:
                    self._sizes[number] = len(parts)
                    owned.parts.append((number, index))
                elif isinstance(one, Mask):
                    owned.masks.append(one.topic)
                else:
                    owned.terms.append((number, one))
        self._owned = [[(needle, needle.is_free, owned) for needle, owned in each.items()] for each in by_text.values()]
        self._automaton = AhoCorasick(list(by_text))

    def find(self, squeezed: Squeezed) -> tuple[Found, ...]:
        """The terms that count in the text, by position; masks and what they hide are left out."""
        bounds = squeezed.bounds
        hits: _Hits = {}
        for pattern, start, end in self._automaton.find_matches_as_indexes(squeezed.text, overlapping=True):
            word = bisect_right(bounds, start)
            within = end <= bounds[word] and (end - start > 2 or (end - start == 2 and bounds[word - 1] == start))
            for needle, free, owned in self._owned[pattern]:
                if (within and free) or needle.fits(squeezed, start, end):
                    span = (start, -end)
                    hits[span] = _together(hits[span], owned) if span in hits else owned
        found = [*_unhidden(hits, squeezed), *self._joined(hits, squeezed)]
        return tuple(sorted(found, key=itemgetter(1, 2)))

    def _joined(self, hits: _Hits, squeezed: Squeezed) -> Iterator[Found]:
        partial: dict[int, list[tuple[int, int, int]]] = {}
        for (start, minus), owned in hits.items():
            for number, index in owned.parts:
                partial.setdefault(number, []).append((start, -minus, index))
        for number, spans in partial.items():
            one = self._sought[number]
            if isinstance(one, Term) and (span := _near(sorted(spans), self._sizes[number])):
                yield Found(one, *span, squeezed)


def _together(one: _Owned, other: _Owned) -> _Owned:
    """The same string with other edges."""
    return _Owned(one.masks + other.masks, sorted(one.terms + other.terms), one.parts + other.parts)


def _unhidden(hits: _Hits, squeezed: Squeezed) -> Iterator[Found]:
    """Drops masks, and terms inside a longer term or inside a mask of their topic."""
    ends: dict[str, int] = {"": -1}  # how far to the right all topics ("") and single ones are covered
    for span in sorted(hits):
        start, end = span[0], -span[1]
        masks, terms, _ = hits[span]
        for topic in masks:
            ends[topic] = max(end, ends.get(topic, -1))
        if ends[""] < end:
            for _, term in terms:
                if ends.get(term.topic, -1) < end:
                    ends[""] = end
                    yield Found(term, start, end, squeezed)


def _near(spans: list[tuple[int, int, int]], wanted: int) -> tuple[int, int] | None:
    """The first stretch of at most NEAR characters that holds all parts."""
    seen: dict[int, tuple[int, int]] = {}
    for start, end, index in spans:
        seen[index] = (start, end)
        if len(seen) == wanted:
            first = min(begin for begin, _ in seen.values())
            last = max(finish for _, finish in seen.values())
            if last - first <= NEAR:
                return first, last
    return None
