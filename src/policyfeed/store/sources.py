"""What is remembered of each source between polls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from policyfeed.store.prepared import Prepared, insertion
from policyfeed.store.schema import sources
from policyfeed.types import NO_WISHES, Validators, Wishes

NO_VALIDATORS = Validators()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """A source's row. ``fingerprint`` is the hash of the configuration that the validators and cursor belong to.

    ``body_hash`` is of the last document; ANEW: not one was read under this configuration.
    ``state`` is new, ok, or an error's name (``Unreachable``, ``LayoutChanged`` …), ``since`` when it began;
    ``error`` is its message as it is stored (``errors.told``), ``remarks`` what was odd in what was last read.
    ``first_contact`` is when the first complete poll was stored; until then nothing of the source is announced
    (``unmet``).
    ``listed`` is how many entries the last successful poll saw, ``profile`` the source's publication rhythm as
    ``rhythm.Profile`` writes it. ``final_url`` is where the validators came from, ``asked_whole`` when the whole was
    last sent. ``url`` is the adopted address ("" = the configured one); ``moved_to`` was given ``moved_times`` times in
    a row by permanent redirects. ``missing`` counts 404s in a row.
    """

    id: str
    fingerprint: str = ""
    validators: Validators = NO_VALIDATORS
    body_hash: str | None = None
    final_url: str = ""
    asked_whole: datetime | None = None
    cursor: Mapping[str, Any] = field(default_factory=dict)
    wishes: Wishes = NO_WISHES
    profile: str = ""
    due: datetime | None = None
    first_contact: datetime | None = None
    last_poll: datetime | None = None
    last_success: datetime | None = None
    last_new: datetime | None = None
    listed: int = 0
    failures: int = 0
    state: str = "new"
    since: datetime | None = None
    error: str = ""
    remarks: str = ""
    url: str = ""
    moved_to: str = ""
    moved_times: int = 0
    moved_since: datetime | None = None
    missing: int = 0
    missing_since: datetime | None = None

    @property
    def gone(self) -> bool:
        """Whether it is polled no more: the server said that it is gone, or has not known it for long."""
        return self.state == GONE

    @property
    def unmet(self) -> bool:
        """Whether it listed nothing yet, under this configuration: an answer without entries shows nothing of what
        was there before (some feeds are empty at times)."""
        contact = self.first_contact
        return contact is None or (not self.listed and (self.last_new is None or self.last_new < contact))


GONE = "gone"
ANEW = ""
_COLUMNS = [one.name for one in fields(SourceState) if one.name not in ("id", "validators", "wishes")]


_THIS = sources.c.id == bindparam("wanted")
_GET = Prepared(select(sources).where(_THIS))
_PROFILE = Prepared(select(sources.c.profile).where(_THIS))
_SAVE = Prepared(
    sources.update().where(_THIS).values({one.name: bindparam(one.name) for one in sources.c if one.name != "id"})
)
_INSERT = insertion(sources)


def get(tx: Connection, id_: str) -> SourceState:
    """The source's state; a blank one when it was never polled."""
    row = _GET.first(tx, wanted=id_)
    return _state(row) if row else SourceState(id=id_)


def profile(tx: Connection, id_: str) -> str:
    """The profile as it is now: a backfill may have taught it since the source's state was read."""
    rows = _PROFILE.rows(tx, wanted=id_)
    return str(rows[0][0]) if rows else ""


def every(tx: Connection) -> dict[str, SourceState]:
    return {row["id"]: _state(dict(row)) for row in tx.execute(select(sources)).mappings()}


def first_contacts(tx: Connection, ids: Iterable[str]) -> dict[str, datetime | None]:
    """Source id → when its first contact was stored, for the sources that were ever polled."""
    rows = tx.execute(select(sources.c.id, sources.c.first_contact).where(sources.c.id.in_(set(ids))))
    return {row.id: row.first_contact for row in rows}


def save(tx: Connection, state: SourceState) -> None:
    row = {name: getattr(state, name) for name in _COLUMNS}
    row |= {"etag": state.validators.etag, "last_modified": state.validators.last_modified}
    row["wishes"] = {} if state.wishes == NO_WISHES else asdict(state.wishes)
    if not _SAVE.run(tx, wanted=state.id, **row):
        _INSERT.run(tx, id=state.id, **row)


def _state(row: Mapping[str, Any]) -> SourceState:
    validators = Validators(etag=row["etag"], last_modified=row["last_modified"])
    return SourceState(
        id=row["id"], validators=validators, wishes=_wishes(row["wishes"]), **{name: row[name] for name in _COLUMNS}
    )


def _wishes(stored: Mapping[str, Any]) -> Wishes:
    if not stored:
        return NO_WISHES
    return Wishes(**{**stored, "hours": tuple(stored["hours"]), "days": tuple(stored["days"])})
