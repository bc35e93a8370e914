"""What was last published of each feed: its hash, what it was made of, and since when it has been so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, select

from policyfeed.store.schema import feeds


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """A feed's row. ``sha256`` is of its bytes, ``digest`` of what they were made of, ``changed`` when they changed."""

    sha256: str
    digest: str
    changed: datetime


def published(tx: Connection, name: str, format_: str) -> FeedState | None:
    """What was published last; None = nothing yet."""
    row = tx.execute(select(feeds).where(_same(name, format_))).first()
    return FeedState(sha256=row.sha256, digest=row.digest, changed=row.changed) if row else None


def save(tx: Connection, name: str, format_: str, state: FeedState) -> None:
    values = {"sha256": state.sha256, "digest": state.digest, "changed": state.changed}
    if not tx.execute(feeds.update().where(_same(name, format_)).values(values)).rowcount:
        tx.execute(feeds.insert().values(name=name, format=format_, **values))


def _same(name: str, format_: str) -> ColumnElement[bool]:
    return and_(feeds.c.name == name, feeds.c.format == format_)
