"""Formats: articles → bytes. One file per format; the file name is the URL's extension.

A format is a module with the names of ``Format``. It is pure: the same feed and articles give the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from policyfeed.selection import Selection
from policyfeed.types import Judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A published output. ``id`` is its permanent IRI; ``base_url`` is this service's address without a final /."""

    name: str
    id: str
    title: str
    subtitle: str = ""
    language: str = "ko"
    selection: Selection = Selection()
    limit: int = 200
    base_url: str = ""
    content: bool = True
    """Whether entries carry the whole text or only the summary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A feed as bytes; ``left_out`` names the articles (number, why) that could not be rendered: quarantined."""

    body: bytes
    left_out: tuple[tuple[int, str], ...] = ()


class Format(Protocol):
    """What every module in this folder provides."""

    MEDIA_TYPE: str

    def render(self, feed: Feed, articles: Sequence[Judged]) -> Rendered:
        """The feed's bytes: articles in the given order, newest first. Never raises for a single bad article."""
        ...
