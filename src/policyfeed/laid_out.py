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

    def get(self, key: tuple[object, ...]) -> Entry | None:
        """The entry, if it is there: it was used last now."""
        with self._lock:
            if (entry := self._kept.pop(key, None)) is not None:
                self._kept[key] = entry
            return entry

    def put(self, key: tuple[object, ...], entry: Entry) -> None:
        """Keep an entry; of too many those go that were used longest ago."""
        with self._lock:
            if key in self._kept:  # another thread was faster
                return
            self._kept[key] = entry
            self.size += len(entry[1])
            while self.size > MOST:
                self.size -= len(self._kept.pop(next(iter(self._kept)))[1])

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
            self.size = 0
