"""The data folder's database, as commands open it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from policyfeed.config import data_folder
from policyfeed.store import Store


@contextmanager
def opened_store(*, create: bool = True) -> Iterator[Store]:
    """The data folder's database. Raises StoreError (also where none is to be created), OutputError."""
    store = Store(data_folder(), create=create)
    try:
        yield store
    finally:
        store.close()
