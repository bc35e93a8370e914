"""Which language a reader gets: ``?lang=``, else the browser's first wish that we have, else Korean."""

from __future__ import annotations

from starlette.requests import Request

from policyfeed.i18n import LANGUAGES
from policyfeed.web.wishes import weights

DEFAULT = "ko"


def language_of(request: Request) -> str:
    """``ko`` or ``en``."""
    asked = request.query_params.get("lang")
    return asked if asked in LANGUAGES else preferred(request.headers.get("accept-language", ""))


def preferred(header: str) -> str:
    """The language of most weight in Accept-Language (RFC 9110 §12.5.4) that we have."""
    wishes = [(weight, tag.split("-")[0]) for tag, weight in weights(header).items()]
    known = [(weight, tag) for weight, tag in wishes if weight > 0 and tag in LANGUAGES]
    return max(known, key=lambda wish: wish[0])[1] if known else DEFAULT
