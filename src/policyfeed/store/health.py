"""The sources' conditions as they were last seen, and the notices that the operator was sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from policyfeed.normalize.dates import Moment
from policyfeed.store.schema import articles, health, notices, origins, sources
from policyfeed.types import ConditionName, Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A source's condition when it was last looked at; ``told`` is the trouble that the operator was told of, or ""."""

    source: str
    condition: ConditionName
    since: datetime
    told: str = ""


def every(tx: Connection) -> dict[str, Seen]:
    """Source id → what was last seen."""
    rows = tx.execute(select(health)).mappings()
    return {row["source"]: Seen(**(dict(row) | {"condition": ConditionName(row["condition"])})) for row in rows}


def save(tx: Connection, seen: Seen) -> None:
    row = {"condition": seen.condition.value, "since": seen.since, "told": seen.told}
    if not tx.execute(health.update().where(health.c.source == seen.source).values(row)).rowcount:
        tx.execute(health.insert().values(source=seen.source, **row))


def add_notice(tx: Connection, notice: Notice) -> None:
    names = ("id", "source", "name", "recovered", "since", "detail", "created")
    row = {name: getattr(notice, name) for name in names}
    tx.execute(notices.insert().values(condition=notice.condition.value, **row))


def notice(tx: Connection, id_: str) -> Notice | None:
    row = tx.execute(select(notices).where(notices.c.id == id_)).mappings().first()
    return Notice(**(dict(row) | {"condition": ConditionName(row["condition"])})) if row else None


def publication_times(tx: Connection, source: str, limit: int) -> list[Moment]:
    """When the newest articles of a source were published (or first seen), newest first."""
    statement = (
        select(articles.c.sort_time, articles.c.dated)
        .join(origins, origins.c.number == articles.c.number)
        .where(origins.c.source == source)
        .order_by(articles.c.sort_time.desc())
        .limit(limit)
    )
    return [Moment(at, dated) for at, dated in tx.execute(statement)]


def waits(tx: Connection, since: datetime) -> dict[str, list[float]]:
    """Source id → seconds from publication until it was seen there, of what was published since that moment.

    Left out is what came before the source's first contact, and what has a day but no time.
    """
    statement = (
        select(origins.c.source, origins.c.first_seen, articles.c.published)
        .join(articles, articles.c.number == origins.c.number)
        .join(sources, sources.c.id == origins.c.source)
        .where(articles.c.sort_time >= since, articles.c.dated.is_(False))
        .where(articles.c.published >= since, articles.c.published >= sources.c.first_contact)
    )
    found: dict[str, list[float]] = {}
    for source, seen, published in tx.execute(statement):
        found.setdefault(source, []).append(max(0.0, (seen - published).total_seconds()))
    return found
