"""Where a redirect leads, and what may go along (RFC 9110 §15.4). Pure."""

from __future__ import annotations

from policyfeed.errors import Forbidden
from policyfeed.transport.urls import Address, join, redacted, take_apart
from policyfeed.types import Request

PERMANENT = frozenset({301, 308})
_REDIRECTS = PERMANENT | {302, 303, 307}
_BECOME_GET = frozenset({301, 302, 303})
_MAY_CROSS = frozenset(
    {"accept", "accept-language", "content-type", "if-modified-since", "if-none-match", "user-agent"}
)
"""Whatever else a caller sends may be a credential (Authorization, X-Api-Key …) and stays with its origin."""


def following(request: Request, status: int, location: str) -> Request | None:
    """The request that an answer asks for, None when it is no redirect.

    Raises Forbidden for a way from https to http, for schemes other than http and https, and for a POST that would
    leave its origin: what was meant for one server is not handed to another.
    """
    if status not in _REDIRECTS or not location:
        return None
    url = join(request.url, location)
    here, there = take_apart(request.url), take_apart(url)
    if (here.scheme, there.scheme) == ("https", "http"):
        raise Forbidden("{url} redirects from https to plain http.", url=redacted(request.url))
    stays = _same_site(here, there)
    if not stays and request.method not in {"GET", "HEAD"}:
        raise Forbidden(
            "{url} redirects a {method} request to another server, {target}.",
            url=redacted(request.url),
            method=request.method,
            target=there.site,
        )
    return _next(request, url, status, stays)


def _next(request: Request, url: str, status: int, stays: bool) -> Request:
    becomes_get = request.method not in {"GET", "HEAD"} and status in _BECOME_GET
    headers = tuple(
        (name, value)
        for name, value in request.headers
        if (stays or name.lower() in _MAY_CROSS) and not (becomes_get and name.lower().startswith("content-"))
    )
    if becomes_get:
        return Request(url=url, headers=headers)
    return Request(url=url, method=request.method, headers=headers, body=request.body)


def _same_site(here: Address, there: Address) -> bool:
    upgrade = ("http", here.host, 80), ("https", here.host, 443)
    return here.origin == there.origin or (here.origin, there.origin) == upgrade
