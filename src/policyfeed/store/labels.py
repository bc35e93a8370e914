"""What people said of articles: relevant or not. Their feedback measures and trains the topics."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from policyfeed.store.schema import labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """A person's word on an article; ``sampled``: it was given on a dropped article of a random sample (``review``)."""

    number: int
    relevant: bool
    topic: str = ""
    sampled: bool = False
    said: datetime


def save(tx: Connection, feedback: Feedback) -> None:
    """Store it; what was said before of the same article is replaced."""
    row = {name: getattr(feedback, name) for name in ("relevant", "topic", "sampled", "said")}
    if not tx.execute(labels.update().where(labels.c.number == feedback.number).values(row)).rowcount:
        tx.execute(labels.insert().values(number=feedback.number, **row))


def every(tx: Connection) -> list[Feedback]:
    """All feedback, in order of articles."""
    return [Feedback(**dict(row)) for row in tx.execute(select(labels).order_by(labels.c.number)).mappings()]


def of(tx: Connection, numbers: Iterable[int]) -> dict[int, Feedback]:
    """What was said of these articles, by number."""
    statement = select(labels).where(labels.c.number.in_(list(numbers)))
    return {row["number"]: Feedback(**dict(row)) for row in tx.execute(statement).mappings()}
