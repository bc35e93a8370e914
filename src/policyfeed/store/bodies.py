"""Bodies that articles still want: the text that stands on a page of their own, asked for after the list was read.

The duty is written in the transaction that stores the article. A claimed duty is nobody else's until ``lease`` is over;
when its holder dies, it is simply due again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, case, func, select

from policyfeed.store.schema import articles, bodies
from policyfeed.types import Article


class BodyState(StrEnum):
    """``AGAIN``: it was read, and is to be looked at once more, for edits that no list shows."""

    PENDING = "pending"
    AGAIN = "again"
    DONE = "done"
    FAILED = "failed"


_WAITING = bodies.c.state.in_([BodyState.PENDING.value, BodyState.AGAIN.value])


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A duty's row. ``quiet``: the article was stored without telling anybody, and its body tells nobody either.

    ``revision`` is the one whose text was taken from here; 0 = none was.
    """

    number: int
    source: str
    url: str
    quiet: bool = False
    revision: int = 0
    state: BodyState = BodyState.PENDING
    attempts: int = 0
    due: datetime
    error: str = ""

    @property
    def host(self) -> str:
        """The host that is asked, in lower case."""
        return urlsplit(self.url).hostname or ""


def need(tx: Connection, article: Article, source: str, url: str, now: datetime, *, quiet: bool) -> bool:
    """Owe the stored article its body from ``url``, when it lacks text or time of day. Whether something was written.

    "" for a URL = there is none. One duty an article; one that failed is taken over by another source.
    """
    if not url or (article.content and not article.dated):
        return False
    known = tx.execute(select(bodies).where(bodies.c.number == article.number)).mappings().first()
    owed = Body(number=article.number, source=source, url=url, quiet=quiet, due=now)
    if known is None:
        tx.execute(bodies.insert().values(number=article.number, **_row(owed)))
        return True
    if known["state"] != BodyState.FAILED or known["source"] == source:
        return False
    tx.execute(bodies.update().where(bodies.c.number == article.number).values(_row(owed)))
    return True


def again(tx: Connection, number: int, due: datetime) -> None:
    """The article says something else now: its body, if it was taken from a page of its own, is read once more."""
    row = {"state": BodyState.PENDING.value, "attempts": 0, "due": due, "error": ""}
    tx.execute(bodies.update().where(bodies.c.number == number).values(row))


def doubt(tx: Connection, number: int, source: str, url: str, now: datetime) -> None:
    """Look at the article's own page: it may have been withdrawn. Nobody is told of what is found."""
    if url:
        row = _row(Body(number=number, source=source, url=url, quiet=True, due=now))
        again = {name: value for name, value in row.items() if name != "revision"}
        if not tx.execute(bodies.update().where(bodies.c.number == number).values(again)).rowcount:
            tx.execute(bodies.insert().values(number=number, **row))


def claim(tx: Connection, host: str, now: datetime, lease: timedelta) -> Body | None:
    """The duty of a host that comes first: what was never read, what was announced, then the newest."""
    read_before = case((bodies.c.state == BodyState.AGAIN.value, 1), else_=0)
    newest = (read_before, bodies.c.quiet, articles.c.sort_time.desc(), bodies.c.number.desc())
    statement = select(bodies).join(articles, articles.c.number == bodies.c.number).where(_due(now), _at(host))
    row = tx.execute(statement.order_by(*newest).limit(1)).mappings().first()
    if row is None:
        return None
    tx.execute(bodies.update().where(bodies.c.number == row["number"]).values(due=now + lease))
    return replace(_body(row), due=now + lease)


def settle(tx: Connection, claimed: Body, ended: Body) -> bool:
    """Store how an attempt ended. When the duty was renewed meanwhile (``again``) it stays, and the answer is False."""
    mine = bodies.c.number == claimed.number
    held = tx.execute(bodies.update().where(mine, bodies.c.due == claimed.due).values(_row(ended))).rowcount
    if not held:
        tx.execute(bodies.update().where(mine).values(revision=ended.revision))
    return bool(held)


def postpone(tx: Connection, host: str, until: datetime) -> None:
    """Nothing is asked of the host before that."""
    where = and_(_WAITING, _at(host), bodies.c.due < until)
    tx.execute(bodies.update().where(where).values(due=until))


def retry(tx: Connection, now: datetime) -> int:
    """Try again, from the first attempt, what failed or waits. How many there are."""
    where = bodies.c.state.in_([BodyState.PENDING.value, BodyState.FAILED.value])
    row = {"state": BodyState.PENDING.value, "attempts": 0, "due": now, "error": ""}
    return tx.execute(bodies.update().where(where).values(row)).rowcount


def due(tx: Connection, now: datetime) -> dict[str, int]:
    """Host → how many bodies are due there."""
    rows = tx.execute(select(bodies.c.host, func.count()).where(_due(now)).group_by(bodies.c.host))
    return {row[0]: row[1] for row in rows}


def unread(tx: Connection) -> dict[str, tuple[int, datetime]]:
    """Host → how many bodies were never read there, and when the next one may be asked for."""
    counted = select(bodies.c.host, func.count(), func.min(bodies.c.due))
    rows = tx.execute(counted.where(bodies.c.state == BodyState.PENDING.value).group_by(bodies.c.host))
    return {row[0]: (row[1], row[2]) for row in rows}


def next_due(tx: Connection) -> dict[str, datetime]:
    """Host → when the next of its bodies may be asked for."""
    rows = tx.execute(select(bodies.c.host, func.min(bodies.c.due)).where(_WAITING).group_by(bodies.c.host))
    return {row[0]: row[1] for row in rows}


def get(tx: Connection, number: int) -> Body | None:
    """The article's duty; None = it never had one."""
    row = tx.execute(select(bodies).where(bodies.c.number == number)).mappings().first()
    return _body(row) if row else None


def _due(now: datetime) -> ColumnElement[bool]:
    return and_(_WAITING, bodies.c.due <= now)


def _at(host: str) -> ColumnElement[bool]:
    return bodies.c.host == host


def _row(body: Body) -> dict[str, object]:
    names = ("source", "url", "host", "quiet", "revision", "attempts", "due", "error")
    return {name: getattr(body, name) for name in names} | {"state": body.state.value}


def _body(row: RowMapping) -> Body:
    names = ("number", "source", "url", "quiet", "revision", "attempts", "due", "error")
    return Body(**{name: row[name] for name in names}, state=BodyState(row["state"]))
