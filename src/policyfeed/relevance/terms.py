"""Terms as editors write them, and where they count.

``탄소중립`` matches with any spacing, and inside longer words. A term of two syllables must begin a word, or end
one of at least four (``출산`` is not in 수출산업, ``과적`` not in 효과적); one of one syllable must be a word,
endings such as 은/는/을/에서 aside. ``|전세`` must begin a word, ``전세|`` must end one, ``*수질*`` may stand anywhere.
``외국인 + 체불`` needs all its parts within ``NEAR`` characters. Latin terms match whole words, letter case and an
English plural aside.
"""

from __future__ import annotations

from dataclasses import dataclass

from policyfeed.relevance.text import Squeezed, squeeze

NEAR = 40
"""How far apart the parts of a ``+`` term may be, in characters without spaces."""


@dataclass(frozen=True, slots=True)
class Needle:
    """One string to search, with what must hold at its edges (True = required, None = by length)."""

    text: str
    begins: bool | None = None
    ends: bool | None = None
    latin: bool = False

    @property
    def is_free(self) -> bool:
        """Whether it fits wherever it has three characters or begins a word, and no soft mark in it."""
        return not self.latin and self.begins is None and self.ends is None

    def fits(self, squeezed: Squeezed, start: int, end: int) -> bool:
        """Whether an occurrence is the term and not an accident inside other words."""
        if self.latin:
            return _stands_alone(squeezed, start, end)
        if self.begins and not squeezed.begins_word(start):
            return False
        if self.ends and not squeezed.ends_word(end):
            return False
        if (space := squeezed.space(start)) < end and not _may_cross(squeezed, start, space, end):
            return False
        if end - start >= 3 or (self.begins is False and self.ends is False):
            return True
        return _fits_as_short(squeezed, start, end)


def _may_cross(squeezed: Squeezed, start: int, space: int, end: int) -> bool:
    if end - start < 3:
        return False
    if squeezed.begins_word(start):
        return end - start >= 4 or squeezed.ends_word(end)
    return space - start >= 2 and end - space >= 2  # 산림규제 개선, but not 대한 파급


def _fits_as_short(squeezed: Squeezed, start: int, end: int) -> bool:
    if squeezed.begins_word(start):
        return end - start == 2 or squeezed.ends_word(end)
    return end - start == 2 and not squeezed.begins_word(start - 1) and squeezed.ends_word(end)


def needles(term: str) -> tuple[Needle, ...]:
    """The parts of a term; empty when nothing is left to search."""
    return tuple(needle for part in term.split("+") if (needle := _needle(part.strip())).text)


def _needle(part: str) -> Needle:
    begins = True if part.startswith("|") else False if part.startswith("*") else None
    ends = True if part.endswith("|") else False if part.endswith("*") else None
    text = squeeze(part.strip("|*")).text
    return Needle(text, begins, ends, text.isascii())


def _stands_alone(squeezed: Squeezed, start: int, end: int) -> bool:
    text = squeezed.text
    if not squeezed.begins_word(start) and text[start - 1].isascii():
        return False
    for plural in ("", "s", "es"):
        after = end + len(plural)
        if text[end:after] == plural and (
            squeezed.is_bound(after) or not (text[after].isascii() and text[after].isalnum())
        ):
            return True
    return False
