"""Slack incoming webhooks: Block Kit messages (also what Mattermost and Rocket.Chat take at such an address).

Limits and errors: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and
https://docs.slack.dev/reference/block-kit/blocks. Text counts as UTF-16 units after escaping, the strictest reading
of "characters".
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from policyfeed.channels import Channel, check_address
from policyfeed.clock import retry_after
from policyfeed.errors import ConfigError
from policyfeed.i18n import translator
from policyfeed.types import Delivery, Document, Judged, Outcome, Request, Result
from policyfeed.wording import Told, fit, told

SECRETS: tuple[str, ...] = ()

_BLOCKS, _HEADER, _SECTION, _CONTEXT, _TEXT = 50, 150, 3_000, 2_000, 4_000
_TITLE, _LEAD, _LINK = 500, 600, 2_000
_NEVER_AGAIN = (403, 404, 410)
_NAMED = re.compile(r"(?<!\w)@(?=\w)")
_WORD = re.compile(r"[a-z_]{2,60}\Z")

Block = dict[str, Any]


def check(channel: Channel) -> list[ConfigError]:
    return check_address(channel)


def message(channel: Channel, delivery: Delivery, articles: Sequence[Judged], now: datetime) -> Request:  # noqa: ARG001
    """Blocks; ``text`` is what a notification shows. The first block's id is the delivery's key."""
    several = [_told(channel, one) for one in articles]
    blocks = _one(several[0], channel) if len(several) == 1 else _many(several, channel)
    blocks[0]["block_id"] = delivery.key
    return _post(channel, text=_text(several[:1], 300), blocks=blocks)


def plain(channel: Channel, delivery: Delivery, articles: Sequence[Judged], now: datetime) -> Request:  # noqa: ARG001
    return _post(channel, text=_text([_told(channel, one) for one in articles], _TEXT))


def judge(document: Document) -> Outcome:
    """200 ``ok`` alone is success; a page that somebody else put in Slack's place neither succeeds nor closes."""
    status, body = document.status, document.body[:1000].decode("utf-8", "replace").strip()
    said = body if _WORD.match(body) else ""
    detail = f"HTTP {status} {said}".strip()
    if 200 <= status < 300 and _accepted(body):
        return Outcome(result=Result.DELIVERED)
    if status == 410 or (said and (status in _NEVER_AGAIN or said == "user_not_found")):
        return Outcome(result=Result.REJECTED, detail=detail, closes_channel=True)
    if status in (400, 413):
        return Outcome(result=Result.REJECTED, detail=detail)
    return Outcome(result=Result.RETRY, detail=detail, after=retry_after(document.headers, document.fetched))


def escape(text: str) -> str:
    """Slack's three control characters: what looks like a link or ``<!channel>`` stays text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _size(text: str) -> int:
    return len(escape(text).encode("utf-16-le", "replace")) // 2


def _accepted(body: str) -> bool:
    if body == "ok":
        return True
    try:
        said = json.loads(body)
    except ValueError:
        return False
    return isinstance(said, dict) and True in (said.get("ok"), said.get("success"))


def _told(channel: Channel, judged: Judged) -> Told:
    return told(judged, language=channel.language, base_url=channel.base_url, topic_names=channel.topic_names)


def _one(article: Told, channel: Channel) -> list[Block]:
    _ = translator(channel.language)
    links = _link(article.page, _("How it was judged")) if article.page else ""
    return [
        _header(f"{article.ministry} · {article.kind}"),
        *_section(f"*{_title(article)}*\n{_fitted(article.when, _HEADER)}"),
        *_section(_fitted(article.lead, _LEAD)),
        *_context(_fitted(article.topics, 600), _fitted(article.why, 600)),
        *_context(_fitted(article.rights, 600), links),
    ]


def _many(articles: Sequence[Told], channel: Channel) -> list[Block]:
    _ = translator(channel.language)
    shown = articles[: _BLOCKS - 2]
    rest = len(articles) - len(shown)
    return [
        _header(_("{count} policy articles").format(count=len(articles))),
        *(block for one in shown for block in _section(f"*{_title(one)}*\n{_fitted(_byline(one), 600)}")),
        *(_context(_("And {count} more").format(count=rest)) if rest else []),
    ]


def _byline(article: Told) -> str:
    return f"{article.ministry} · {article.kind} · {article.when}"


def _text(articles: Sequence[Told], limit: int) -> str:
    """Without any markup: title, byline, address and why of each."""
    pieces = []
    for one in articles:
        title, byline, why = (fit(_nobody(said), 200, _size) for said in (one.title, _byline(one), one.why))
        lines = (title, byline, _address(one), why)
        pieces.append("\n".join(escape(line) for line in lines if line))
    return _joined(pieces, limit)


def _nobody(text: str) -> str:
    """An invisible sign parts the @ of @all and @channel: Mattermost and Rocket.Chat would tell everyone."""
    return _NAMED.sub("@\u2060", text)


def _joined(pieces: Sequence[str], limit: int) -> str:
    text = pieces[0]
    for piece in pieces[1:]:
        if len(text) + len(piece) + 2 > limit:
            return f"{text}\n…"
        text = f"{text}\n\n{piece}"
    return text


def _fitted(text: str, limit: int) -> str:
    return escape(fit(text, limit, _size))


def _title(article: Told) -> str:
    return _link(_address(article), fit(article.title, _TITLE, _size))


def _address(article: Told) -> str:
    """A longer one would take the place of everything else, and an address cannot be cut."""
    return article.url if _size(article.url) <= _LINK else ""


def _link(url: str, label: str) -> str:
    return f"<{escape(url)}|{escape(label)}>" if url else escape(label)


def _header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": _fitted(text, _HEADER)}}


def _section(text: str) -> list[Block]:
    return [{"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}] if text else []


def _context(*texts: str) -> list[Block]:
    elements = [{"type": "mrkdwn", "text": text, "verbatim": True} for text in texts if text]
    return [{"type": "context", "elements": elements}] if elements else []


def _post(channel: Channel, **payload: Any) -> Request:
    body = {**payload, "unfurl_links": False, "unfurl_media": False}
    return Request(
        url=channel.url.reveal(),
        method="POST",
        headers=(("Content-Type", "application/json; charset=utf-8"),),
        body=json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"),
    )
