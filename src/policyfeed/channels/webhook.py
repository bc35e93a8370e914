"""Any receiver of Standard Webhooks 1.0 (https://www.standardwebhooks.com): JSON, signed anew for each attempt."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from standardwebhooks import Webhook

from policyfeed.article_json import as_json, time
from policyfeed.channels import Channel, check_address
from policyfeed.clock import retry_after
from policyfeed.errors import ConfigError
from policyfeed.normalize.text import clean
from policyfeed.types import Delivery, Document, Judged, Outcome, Request, Result
from policyfeed.wording import fit

SECRETS: tuple[str, ...] = ("secret",)

_PREFIX = "whsec_"
_TEXT = 10_000  # characters of one text; the specification asks for small payloads, upstream may send megabytes
_ITEMS = 100


def check(channel: Channel) -> list[ConfigError]:
    return [*check_address(channel), *_check_secret(channel)]


def message(channel: Channel, delivery: Delivery, articles: Sequence[Judged], now: datetime) -> Request:
    """``now`` is the attempt's time: receivers refuse old signatures, so every attempt is signed anew."""
    text = json.dumps(_payload(delivery, articles), ensure_ascii=False, separators=(",", ":"))
    body = text.encode("utf-8", "replace")
    signatures = (Webhook(one).sign(delivery.key, now, body.decode()) for one in _secrets(channel))
    headers = (
        ("Content-Type", "application/json; charset=utf-8"),
        ("webhook-id", delivery.key),
        ("webhook-timestamp", str(int(now.timestamp()))),
        ("webhook-signature", " ".join(signatures)),
    )
    return Request(url=channel.url.reveal(), method="POST", headers=headers, body=body)


def plain(channel: Channel, delivery: Delivery, articles: Sequence[Judged], now: datetime) -> None:
    """There is no simpler form: a receiver that fails is tried again."""


def judge(document: Document) -> Outcome:
    """2xx alone is success; 410 means that the receiver is gone for good; everything else is tried again."""
    if 200 <= document.status < 300:
        return Outcome(result=Result.DELIVERED)
    detail = f"HTTP {document.status}"
    if document.status == 410:
        return Outcome(result=Result.REJECTED, detail=detail, closes_channel=True)
    return Outcome(result=Result.RETRY, detail=detail, after=retry_after(document.headers, document.fetched))


def _payload(delivery: Delivery, articles: Sequence[Judged]) -> dict[str, Any]:
    shown = [_bounded(as_json(one)) for one in articles]
    if len(shown) == 1:
        return {"type": "article.published", "timestamp": time(delivery.created), "data": shown[0]}
    return {"type": "articles.published", "timestamp": time(delivery.created), "data": {"articles": shown}}


def _bounded(value: Any) -> Any:
    if isinstance(value, str):
        return fit(clean(value[: 2 * _TEXT]), _TEXT)
    if isinstance(value, list):
        return [_bounded(one) for one in value[:_ITEMS]]
    if isinstance(value, dict):
        return {name: _bounded(one) for name, one in value.items()}
    return value


def _secrets(channel: Channel) -> list[str]:
    """Several while a secret rotates: each signs, and the receiver takes whichever it knows."""
    return channel.secrets["secret"].reveal().split()


def _check_secret(channel: Channel) -> list[ConfigError]:
    secret = channel.secrets.get("secret")
    if secret is None:
        return [_mistake(channel, "{channel} has no secret to sign with.", channel.url.origin)]
    given = secret.reveal().split()
    if given and all(_is_key(one) for one in given):
        return []
    template = "The secret of channel {channel} (from {origin}) is not a Standard Webhooks secret."
    return [_mistake(channel, template, secret.origin)]


def _is_key(text: str) -> bool:
    if not text.startswith(_PREFIX):
        return False
    key = text.removeprefix(_PREFIX).rstrip("=")
    try:
        return bool(base64.b64decode(key + "=" * (-len(key) % 4), validate=True))
    except ValueError:
        return False


def _mistake(channel: Channel, template: str, origin: str) -> ConfigError:
    return ConfigError(
        template,
        remedy="Give whsec_ followed by base64 text, as the receiver shows it; several with spaces between while one "
        "replaces another.",
        channel=channel.name,
        origin=origin,
        key="secret",
    )
