"""Channels: what to send, how to judge the answer. One file per messenger; the file name is the configured ``kind``.

A channel's module has the names of ``Messenger``. It is sans-I/O: it returns requests and judges documents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from policyfeed.selection import Selection
from policyfeed.types import Delivery, Document, Judged, Outcome, Request, Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Where to tell, what, and in which language. ``secrets`` holds further secrets by name (``secret``, ``token``)."""

    name: str
    kind: str
    url: Secret
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    selection: Selection = Selection()
    language: str = "ko"
    base_url: str = ""
    """Where this service's own pages are, for links back; without a final /."""
    per_second: float = 1.0
    """The messages a second that the messenger takes."""
    options: Mapping[str, Any] = field(default_factory=dict)


class Messenger(Protocol):
    """What every module in this folder provides."""

    SECRETS: tuple[str, ...]
    """Names of the secrets that it needs besides the URL."""

    def message(self, channel: Channel, delivery: Delivery, articles: Sequence[Judged], now: datetime) -> Request:
        """The request that tells of the articles (one, or several of a digest)."""
        ...

    def plain(self, channel: Channel, delivery: Delivery, articles: Sequence[Judged], now: datetime) -> Request | None:
        """The simplest form of the message, sent once when the rich one was found invalid; None = there is none."""
        ...

    def judge(self, document: Document) -> Outcome:
        """How the attempt ended, from the answer's status, headers and body."""
        ...
