"""Who is to be told: a judged article and the channels → the deliveries owed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import NAMESPACE_URL, uuid5

from policyfeed.selection import Selection
from policyfeed.types import Delivery, Judged

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9-]{1,80}\Z")


class Listener(Protocol):
    """What routing needs to know of a channel."""

    @property
    def name(self) -> str: ...

    @property
    def selection(self) -> Selection: ...

    @property
    def operator(self) -> bool: ...


def owed(judged: Judged, channels: Sequence[Listener], now: datetime, *, quiet: bool) -> tuple[Delivery, ...]:
    """One delivery for each channel whose selection takes the stored article (its number is set).

    ``quiet`` (first contact, backfill, changed rules): it is stored, not announced. What is gone upstream is not told.
    """
    if quiet or judged.article.withdrawn:
        return ()
    article = judged.article
    return tuple(
        Delivery(
            key=key(article.id, article.revision, channel.name),
            channel=channel.name,
            number=article.number,
            revision=article.revision,
            created=now,
            due=now,
        )
        for channel in channels
        if not channel.operator and channel.selection.takes(judged)
    )


def key(article_id: str, revision: int, channel: str) -> str:
    """The delivery's permanent id: the same for the same article, revision and channel, whenever it is asked.

    It is every attempt's ``webhook-id``: ASCII letters, digits, ``-`` and ``_`` (Standard Webhooks joins the signed
    parts with full stops), at most 200 characters.
    """
    found = _UUID.search(article_id)
    article = found[0] if found else str(uuid5(NAMESPACE_URL, article_id))
    return f"{article}_{revision}_{_plain(channel)}"


def _plain(channel: str) -> str:
    if _PLAIN_NAME.match(channel):
        return channel
    return hashlib.sha256(channel.encode()).hexdigest()[:32]
