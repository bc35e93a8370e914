"""Entries of feeds as bytes, kept from one rendering to the next."""

from __future__ import annotations

from threading import Lock

MOST = 64 * 1024 * 1024
"""Bytes that are kept; feeds whose entries are more in all are laid out anew each time."""

Entry = tuple[str, bytes]
"""An entry's id, and the entry as it stands in a feed."""


class LaidOut:
    """The entries that were used last, by whatever decides them. For several threads."""

    def __init__(self) -> None:
        self._kept: dict[tuple[object, ...], Entry] = {}
        self._lock = Lock()
        self.size = 0
        """Bytes, at most MOST."""

    def take(self, key: tuple[object, ...]) -> Entry | None:
        """The entry, if it is there; it is to be put back."""
        with self._lock:
            return self._out(key) if key in self._kept else None

    def put(self, key: tuple[object, ...], entry: Entry) -> None:
        """Keep an entry; of too many those go that were used longest ago."""
        with self._lock:
            if key in self._kept:
                self._out(key)
            self._kept[key] = entry
            self.size += len(entry[1])
            while self.size > MOST:
                self._out(next(iter(self._kept)))

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
            self.size = 0

    def _out(self, key: tuple[object, ...]) -> Entry:
        entry = self._kept.pop(key)
        self.size -= len(entry[1])
        return entry
