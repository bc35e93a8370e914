"""The published feeds in memory: bytes, their gzip form, and validators, exchanged as one."""

from __future__ import annotations

import gzip
import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One representation: what goes over the wire, and its own strong ETag (RFC 9110 §8.8.3.3)."""

    body: bytes
    etag: str
    encoding: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A feed in one format. ``changed`` is the file's time, in whole seconds."""

    plain: Variant
    zipped: Variant
    changed: datetime
    stamp: tuple[int, int, int]


class Published:
    """The folder's feeds as they were at the last ``load``. Readers see the old set or the new one, never a mixture."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._items: dict[str, Item] = {}

    def load(self) -> None:
        """Read the files that changed since the last time; blocks for about 1 ms per 5 kB that changed (gzip).

        A file that cannot be read now keeps its last known bytes.
        """
        found: dict[str, Item] = {}
        for file in sorted((self.folder / "feeds").glob("[!.]*.*")):
            known = self._items.get(file.name)
            try:
                found[file.name] = _read(file, known)
            except OSError:
                if known:
                    found[file.name] = known
        self._items = found

    def get(self, name: str) -> Item | None:
        """By file name: ``esg.atom``."""
        return self._items.get(name)

    def names(self) -> tuple[str, ...]:
        return tuple(self._items)


def _read(file: Path, known: Item | None) -> Item:
    with file.open("rb") as opened:
        status = os.fstat(opened.fileno())
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        if known and known.stamp == stamp:
            return known
        body = opened.read()
    tag = hashlib.sha256(body).hexdigest()[:32]
    return Item(
        plain=Variant(body=body, etag=f'"{tag}"'),
        zipped=Variant(body=gzip.compress(body, 6, mtime=0), etag=f'"{tag}-gzip"', encoding="gzip"),
        changed=datetime.fromtimestamp(int(status.st_mtime), UTC),
        stamp=stamp,
    )
