"""What each further place of an article said of it: with it a merge can be undone."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, and_, select

from policyfeed.store import codec
from policyfeed.store.schema import copies
from policyfeed.types import Article, Origin


def keep(tx: Connection, seen: Article) -> None:
    """Store what is joined to an article; ``seen`` has that one origin."""
    origin = seen.origins[0]
    tx.execute(copies.insert().values(source=origin.source, key=origin.key, seen=codec.copy_row(seen)))


def renew(tx: Connection, seen: Article) -> None:
    """Its place says something else now; nothing happens where nothing was joined."""
    tx.execute(copies.update().where(_at(seen.origins[0])).values(seen=codec.copy_row(seen)))


def get(tx: Connection, origin: Origin) -> Article | None:
    """What stood at that place, as if it had been seen there alone; None = the article was first seen there."""
    row = tx.execute(select(copies.c.seen).where(_at(origin))).first()
    return codec.copy(row.seen, origin) if row else None


def forget(tx: Connection, origin: Origin) -> None:
    tx.execute(copies.delete().where(_at(origin)))


def _at(origin: Origin) -> ColumnElement[bool]:
    return and_(copies.c.source == origin.source, copies.c.key == origin.key)
