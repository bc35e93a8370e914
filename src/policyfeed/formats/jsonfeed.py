"""JSON Feed 1.1. The whole article, as ``--json`` prints it, stands in each item's ``_policyfeed``.

The module is not called ``json``, as its URLs end: readers of the code would take it for Python's own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from policyfeed.article_json import as_json, time
from policyfeed.formats import Feed, Rendered, Shown, collect, web_link
from policyfeed.types import Judged

EXTENSION = "json"
MEDIA_TYPE = "application/feed+json"


def render(feed: Feed, articles: Sequence[Judged]) -> Rendered:
    """The feed as UTF-8 JSON. An article that cannot be shown, or whose id came before, is left out and named."""
    items, left_out = collect(feed, EXTENSION, articles, _item)
    head = _bytes(_head(feed)).removesuffix(b"}")
    return Rendered(body=head + b',"items":[\n' + b",\n".join(items) + b"\n]}\n", left_out=left_out)


def _head(feed: Feed) -> dict[str, Any]:
    head: dict[str, Any] = {"version": "https://jsonfeed.org/version/1.1", "title": feed.title}
    if feed.base_url:
        head |= {"home_page_url": f"{feed.base_url}/", "feed_url": feed.url(EXTENSION)}
        head |= {"icon": f"{feed.base_url}/static/icon.svg"}
    if feed.subtitle:
        head["description"] = feed.subtitle
    return head | {"language": feed.language, "authors": [{"name": "policyfeed"}]}


def _item(_feed: Feed, one: Shown, judged: Judged) -> bytes:
    """One item, on a line of its own. Raises ValueError when UTF-8 cannot carry it."""
    item: dict[str, Any] = {
        "id": one.id,
        "url": one.url,
        "title": one.title,
        "summary": one.summary,
        **({"content_html": one.content} if one.content else {"content_text": one.summary}),
        "date_published": time(one.published or one.updated),
        "date_modified": time(one.updated),
        "authors": [{"name": name} for name in one.authors],
        "tags": [category.label for category in one.categories],
        "language": one.language,
        "attachments": [
            {"url": enclosure.url, "mime_type": enclosure.type or "application/octet-stream", "title": enclosure.title}
            for enclosure in one.enclosures
        ],
        "_policyfeed": as_json(_linked(one, judged)),
    }
    return _bytes(item)


def _linked(one: Shown, judged: Judged) -> Judged:
    """The article without links that nobody may be sent to."""
    article = judged.article
    origins = tuple(replace(origin, url=web_link(origin.url)) for origin in article.origins)
    attachments = tuple(item for item in article.attachments if web_link(item.url))
    answers = tuple(replace(named, url=web_link(named.url)) for named in article.answers)
    linked = replace(article, url=one.url, origins=origins, attachments=attachments, answers=answers)
    return replace(judged, article=linked)


def _bytes(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
