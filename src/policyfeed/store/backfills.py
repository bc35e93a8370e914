"""How far each backfill has come: written in the transaction that stores what it read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, select

from policyfeed.store.schema import backfills


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillState:
    """A backfill's row: the days from ``first_day`` to ``last_day`` of a source, both included (days in Korea).

    ``fingerprint`` is the hash of the configuration under which it was begun. ``next_day`` is the first day that
    was not read yet, where days are asked for; ``place`` is where a list that is leafed through was left: ``url``,
    ``body`` and ``cursor`` of the next request. ``done`` is when it came to its end.
    """

    source: str
    first_day: date
    last_day: date
    fingerprint: str
    next_day: date
    place: Mapping[str, Any] = field(default_factory=dict)
    requests: int = 0
    entries: int = 0
    new: int = 0
    joined: int = 0
    done: datetime | None = None


_COLUMNS = [one.name for one in fields(BackfillState)]


def get(tx: Connection, source: str, first_day: date, last_day: date) -> BackfillState | None:
    """The backfill's state; None = it was never begun."""
    row = tx.execute(select(backfills).where(_same(source, first_day, last_day))).mappings().first()
    return BackfillState(**{name: row[name] for name in _COLUMNS}) if row else None


def save(tx: Connection, state: BackfillState) -> None:
    row = {name: getattr(state, name) for name in _COLUMNS} | {"place": dict(state.place)}
    where = _same(state.source, state.first_day, state.last_day)
    if not tx.execute(backfills.update().where(where).values(row)).rowcount:
        tx.execute(backfills.insert().values(row))


def _same(source: str, first_day: date, last_day: date) -> ColumnElement[bool]:
    return and_(backfills.c.source == source, backfills.c.first_day == first_day, backfills.c.last_day == last_day)
