"""The outbox: what is owed to channels. A delivery is written in the transaction that stores its article."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select

from policyfeed.i18n import marked
from policyfeed.store import codec
from policyfeed.store.prepared import insertion
from policyfeed.store.schema import channels, deliveries, verdicts
from policyfeed.types import Delivery, DeliveryState

_PENDING = DeliveryState.PENDING.value
_DEAD = DeliveryState.DEAD.value
LONGEST_WAIT = timedelta(days=1)
"""No delivery and no pause of a channel waits longer: what is due later was set by a clock that was wrong."""
WITHDRAWN = marked("the article was withdrawn upstream")


_INSERT = insertion(deliveries, known_stay=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelState:
    """What is remembered of a channel: it belongs to ``address`` (a fingerprint of the channel's URL).

    ``failures`` in a row, ``paused_until`` (a server's wish or the circuit breaker), ``closed``: why it will take
    nothing any more, "" while it is open.
    """

    name: str
    address: str = ""
    failures: int = 0
    paused_until: datetime | None = None
    closed: str = ""


def owe(tx: Connection, owed: Iterable[Delivery]) -> int:
    """Write what is owed; what is already owed, delivered or dead for the same revision stays as it is.

    The number of rows written.
    """
    return _INSERT.run_all(tx, map(_row, owed))


def _row(one: Delivery) -> dict[str, Any]:
    names = ("key", "channel", "revision", "attempts", "created", "due", "leased_until", "delivered", "error")
    row = {name: getattr(one, name) for name in names}
    return row | {"state": one.state.value, "number": one.number or None, "notice": one.notice or None}


def told(tx: Connection, number: int) -> set[str]:
    """The channels that were, or will be, told of any revision of the article."""
    return set(tx.execute(select(deliveries.c.channel).where(deliveries.c.number == number)).scalars())


def claim(
    tx: Connection, channel: str, now: datetime, lease: timedelta, limit: int, *, best_first: bool = False
) -> list[Delivery]:
    """Take the channel's oldest due deliveries for ``lease``: until then nobody else gets them.

    A lease that ran out (its holder died) is taken over. In order of creation: a channel tells things in their order,
    or, where there is only room for some (``best_first``), those of the short list before the others, by score. What
    was never tried has nothing to wait for, whatever the clock was when it was written.
    """
    free = or_(deliveries.c.leased_until.is_(None), deliveries.c.leased_until <= now)
    due = or_(deliveries.c.due <= now, deliveries.c.attempts == 0, deliveries.c.due > now + LONGEST_WAIT)
    where = and_(deliveries.c.state == _PENDING, deliveries.c.channel == channel, due, free)
    order: tuple[Any, ...] = (deliveries.c.created, deliveries.c.number, deliveries.c.key)
    statement = select(deliveries).where(where)
    if best_first:
        statement = statement.outerjoin(verdicts, verdicts.c.number == deliveries.c.number)
        order = (verdicts.c.alert.desc(), verdicts.c.score.desc(), *order)
    rows = tx.execute(statement.order_by(*order).limit(limit)).mappings().all()
    if keys := [row["key"] for row in rows]:
        tx.execute(deliveries.update().where(deliveries.c.key.in_(keys)).values(leased_until=now + lease))
    return [replace(codec.delivery(row), leased_until=now + lease) for row in rows]


def release(tx: Connection) -> None:
    """Give back every lease: called by the one process that delivers, when it starts."""
    tx.execute(deliveries.update().where(deliveries.c.leased_until.is_not(None)).values(leased_until=None))


def settle(tx: Connection, delivery: Delivery) -> bool:
    """Store how an attempt ended (state, attempts, due, delivered, error) and give back the lease.

    Only the holder of the lease may say that an attempt failed; when another took it over, nothing is stored and the
    answer is False. That it was delivered is a fact whoever tells it.
    """
    names = ("attempts", "due", "delivered", "error")
    row = {name: getattr(delivery, name) for name in names}
    where = and_(deliveries.c.key == delivery.key, deliveries.c.state == _PENDING)
    if delivery.state is not DeliveryState.DELIVERED:
        where = and_(where, deliveries.c.leased_until == delivery.leased_until)
    statement = deliveries.update().where(where).values(state=delivery.state.value, leased_until=None, **row)
    return bool(tx.execute(statement).rowcount)


def hasten(tx: Connection, channel: str, now: datetime) -> None:
    """Everything that the channel still has to be told is due: it takes messages again."""
    where = and_(deliveries.c.state == _PENDING, deliveries.c.channel == channel, deliveries.c.due > now)
    tx.execute(deliveries.update().where(where).values(due=now))


def forget_waits(tx: Connection, now: datetime) -> None:
    """Everything pending is due and no channel pauses: the clock was set back, and how long they were to wait is not
    known."""
    where = and_(deliveries.c.state == _PENDING, deliveries.c.due > now)
    tx.execute(deliveries.update().where(where).values(due=now))
    tx.execute(channels.update().where(channels.c.paused_until > now).values(paused_until=None))


def revive(tx: Connection, now: datetime, *, channel: str | None = None, keys: Collection[str] = ()) -> int:
    """Try again, from the first attempt, what is dead or waits: of the channel (None = all) or the given keys only.

    The channels concerned are open again. The keys stay: a receiver knows what it already has.
    """
    where = _named(deliveries.c.state != DeliveryState.DELIVERED.value, channel, keys)
    concerned = tx.execute(select(deliveries.c.channel).where(where).distinct()).scalars().all()
    revived = _renew(tx, where, now)
    for name in concerned:
        reopen(tx, name)
    return revived


def recall(tx: Connection, number: int, now: datetime) -> int:
    """The article is back: what was given up because it had been withdrawn is owed again."""
    gone = and_(deliveries.c.state == _DEAD, deliveries.c.error == WITHDRAWN, deliveries.c.number == number)
    return _renew(tx, gone, now)


def _renew(tx: Connection, where: ColumnElement[bool], now: datetime) -> int:
    row = {"state": _PENDING, "attempts": 0, "due": now, "error": ""}
    return tx.execute(deliveries.update().where(where).values(row)).rowcount


def drop(tx: Connection, why: str, *, channel: str | None = None, keys: Collection[str] = ()) -> int:
    """Give up what is pending, of the channel (None = all) or the given keys only; it stays as dead, with ``why``."""
    where = _named(deliveries.c.state == _PENDING, channel, keys)
    return tx.execute(deliveries.update().where(where).values(state=_DEAD, leased_until=None, error=why)).rowcount


def delivered_since(tx: Connection, channel: str, start: datetime) -> int:
    """How many messages the channel took since then."""
    where = and_(deliveries.c.channel == channel, deliveries.c.delivered >= start)
    return tx.execute(select(func.count()).select_from(deliveries).where(where)).scalar_one()


def _named(where: ColumnElement[bool], channel: str | None, keys: Collection[str]) -> ColumnElement[bool]:
    if channel is not None:
        where = and_(where, deliveries.c.channel == channel)
    return and_(where, deliveries.c.key.in_(keys)) if keys else where


def next_due(tx: Connection, channel: str) -> datetime | None:
    """When the channel's next pending delivery may be tried: it is due, and nobody holds it."""
    where = and_(deliveries.c.state == _PENDING, deliveries.c.channel == channel)
    free = case((deliveries.c.leased_until > deliveries.c.due, deliveries.c.leased_until), else_=deliveries.c.due)
    return tx.execute(select(func.min(free)).where(where)).scalar()


def listing(tx: Connection, states: Collection[DeliveryState] = (), channel: str | None = None) -> list[Delivery]:
    """Deliveries in order of creation, of the given states (all when empty) and channel."""
    statement = select(deliveries).order_by(deliveries.c.created, deliveries.c.key)
    if states:
        statement = statement.where(deliveries.c.state.in_([state.value for state in states]))
    if channel:
        statement = statement.where(deliveries.c.channel == channel)
    return [codec.delivery(row) for row in tx.execute(statement).mappings()]


def counts(tx: Connection) -> dict[tuple[str, str], int]:
    """(channel, state) → number of deliveries."""
    group = (deliveries.c.channel, deliveries.c.state)
    rows = tx.execute(select(*group, func.count()).group_by(*group))
    return {(row[0], row[1]): row[2] for row in rows}


def channel_state(tx: Connection, name: str) -> ChannelState:
    """The channel's state; a blank one when nothing was ever stored."""
    row = tx.execute(select(channels).where(channels.c.name == name)).mappings().first()
    return ChannelState(**row) if row else ChannelState(name=name)


def save_channel_state(tx: Connection, state: ChannelState) -> None:
    row = {name: getattr(state, name) for name in ("address", "failures", "paused_until", "closed")}
    if not tx.execute(channels.update().where(channels.c.name == state.name).values(row)).rowcount:
        tx.execute(channels.insert().values(name=state.name, **row))


def reopen(tx: Connection, name: str) -> None:
    """Forget failures, pause and closing: the next delivery is tried at once."""
    save_channel_state(tx, ChannelState(name=name, address=channel_state(tx, name).address))
