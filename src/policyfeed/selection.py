"""A choice of articles. Feeds, alerts, digests, search and saved views all use this ONE type."""

from __future__ import annotations

import html
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from policyfeed.types import Judged, Kind

_BLOCK = re.compile(r"<(?:/?(?:p|div|li|tr|td|th|h[1-6]|d[dt]|caption|blockquote|pre)|[bh]r)\b[^>]*>")
_MARKUP = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Every given condition must hold; within one condition any value will do. An empty condition does not limit.
    ``store.sieve`` says the same to the database.

    ``words`` must all occur in title, summary or content, letter case ignored; a space in one may be there or not (탄소
    중립, 탄소중립). ``min_score`` is 0–100.
    """

    kept_only: bool = True
    dropped_only: bool = False
    alert_only: bool = False
    topics: tuple[str, ...] = ()
    pillars: tuple[str, ...] = ()
    ministries: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    words: tuple[str, ...] = ()
    min_score: float = 0.0

    def takes(self, judged: Judged) -> bool:
        """Whether the article belongs to the choice."""
        article, verdict = judged.article, judged.verdict
        if (self.dropped_only if verdict.kept else self.kept_only) or (self.alert_only and not verdict.alert):
            return False
        credited = {ministry.id for ministry in (article.ministry, *article.ministries)}
        return (
            verdict.score >= self.min_score
            and _meets(self.topics, set(verdict.topics))
            and _meets(self.pillars, set(verdict.pillars))
            and _meets(self.ministries, credited)
            and _meets(self.kinds, {article.kind})
            and all(says(word, article.title, article.summary, article.content) for word in self.words)
        )


def says(word: str, title: str, summary: str, content: str) -> bool:
    """Whether the word occurs in an article, as ``words`` of a selection are meant."""
    return _sought(word).search(f"{title}\n{summary}\n{_said(content)}".casefold()) is not None


def _said(content: str) -> str:
    """What HTML says to who reads it: R&D stands as ``R&amp;D`` in it, and a word goes on over emphasis and spans."""
    return html.unescape(_MARKUP.sub("", _BLOCK.sub("\n", content)))


@lru_cache(256)
def _sought(word: str) -> re.Pattern[str]:
    return re.compile(r"\s*".join(map(re.escape, word.casefold().split())))


def _meets(wanted: tuple[object, ...], present: Collection[object]) -> bool:
    return not wanted or any(value in present for value in wanted)
