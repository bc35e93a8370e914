"""Buttons that say of an article that it is relevant or not. Off unless configured.

The pages know no accounts: whoever reaches them may press. What a browser of such a person is shown elsewhere may not:
a form counts only when its ``Origin`` is our own public address, which also foils names that are rebound to us.
"""

from __future__ import annotations

from urllib.parse import parse_qs

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from policyfeed import feedback, store
from policyfeed.web import address
from policyfeed.web.context import Buttons, Context
from policyfeed.web.language import language_of

log = structlog.get_logger(__name__)

LONGEST = 2000
"""Bytes of a form; ours have less than a hundred."""

WORDS = {"relevant": True, "irrelevant": False}


async def label(request: Request) -> Response:
    """``POST /articles/{number}/label``: ``word`` and, if it is relevant, ``topic``; back to where it was pressed."""
    context: Context = request.app.state.context
    buttons = context.buttons()
    if buttons is None:
        raise HTTPException(404)
    if request.headers.get("origin") != buttons.origin:
        log.warning("feedback refused", origin=request.headers.get("origin", ""), expected=buttons.origin)
        raise HTTPException(403, buttons.origin)
    form = await _form(request)
    return await run_in_threadpool(_store, request, buttons, form)


async def _form(request: Request) -> dict[str, str]:
    body = b""
    try:
        async for part in request.stream():
            body += part
            if len(body) > LONGEST:
                raise HTTPException(413)
    except ClientDisconnect:
        raise HTTPException(400) from None  # nobody reads it; a form that broke off is no fault of ours
    return {name: values[-1] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}


def _store(request: Request, buttons: Buttons, form: dict[str, str]) -> Response:
    context: Context = request.app.state.context
    number, word = request.path_params["number"], form.get("word", "")
    topic = form.get("topic", "") if word == "relevant" else ""
    if word not in WORDS or (topic and topic not in buttons.topics):
        raise HTTPException(400)
    with context.store.write() as tx:
        judged = store.articles.judged(tx, [number]).get(number)
        if judged is None:
            raise HTTPException(404)
        feedback.say(tx, judged, relevant=WORDS[word], topic=topic, now=context.clock())
    log.info("feedback", number=number, word=word, topic=topic)
    return RedirectResponse(_back(request, form.get("page", "")), 303)


def _back(request: Request, page: str) -> str:
    root, number = address.root(request), request.path_params["number"]
    language = f"lang={language_of(request)}" if request.query_params.get("lang") else ""
    if not (page.isascii() and page.isdigit()):
        return f"{root}/articles/{number}?{language}#feedback".replace("?#", "#")
    return f"{root}/?{'&'.join(filter(None, (f'page={page}', language)))}#a{number}"
