"""Feeds over HTTP: conditional requests and gzip as RFC 9110 has them, from memory."""

from __future__ import annotations

import re
from email.utils import format_datetime

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from policyfeed import opml, publish
from policyfeed.clock import http_date
from policyfeed.i18n import translator
from policyfeed.web.address import site
from policyfeed.web.context import Context
from policyfeed.web.language import language_of
from policyfeed.web.published import Item, Variant
from policyfeed.web.wishes import weights

MAX_AGE = 300
"""Seconds that a cache may answer without asking: feeds change when ministries publish, not by the second."""

_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')


async def feed(request: Request) -> Response:
    """``/feeds/{name}.{extension}``."""
    context: Context = request.app.state.context
    name, extension = request.path_params["name"], request.path_params["extension"]
    formats = publish.formats()
    if extension not in formats or name not in {one.name for one in context.feeds()}:
        return _unknown(request, context, f"{name}.{extension}")
    if (item := context.published.get(f"{name}.{extension}")) is None:
        return _not_yet(request)
    return answer(request.method, request.headers, item, formats[extension].MEDIA_TYPE)


async def opml_list(request: Request) -> Response:
    """``/opml``: the published feeds, for readers that take lists."""
    context: Context = request.app.state.context
    page = f"{site(request)}/"  # absolute, as the list is carried away
    links = [(one, f"{page}feeds/{one.name}.atom") for one in context.feeds()]
    outlines = [opml.Outline(title=one.title, url=url, page=page, language=one.language) for one, url in links]
    body = opml.write(context.title(), outlines)
    disposition = {"Content-Disposition": 'attachment; filename="policyfeed.opml"'}
    return Response(body, headers=disposition, media_type=f"{opml.MEDIA_TYPE}; charset=utf-8")


def answer(method: str, headers: Headers, item: Item, media_type: str) -> Response:
    """200, 304 or, for a failed If-Match, 412 (RFC 9110 §13.2.2). HEAD gets the same headers and no body."""
    variant = item.zipped if accepts_gzip(_list(headers, "accept-encoding")) else item.plain
    told = {"Vary": "Accept-Encoding", "Cache-Control": f"public, max-age={MAX_AGE}"}
    if (wanted := _list(headers, "if-match")) is not None and _matching(wanted, item, variant, weak=False) is None:
        return Response(status_code=412, headers=told)
    if (held := _held(headers, item, variant)) is not None:
        return Response(status_code=304, headers=told | {"ETag": held.etag})
    told |= {
        "ETag": variant.etag,
        "Last-Modified": format_datetime(item.changed, usegmt=True),
        "Content-Type": f"{media_type}; charset=utf-8",
        "Content-Length": str(len(variant.body)),
    }
    if variant.encoding:
        told["Content-Encoding"] = variant.encoding
    return Response(b"" if method == "HEAD" else variant.body, headers=told)


def accepts_gzip(header: str | None) -> bool:
    """Whether the client takes gzip (RFC 9110 §12.5.3). Without the header it gets the plain bytes."""
    given = weights(header or "")
    return given.get("gzip", given.get("x-gzip", given.get("*", 0.0))) > 0


def _list(headers: Headers, name: str) -> str | None:
    """A header that is a list, whose parts may come in several lines (RFC 9110 §5.3)."""
    return ", ".join(headers.getlist(name)) if name in headers else None


def _held(headers: Headers, item: Item, variant: Variant) -> Variant | None:
    """The variant that the client already has; None = send it. If-None-Match leaves If-Modified-Since unread."""
    if (held := _list(headers, "if-none-match")) is not None:
        return _matching(held, item, variant, weak=True)
    since = http_date(headers.get("if-modified-since", ""))
    return variant if since and item.changed <= since else None


def _matching(tags: str, item: Item, variant: Variant, *, weak: bool) -> Variant | None:
    """The variant that a list of entity tags names. Either form of the same feed is as fresh as the other, so a
    client that holds the plain one is not sent the gzip one anew.
    """
    if tags.strip() == "*":
        return variant
    named = {found[1] for found in _TAG.finditer(tags) if weak or not found[0].startswith("W/")}
    return next((one for one in (variant, item.plain, item.zipped) if one.etag in named), None)


def _unknown(request: Request, context: Context, asked: str) -> Response:
    _ = translator(language_of(request))
    said = _("There is no feed {name}. These are published:").format(name=asked)
    lines = [
        said,
        *(
            f"{site(request)}/feeds/{one.name}.{extension}  {one.title}"
            for one in context.feeds()
            for extension in publish.formats()
        ),
    ]
    return PlainTextResponse("\n".join(lines) + "\n", 404, {"Vary": "Accept-Language"})


def _not_yet(request: Request) -> Response:
    _ = translator(language_of(request))
    said = _("This feed has not been published yet; it will be after the first round.")
    return PlainTextResponse(f"{said}\n", 503, {"Retry-After": "60", "Vary": "Accept-Language"})
