"""The only database I/O: one schema (``schema.py``), queries by noun, migrations.

Queries take the transaction that ``Store.read`` or ``Store.write`` gave.
"""

from sqlalchemy import Connection as Transaction

from policyfeed.store import articles, board, feeds, outbox, sources
from policyfeed.store.database import InDatabase, Store, working_alone
from policyfeed.store.sources import SourceState

__all__ = [
    "InDatabase",
    "SourceState",
    "Store",
    "Transaction",
    "articles",
    "board",
    "feeds",
    "outbox",
    "sources",
    "working_alone",
]
