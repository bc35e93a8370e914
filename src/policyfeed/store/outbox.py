"""The outbox: what is owed to channels. A delivery is written in the transaction that stores its article."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select

from policyfeed.store import codec
from policyfeed.store.schema import channels, deliveries
from policyfeed.types import Delivery, DeliveryState

_PENDING = DeliveryState.PENDING.value


def owe(tx: Connection, owed: Iterable[Delivery]) -> int:
    """Write what is owed; what is already owed, delivered or dead for the same revision stays as it is."""
    written = 0
    for one in owed:
        same = and_(
            deliveries.c.channel == one.channel,
            deliveries.c.number == one.number,
            deliveries.c.revision == one.revision,
        )
        if tx.execute(select(deliveries.c.key).where(or_(deliveries.c.key == one.key, same))).first() is None:
            names = ("key", "channel", "number", "revision", "attempts", "created", "due", "error")
            row = {name: getattr(one, name) for name in names}
            tx.execute(deliveries.insert().values(state=one.state.value, **row))
            written += 1
    return written


def told(tx: Connection, number: int) -> set[str]:
    """The channels that were, or will be, told of any revision of the article."""
    return set(tx.execute(select(deliveries.c.channel).where(deliveries.c.number == number)).scalars())


def claim(tx: Connection, channel: str, now: datetime, lease: timedelta, limit: int) -> list[Delivery]:
    """Take the channel's oldest due deliveries for ``lease``: until then nobody else gets them.

    A lease that ran out (its holder died) is taken over. In order of creation: a channel tells things in their order.
    """
    free = or_(deliveries.c.leased_until.is_(None), deliveries.c.leased_until <= now)
    where = and_(deliveries.c.state == _PENDING, deliveries.c.channel == channel, deliveries.c.due <= now, free)
    order = (deliveries.c.created, deliveries.c.number, deliveries.c.key)
    rows = tx.execute(select(deliveries).where(where).order_by(*order).limit(limit)).mappings().all()
    keys = [row["key"] for row in rows]
    tx.execute(deliveries.update().where(deliveries.c.key.in_(keys)).values(leased_until=now + lease))
    return [codec.delivery(row) for row in rows]


def release(tx: Connection) -> None:
    """Give back every lease: called by the one process that delivers, when it starts."""
    tx.execute(deliveries.update().where(deliveries.c.leased_until.is_not(None)).values(leased_until=None))


def settle(tx: Connection, delivery: Delivery) -> None:
    """Store how an attempt ended (state, attempts, due, delivered, error) and give back the lease."""
    names = ("attempts", "due", "delivered", "error")
    row = {name: getattr(delivery, name) for name in names}
    where = deliveries.c.key == delivery.key
    tx.execute(deliveries.update().where(where).values(state=delivery.state.value, leased_until=None, **row))


def next_due(tx: Connection, channel: str) -> datetime | None:
    """When the channel's next pending delivery may be tried."""
    where = and_(deliveries.c.state == _PENDING, deliveries.c.channel == channel)
    return tx.execute(select(func.min(deliveries.c.due)).where(where)).scalar()


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


def channel_state(tx: Connection, name: str) -> dict[str, Any]:
    """``failures`` in a row, ``paused_until`` (circuit breaker), ``closed`` (why it will take nothing any more)."""
    row = tx.execute(select(channels).where(channels.c.name == name)).mappings().first()
    return dict(row) if row else {"name": name, "failures": 0, "paused_until": None, "closed": ""}


def save_channel_state(
    tx: Connection, name: str, *, failures: int, paused_until: datetime | None, closed: str = ""
) -> None:
    row = {"failures": failures, "paused_until": paused_until, "closed": closed}
    if not tx.execute(channels.update().where(channels.c.name == name).values(row)).rowcount:
        tx.execute(channels.insert().values(name=name, **row))
