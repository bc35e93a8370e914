"""Ministries (부처): one stable id for a body whose name changes, and the name it had on a day."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache

from policyfeed.normalize.text import one_line
from policyfeed.types import Ministry, MinistryName, Name

# NFKC turns the letter ㆍ, often typed as a middle dot, into U+119E
_UNHEARD = re.compile(r"[\s·\u119e・‧•.,‘’“”'\"()\[\]-]+")


class Ministries:
    """Finds bodies by any label that a publisher prints. Where two bodies claim a label, the earlier one has it."""

    def __init__(self, ministries: Sequence[Ministry]) -> None:
        self._by_id = {ministry.id: ministry for ministry in ministries}
        self._official: dict[str, tuple[Ministry, Name]] = {}
        self._other: dict[str, Ministry] = {}
        for ministry in ministries:
            for name in ministry.names:
                self._official.setdefault(_heard(name.ko), (ministry, name))
            for label in (ministry.id, *ministry.aliases, *(name.en for name in ministry.names)):
                self._other.setdefault(_heard(label), ministry)

    def __iter__(self) -> Iterator[Ministry]:
        return iter(self._by_id.values())

    def named(self, label: str, on: date | None = None) -> MinistryName:
        """The body that ``label`` means, under its name on the day ``on`` (KST).

        Without a day: the label's own official name if it is one, else the present name. A label that nobody knows
        keeps its text as name and gets an id that is the same each time (``x-`` and eight hex digits).
        """
        heard = _heard(label)
        official = self._official.get(heard)
        ministry = official[0] if official else self._other.get(heard)
        if ministry is None:
            return MinistryName(id=_slug(heard), name=one_line(label))
        if on is not None:
            return MinistryName(id=ministry.id, name=_on(ministry, on).ko)
        return MinistryName(id=ministry.id, name=official[1].ko if official else ministry.name)

    def get(self, ministry_id: str) -> Ministry | None:
        """The ministry with that id."""
        return self._by_id.get(ministry_id)


def _on(ministry: Ministry, day: date) -> Name:
    """The name valid on a day; before the first name's beginning it is the first one."""
    begun = [name for name in ministry.names if name.since is None or name.since <= day.isoformat()]
    return begun[-1] if begun else ministry.names[0]


@lru_cache(maxsize=1024)
def _heard(label: str) -> str:
    """What counts of a label: not its spaces, punctuation, letter case, width or Unicode form."""
    return _UNHEARD.sub("", unicodedata.normalize("NFKC", one_line(label))).casefold()


def _slug(heard: str) -> str:
    return f"x-{hashlib.sha256(heard.encode()).hexdigest()[:8]}"
