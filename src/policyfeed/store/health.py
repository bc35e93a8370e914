"""The sources' conditions as they were last seen, and the notices that the operator was sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, select

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

    Each place is measured by the time that it gave itself. Left out is what came before the source's first contact,
    what has a day but no time, and a source all of whose times are those of other places.
    """
    statement = (
        select(
            *(origins.c.number, origins.c.source, origins.c.first_seen, sources.c.first_contact),
            *(articles.c.published, articles.c.dated),
            copies.c.seen["published"].as_string().label("own"),
            copies.c.seen["dated"].as_boolean().label("own_dated"),
        )
        .join(articles, articles.c.number == origins.c.number)
        .join(sources, sources.c.id == origins.c.source)
        .outerjoin(copies, and_(copies.c.source == origins.c.source, copies.c.key == origins.c.key))
        .where(articles.c.sort_time >= since, sources.c.first_contact.is_not(None))
    )
    times = [(one, published) for one in tx.execute(statement) if (published := _published(one)) is not None]
    copied = {(one.number, published) for one, published in times if one.own_dated is not None}
    timing = {one.source for one, at in times if one.own_dated is not None or (one.number, at) not in copied}
    found: dict[str, list[float]] = {}
    for one, published in times:
        if one.source in timing and published >= max(since, one.first_contact):
            found.setdefault(one.source, []).append(max(0.0, (one.first_seen - published).total_seconds()))
    return found


def _published(place: Row[*tuple[Any, ...]]) -> datetime | None:
    """The time at a place; None where it has a day alone. At the first place it may come from a copy: nothing is kept
    of what only that one said."""
    if place.own_dated is None:
        return None if place.dated else place.published
    return None if place.own_dated or not place.own else datetime.fromisoformat(place.own)
