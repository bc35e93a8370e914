"""The sources' conditions as they were last seen, and the notices that the operator was sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, select

from policyfeed.normalize.dates import Moment
from policyfeed.store.schema import articles, copies, health, notices, origins, sources
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

    What was seen elsewhere before has the time that this source gave it. Left out is what came before the source's
    first contact, and what has a day but no time.
    """
    statement = (
        select(
            *(origins.c.source, origins.c.first_seen, sources.c.first_contact, articles.c.published, articles.c.dated),
            copies.c.seen["published"].as_string().label("own"),
            copies.c.seen["dated"].as_boolean().label("own_dated"),
        )
        .join(articles, articles.c.number == origins.c.number)
        .join(sources, sources.c.id == origins.c.source)
        .outerjoin(copies, and_(copies.c.source == origins.c.source, copies.c.key == origins.c.key))
        .where(articles.c.sort_time >= since, sources.c.first_contact.is_not(None))
    )
    found: dict[str, list[float]] = {}
    for one in tx.execute(statement):
        copied = one.own_dated is not None
        published = (one.own and datetime.fromisoformat(one.own)) if copied else one.published
        if published and not (one.own_dated if copied else one.dated) and published >= max(since, one.first_contact):
            found.setdefault(one.source, []).append(max(0.0, (one.first_seen - published).total_seconds()))
    return found
