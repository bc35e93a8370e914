"""The board's pages: kept articles, newest first. The database skips, so that page 2,000 costs what page 2 costs."""

from __future__ import annotations

from sqlalchemy import Connection, select

from policyfeed.store.articles import judged
from policyfeed.store.schema import articles, verdicts
from policyfeed.types import Judged


def kept(tx: Connection, limit: int, skip: int = 0) -> list[Judged]:
    """At most ``limit`` kept articles after the first ``skip``, by publication time."""
    newest = (articles.c.sort_time.desc(), articles.c.number.desc())
    statement = select(articles.c.number).join(verdicts, verdicts.c.number == articles.c.number)
    numbers = tx.execute(statement.where(verdicts.c.kept).order_by(*newest).limit(limit).offset(skip)).scalars().all()
    found = judged(tx, numbers)
    return [found[number] for number in numbers]
