"""What is not answered as it was asked: a page for whoever takes one, else a line, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from policyfeed.i18n import marked, translator
from policyfeed.web import pages
from policyfeed.web.language import language_of
from policyfeed.web.wishes import weights

log = structlog.get_logger(__name__)

_UNAVAILABLE = (
    marked("Not available"),
    marked("This page is not available at the moment. Feeds are not affected."),
)
REFUSALS = {
    400: (
        marked("Not understood"),
        marked("The form names what is unknown here. Load its page again and press again."),
    ),
    403: (
        marked("Not stored"),
        marked("This form was not sent from {detail}. Open that address and press again."),
    ),
    404: (marked("Not found"), marked("There is nothing at this address.")),
    405: (marked("Not possible"), marked("This address only takes {allow}.")),
    413: (marked("Too large"), marked("No form of these pages is as large as what was sent.")),
}
"""What is said of each status: a heading and a reason."""


def refused(request: Request, problem: Any) -> Response:
    """What an HTTPException with one of the ``REFUSALS`` comes to."""
    headers = problem.headers or {}
    facts = {"detail": problem.detail, "allow": headers.get("Allow", "")}
    return _told(request, problem.status_code, *REFUSALS[problem.status_code], headers, facts)


def failed(request: Request, problem: Exception) -> Response:
    """503: the database does not answer. What is wrong is for the log and ``/readyz``, not for readers."""
    log.error("page failed", path=request.url.path, problem=str(problem))
    return _told(request, 503, *_UNAVAILABLE, {"Retry-After": "60"}, {})


def broken(request: Request, _problem: Exception) -> Response:
    """500: a fault of policyfeed, which the server logs. A page might break by it once more."""
    _ = translator(language_of(request))
    said = _("This page failed by a fault in policyfeed; its log says where. Feeds are not affected.")
    return PlainTextResponse(f"{said}\n", 500)


def _told(
    request: Request, status: int, heading: str, reason: str, headers: Mapping[str, str], facts: Mapping[str, str]
) -> Response:
    _ = translator(language_of(request))
    said = _(reason).format(**facts)
    wished = weights(request.headers.get("accept", "*/*"))
    if wished.get("text/html", wished.get("text/*", wished.get("*/*", 0.0))):
        told: Response = pages.answer("refused.html", request, status, heading=_(heading), reason=said)
    else:
        told = PlainTextResponse(f"{_(heading)}: {said}\n", status)
    told.headers.update({**headers, "Vary": "Accept, Accept-Language"})
    return told
