"""Sources: what to request, how to read the answer. One file per kind; the file name is the configured ``kind``.

An adapter is a module with what ``Adapter`` names. It does no I/O: requests go out and documents come in.
``read`` runs in a worker process with limits on time and memory, so everything it takes and gives can be pickled.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from policyfeed.types import Document, Page, Request, Source


class Adapter(Protocol):
    """What every module in this folder provides."""

    ROBOTS: bool
    """Whether the site's robots.txt is asked: yes for what was made for readers, no for feeds, made for programs."""

    def first(self, source: Source, cursor: Mapping[str, Any], now: datetime) -> Request:
        """The first request of a poll. ``cursor`` is what ``read`` left behind at the last successful poll."""
        ...

    def read(self, source: Source, cursor: Mapping[str, Any], document: Document) -> Page:
        """The entries of one document, and the next request when the poll is not complete yet.

        ``cursor`` is the last page's, or at the poll's first page the one ``first`` was given. Raises Unreadable,
        Blocked or LayoutChanged.
        """
        ...
