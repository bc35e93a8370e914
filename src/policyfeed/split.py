"""Undo a merge: one place of an article becomes an article of its own again. Nobody is told.

Polls never join the two again: an entry whose key is known belongs to the article that holds the key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from policyfeed import revision
from policyfeed.documents import Judge
from policyfeed.errors import UsageError
from policyfeed.sources import body_url
from policyfeed.store import Transaction, articles, bodies, copies
from policyfeed.types import Article, Judged, Source


def split(
    tx: Transaction,
    known: Article,
    place: str,
    judge: Judge,
    sources: Mapping[str, Source],
    now: datetime,
) -> tuple[Judged, Judged]:
    """What is left of the article, and the new one of its origin whose URL or key is ``place``.

    Raises UsageError when no such place was joined to it: the one that it began with stays.
    """
    able = {url: copy for copy in _joined(tx, known) for url in (copy.origins[0].url, copy.origins[0].key)}
    if (copy := able.get(place)) is None:
        raise UsageError(
            "{place} is no place that was joined to article {number}.",
            remedy="These can be split off: {able}.",
            place=place,
            number=known.number,
            able=", ".join(one for one in able if "://" in one) or "–",
        )
    others = [one for one in able.values() if one is not copy]
    left, alone = revision.separate(known, copy, others, now)
    left = replace(left, licence=left.licence or _configured(left, sources))
    articles.remove_origin(tx, copy.origins[0])
    copies.forget(tx, copy.origins[0])
    articles.update(tx, left, revised=False)
    alone = articles.insert(tx, alone)
    return _judged(tx, left, judge, sources, now), _judged(tx, alone, judge, sources, now)


def _joined(tx: Transaction, known: Article) -> list[Article]:
    """What was joined to the article; an entry that two sources list is one and the same, and stays."""
    keys = [one.key for one in known.origins]
    copied = (copies.get(tx, one) for one in known.origins if keys.count(one.key) == 1)
    return [one for one in copied if one is not None]


def _configured(article: Article, sources: Mapping[str, Source]) -> str:
    """The licence under which the places that are left publish."""
    configured = (sources[one.source].licence for one in article.origins if one.source in sources)
    return next(filter(None, configured), "")


def _judged(
    tx: Transaction,
    article: Article,
    judge: Judge,
    sources: Mapping[str, Source],
    now: datetime,
) -> Judged:
    """The article with its new verdict; its text is asked for where it has none any more."""
    verdict = judge(article)
    articles.save_verdict(tx, article.number, verdict, now)
    for origin in article.origins:
        if source := sources.get(origin.source):
            bodies.need(tx, article, source.id, body_url(source, origin.url), now, quiet=True)
    return Judged(article=article, verdict=verdict)
