"""What was last published of each feed: its hash, and since when it has been so."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, select

from policyfeed.store.schema import feeds


def published(tx: Connection, name: str, format_: str) -> tuple[str, datetime] | None:
    """(SHA-256 of the bytes, time of the last change); None = never published."""
    row = tx.execute(select(feeds).where(_same(name, format_))).first()
    return (row.sha256, row.changed) if row else None


def save(tx: Connection, name: str, format_: str, sha256: str, changed: datetime) -> None:
    if not tx.execute(feeds.update().where(_same(name, format_)).values(sha256=sha256, changed=changed)).rowcount:
        tx.execute(feeds.insert().values(name=name, format=format_, sha256=sha256, changed=changed))


def _same(name: str, format_: str) -> ColumnElement[bool]:
    return and_(feeds.c.name == name, feeds.c.format == format_)
