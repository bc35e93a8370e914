"""Channels: what to send, how to judge the answer. One file per messenger; the file name is the configured ``kind``.

A channel's module has the names of ``Messenger``. It is sans-I/O: it returns requests and judges documents.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from policyfeed.errors import ConfigError
from policyfeed.selection import Selection
from policyfeed.types import Delivery, Document, Judged, Outcome, Request, Secret

_HOST = re.compile(r"[\w-]{1,63}(\.[\w-]{1,63})*\.?|[0-9a-f:.%]*:[0-9a-f:.%]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Where to tell, what, and in which language. ``secrets`` holds further secrets by name (``secret``, ``token``)."""

    name: str
    kind: str
    url: Secret
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    selection: Selection = Selection()
    revisions: bool = False
    """Whether it is told again of an article that it was told of and that was corrected."""
    daily_cap: int | None = None
    """The most messages of a Korean day, the best ones first; None = no limit."""
    operator: bool = False
    """Whether it is told of the sources' health, and of nothing else."""
    language: str = "ko"
    base_url: str = ""
    """Where this service's own pages are, for links back; without a final /."""
    topic_names: Mapping[str, str] = field(default_factory=dict)
    """Topic id → its name in the channel's language; the id is shown where a name is missing."""
    per_second: float = 1.0
    """The messages a second that the messenger takes."""
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a channel of any kind takes under ``options``: nothing. A kind that takes something has an ``Options`` of
    its own, as sources have (``policyfeed.sources.Options``)."""


class Messenger(Protocol):
    """What every module in this folder provides, and an ``Options`` where its channels take any."""

    SECRETS: tuple[str, ...]
    """Names of the secrets that it needs besides the URL."""

    def check(self, channel: Channel) -> list[ConfigError]:
        """Every mistake in the channel's address, secrets and options; no message shows a secret."""
        ...

    def message(self, channel: Channel, delivery: Delivery, articles: Sequence[Judged], now: datetime) -> Request:
        """The request that tells of the articles (one, or several of a digest)."""
        ...

    def plain(self, channel: Channel, delivery: Delivery, articles: Sequence[Judged], now: datetime) -> Request | None:
        """The simplest form of the message, sent once when the rich one was found invalid; None = there is none."""
        ...

    def judge(self, document: Document) -> Outcome:
        """How the attempt ended, from the answer's status, headers and body."""
        ...


def check_address(channel: Channel) -> list[ConfigError]:
    """A mistake when the channel's URL is no web address that can be asked: said now, not by every message."""
    if _is_askable(channel.url.reveal()):
        return []
    return [
        ConfigError(
            "The URL of channel {channel} (from {origin}) is not a web address.",
            remedy="Put the whole webhook address there, beginning with https://, without spaces or credentials.",
            channel=channel.name,
            origin=channel.url.origin,
            key="url",
        )
    ]


def _is_askable(url: str) -> bool:
    """What the transport refuses is refused here too; and spaces, which no webhook has."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not url.isprintable() or " " in url:  # urlsplit drops line breaks in silence
        return False
    return parts.scheme in ("http", "https") and "@" not in parts.netloc and bool(_HOST.fullmatch(host)) and port != 0
