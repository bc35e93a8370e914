"""Hosts that said 429: until when none of their sources asks them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from policyfeed.store.prepared import Prepared
from policyfeed.store.schema import hosts


@dataclass(frozen=True, slots=True, kw_only=True)
class HostState:
    """A host's pause; ``refusals`` counts its 429s without an answer in between."""

    name: str
    refusals: int = 0
    paused_until: datetime


_THIS = hosts.c.name == bindparam("wanted")
_GET = Prepared(select(hosts).where(_THIS))
_FORGET = Prepared(hosts.delete().where(_THIS))


def get(tx: Connection, name: str) -> HostState | None:
    """None for a host that has not refused since it last answered."""
    row = _GET.first(tx, wanted=name)
    return HostState(**row) if row else None


def save(tx: Connection, state: HostState) -> None:
    row = {"refusals": state.refusals, "paused_until": state.paused_until}
    if not tx.execute(hosts.update().where(hosts.c.name == state.name).values(row)).rowcount:
        tx.execute(hosts.insert().values(name=state.name, **row))


def forget(tx: Connection, name: str) -> None:
    """The host answers again."""
    _FORGET.run(tx, wanted=name)
