"""Sources: what to request, how to read the answer. One file per kind; the file name is the configured ``kind``.

An adapter is a module with what ``Adapter`` names. It does no I/O: requests go out and documents come in.
``read`` runs in a worker process with limits on time and memory, so everything it takes and gives can be pickled.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Literal, Protocol, Self
from urllib.parse import quote, quote_plus, unquote

from policyfeed import registry
from policyfeed.errors import UpstreamError
from policyfeed.types import Detail, Document, Page, Request, Secret, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a source of any kind takes under ``options`` (``normalize.article`` reads it).

    A kind that takes more has an ``Options`` derived from this one: fields with defaults, bounds in their metadata
    (``field(default=3, metadata={"ge": 1})``). The configuration refuses whatever is not declared, or not so.
    """

    key: str = ""
    """A secret that stands in address or headers (``{key}``): ``env:NAME`` or ``file:PATH``."""
    date_only: bool = False
    attribution: str = "{ministry}"

    @classmethod
    def of(cls, source: Source) -> Self:
        """The source's options, the defaults in place of what it does not say."""
        return cls(**{one.name: source.options[one.name] for one in fields(cls) if one.name in source.options})


class Adapter(Protocol):
    """What every module in this folder provides, and an ``Options`` where its sources take more than others.

    For ``policyfeed backfill`` it may provide one of two more functions: ``days(source, start, end) -> Request``, the
    first request for what was published on these days (inclusive, Korean days), whose answers ``read`` reads to the
    end when its cursor is empty; or ``leafs(source) -> bool``, whether the list can be leafed through: then ``read``
    goes on to the next page for as long as there is one when its cursor says ``{"all": True}``.
    """

    ROBOTS: bool
    """Whether the site's robots.txt is asked: yes for what was made for readers, no for feeds, made for programs."""
    ADDRESS: Literal["page", "feed", "interface"]
    """What stands at a source's address: a page for people, a feed for their readers, or what programs alone use."""

    def first(self, source: Source, cursor: Mapping[str, Any], now: datetime) -> Request:
        """The first request of a poll. ``cursor`` is what ``read`` left behind at the last successful poll."""
        ...

    def read(self, source: Source, cursor: Mapping[str, Any], document: Document) -> Page:
        """The entries of one document, and the next request when the poll is not complete yet.

        ``cursor`` is the last page's, or at the poll's first page the one ``first`` was given. Raises Unreadable,
        Blocked or LayoutChanged.
        """
        ...


class Detailed(Protocol):
    """What an adapter provides besides when its articles have pages of their own that say more than its lists."""

    def detail(self, source: Source, url: str) -> Request | None:
        """The request for an article's own page; None = there is nothing to be read there."""
        ...

    def read_detail(self, source: Source, document: Document, so_far: Detail | None) -> Detail:
        """What is known of the article with what the document adds.

        ``so_far`` is None for the article's own page; else the document answers the first of ``so_far.ways``, and the
        ways of what comes back are those that are left. Runs in a worker process. Raises Unreadable, Blocked,
        LayoutChanged.
        """
        ...

    def elsewhere(self, request: Request) -> Request | None:
        """The same thing at another place of the same publisher, for when the first one refuses."""
        ...


_IN_THE_ADDRESS = "its address"
_KEY = re.compile(
    r"(?<=[?&])((?:(?:api|app|auth|access|client|confm|crtfc|secret|service)[_-]?)?key"
    r"|[a-z_-]*(?:token|secret|passwd|password))=((?!%7B)[^&#{]{8,})",
    re.IGNORECASE,
)


def keyed(source: Source) -> Source:
    """The source with secrets in place of what seems to be a key in its address: from there on nobody is shown it."""
    found = {name: Secret(value, _IN_THE_ADDRESS) for name, value in _KEY.findall(source.url)}
    url = _KEY.sub(r"\1=%7B\1%7D", source.url).replace("{key}", "%7Bkey%7D")
    return replace(source, url=url, options={**source.options, **found})


def plain(source: Source) -> list[str]:
    """The parts of the source's address that were written as they are, and seemed to be secrets."""
    secrets = ((name, one) for name, one in source.options.items() if isinstance(one, Secret))
    return [name for name, one in secrets if one.origin == _IN_THE_ADDRESS]


def keyless(text: str) -> str:
    """A text about addresses without what seems to be a key in them."""
    return _KEY.sub(r"\1=…", text)


def private(source: Source) -> bool:
    """Whether the source's address works with a secret alone: nobody else is sent there."""
    return any(f"%7B{name}%7D" in source.url for name in source.options)


def revealed(source: Source, request: Request) -> Request:
    """The request as it is sent: where its address says ``%7Bkey%7D``, the secret option ``key``, percent-encoded (or
    as it was written there), and in its headers, where these say ``{key}``, as it is.
    """
    if not (secrets := _secrets(source)):
        return request
    url, headers = request.url, request.headers
    for name, secret in secrets:
        url = url.replace(f"%7B{name}%7D", _in_an_address(secret))
        headers = tuple((header, value.replace(f"{{{name}}}", secret.reveal())) for header, value in headers)
    return replace(request, url=url, headers=headers)


def hidden(source: Source, document: Document) -> Document:
    """The document without the source's secrets in its addresses: nothing that is stored or said can show them."""
    if not (secrets := _secrets(source)):
        return document
    url, moved_to = document.url, document.moved_to or ""
    for name, secret in secrets:
        bare = unquote(secret.reveal()) if secret.origin == _IN_THE_ADDRESS else secret.reveal()
        for written in (_in_an_address(secret), quote(bare, safe=""), quote_plus(bare), bare):
            url, moved_to = (one.replace(written, f"%7B{name}%7D") for one in (url, moved_to))
    return replace(document, url=url, moved_to=moved_to or None)


def _in_an_address(secret: Secret) -> str:
    return secret.reveal() if secret.origin == _IN_THE_ADDRESS else quote(secret.reveal(), safe="")


def _secrets(source: Source) -> list[tuple[str, Secret]]:
    return [(name, one) for name, one in source.options.items() if isinstance(one, Secret) and one.reveal()]


def explain(source: Source, document: Document) -> None:
    """Raise what the adapter's ``refusal(source, document)`` makes of an answer that is no success, if it has that."""
    refusal = getattr(registry.load("sources", source.kind), "refusal", None)
    error: UpstreamError | None = refusal(source, document) if refusal else None
    if error is not None:
        raise error


def detailed(source: Source) -> Detailed | None:
    """The source's adapter, if its articles have pages of their own."""
    adapter: Any = registry.load("sources", source.kind)
    found: Detailed | None = adapter if hasattr(adapter, "detail") else None
    return found


def elsewhere(source: Source, request: Request) -> Request | None:
    """The same thing at another place of the same publisher; None = there is none."""
    adapter = detailed(source)
    return adapter.elsewhere(request) if adapter else None


def body_url(source: Source, url: str) -> str:
    """Where an article's body can be read; "" when the source's kind knows of no such place."""
    adapter = detailed(source)
    request = adapter.detail(source, url) if adapter else None
    return request.url if request else ""
