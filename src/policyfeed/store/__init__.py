"""The only database I/O: one schema (``schema.py``), queries by noun, migrations.

Queries take the transaction that ``Store.read`` or ``Store.write`` gave.
"""

from sqlalchemy import Connection as Transaction

from policyfeed.store import (
    answers,
    articles,
    backfills,
    bodies,
    copies,
    feeds,
    health,
    hosts,
    labels,
    outbox,
    sources,
)
from policyfeed.store.backfills import BackfillState
from policyfeed.store.database import InDatabase, Store
from policyfeed.store.folder import working_alone
from policyfeed.store.hosts import HostState
from policyfeed.store.sources import SourceState

__all__ = [
    "BackfillState",
    "HostState",
    "InDatabase",
    "SourceState",
    "Store",
    "Transaction",
    "answers",
    "articles",
    "backfills",
    "bodies",
    "copies",
    "feeds",
    "health",
    "hosts",
    "labels",
    "outbox",
    "sources",
    "working_alone",
]
