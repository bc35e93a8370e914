"""What people say of articles: stored, and given on a weekly sample of dropped ones it estimates what is missed."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from policyfeed.clock import KST
from policyfeed.store import Transaction, articles, labels
from policyfeed.types import Judged

SAMPLE = 20
"""How many dropped articles of a week are to be reviewed."""

WEEK = timedelta(days=7)


def say(tx: Transaction, judged: Judged, *, relevant: bool, topic: str, now: datetime) -> None:
    """Store a person's word on an article, in place of what was said of it before."""
    number = judged.article.number
    sampled = not judged.verdict.kept and number in _sampled(tx, now)
    labels.save(tx, labels.Feedback(number=number, relevant=relevant, topic=topic, sampled=sampled, said=now))


def weekly_sample(tx: Transaction, now: datetime) -> list[Judged]:
    """The sample of the week before this one (Monday to Sunday in Korea): whole, so it stays the same until Monday."""
    numbers = _sampled(tx, now)
    found = articles.judged(tx, numbers)
    return [found[number] for number in numbers]


def _sampled(tx: Transaction, now: datetime) -> list[int]:
    """A random sample that hardly changes when articles come in late: each has its place by a hash of its id."""
    there = now.astimezone(KST)
    monday = (there - timedelta(days=there.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    dropped = articles.dropped(tx, monday - WEEK, monday)
    places = sorted((hashlib.sha256(id_.encode()).digest(), number) for number, id_ in dropped)
    return [number for _place, number in places[:SAMPLE]]


def missed_share(labelled: int, relevant: int) -> tuple[float, float, float]:
    """The share of dropped articles that were relevant: (estimate, lower, upper), Wilson's 95 % interval."""
    if not labelled:
        return 0.0, 0.0, 1.0
    z, share = 1.96, relevant / labelled
    middle = (share + z * z / (2 * labelled)) / (1 + z * z / labelled)
    half = z * ((share * (1 - share) + z * z / (4 * labelled)) / labelled) ** 0.5 / (1 + z * z / labelled)
    return share, max(0.0, middle - half), min(1.0, middle + half)
