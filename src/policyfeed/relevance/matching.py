"""Finds all terms in one pass over the text (Aho-Corasick), then drops what stands inside a longer expression."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick

from policyfeed.relevance.rules import Mask, Term
from policyfeed.relevance.terms import NEAR, Needle, needles
from policyfeed.relevance.text import Squeezed

Sought = Term | Mask


class Found(NamedTuple):
    """One occurrence; ``start`` and ``end`` count in the squeezed text, ``offset`` and ``until`` as stored."""

    sought: Sought
    start: int
    end: int
    text: Squeezed

    @property
    def offset(self) -> int:
        return self.text.origin(self.start)

    @property
    def until(self) -> int:
        return self.text.origin(self.end - 1) + 1


@dataclass(frozen=True, slots=True)
class _Part:
    owner: int
    index: int
    of: int
    needle: Needle


class Matcher:
    """An automaton over all terms and masks; building it costs milliseconds, so keep it."""

    def __init__(self, sought: Iterable[Sought]) -> None:
        self._sought = tuple(sought)
        by_text: dict[str, list[_Part]] = {}
        for owner, one in enumerate(self._sought):
            parts = needles(one.text)
            for index, needle in enumerate(parts):
                by_text.setdefault(needle.text, []).append(_Part(owner, index, len(parts), needle))
        self._parts = tuple(tuple(parts) for parts in by_text.values())
        self._automaton = AhoCorasick(list(by_text) or ["\0"])

    def find(self, squeezed: Squeezed) -> tuple[Found, ...]:
        """The terms that count in the text, by position; masks and what they hide are left out."""
        whole: list[tuple[int, int, int]] = []
        partial: dict[int, list[tuple[int, int, int]]] = {}
        for pattern, start, end in self._automaton.find_matches_as_indexes(squeezed.text, overlapping=True):
            for part in self._parts[pattern] if pattern < len(self._parts) else ():
                if not part.needle.fits(squeezed, start, end):
                    continue
                if part.of == 1:
                    whole.append((start, end, part.owner))
                else:
                    partial.setdefault(part.owner, []).append((start, end, part.index))
        found = self._unhidden(whole, squeezed)
        found += self._joined(partial, squeezed)
        return tuple(sorted(found, key=lambda one: (one.start, one.end)))

    def _unhidden(self, spans: list[tuple[int, int, int]], squeezed: Squeezed) -> list[Found]:
        """Drops masks, and terms inside a longer term or inside a mask of their topic."""
        spans.sort(key=lambda span: (span[0], -span[1]))
        ends: dict[str, int] = {}  # how far to the right all topics ("") and single ones are covered
        kept: list[Found] = []
        for (start, end), group in groupby(spans, _stretch):
            sought = [self._sought[owner] for _, _, owner in group]
            masked = {one.topic for one in sought if isinstance(one, Mask)}
            hidden = "" in masked or ends.get("", -1) >= end
            for topic in masked:
                ends[topic] = max(end, ends.get(topic, -1))
            if hidden:
                continue
            survivors = [
                Found(one, start, end, squeezed)
                for one in sought
                if isinstance(one, Term) and one.topic not in masked and ends.get(one.topic, -1) < end
            ]
            if survivors:
                ends[""] = max(end, ends.get("", -1))
                kept += survivors
        return kept

    def _joined(self, partial: dict[int, list[tuple[int, int, int]]], squeezed: Squeezed) -> list[Found]:
        found = []
        for owner, spans in partial.items():
            wanted = len(needles(self._sought[owner].text))
            if span := _near(sorted(spans), wanted):
                found.append(Found(self._sought[owner], *span, squeezed))
        return [one for one in found if not isinstance(one.sought, Mask)]


def _stretch(span: tuple[int, int, int]) -> tuple[int, int]:
    return span[:2]


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
