"""RSS 2.0, laid out by feedgen, with ``content:encoded``, ``dc:creator`` and ``atom:link rel=self``."""

from __future__ import annotations

import html
from collections.abc import Sequence

from feedgen.entry import FeedEntry
from feedgen.feed import FeedGenerator

from policyfeed.formats import SCHEMES, Feed, Rendered, Shown, collect, updated
from policyfeed.i18n import translator
from policyfeed.types import Judged

EXTENSION = "rss"
MEDIA_TYPE = "application/rss+xml"


def render(feed: Feed, articles: Sequence[Judged]) -> Rendered:
    """The feed as UTF-8 XML. An article that cannot be shown, or whose id came before, is left out and named."""
    items, left_out = collect(feed, EXTENSION, articles, _item)
    head = _head(feed, articles).rss_str(pretty=True)
    end = head.rindex(b"  </channel>")
    return Rendered(body=head[:end] + b"".join(items) + head[end:], left_out=left_out)


def _head(feed: Feed, articles: Sequence[Judged]) -> FeedGenerator:
    _ = translator(feed.language)
    document = FeedGenerator()
    document.load_extension("dc", atom=False)
    document.title(feed.title)
    document.description(feed.subtitle or feed.title)
    if feed.base_url:
        document.link(href=feed.url(EXTENSION), rel="self", type=MEDIA_TYPE)
    document.link(href=f"{feed.base_url}/" if feed.base_url else feed.id, rel="alternate")  # the last is the channel's
    document.language(feed.language)
    document.lastBuildDate(updated(articles))
    document.generator("policyfeed")
    document.copyright(_("Each entry names its source, and its licence where the publisher states one."))
    return document


def _item(feed: Feed, one: Shown, _judged: Judged) -> bytes:
    """One item as it stands in a feed. Raises ValueError when XML cannot carry it.

    The description of an item is HTML (RSS 2.0, "Encoding in <description>"), the summary is text. RSS knows one
    enclosure, whose length it requires: "0" where nobody knows (RSS Advisory Board).
    """
    entry = FeedEntry()
    entry.load_extension("dc", atom=False)
    entry.guid(one.id, permalink=False)
    entry.title(one.title)
    entry.link(href=one.url, rel="alternate")
    entry.description(html.escape(one.summary, quote=False).replace("\n", "<br>\n"))
    if one.content:
        entry.content(one.content)
    entry.published(one.published or one.updated)
    entry.dc.dc_creator(list(one.authors))
    entry.dc.dc_rights(one.rights or None)
    entry.source(url=one.source.feed or one.source.url, title=one.source.name)
    for category in one.categories:
        entry.category(term=category.term, scheme=f"{SCHEMES}{category.scheme}", label=category.label)
    for enclosure in one.enclosures[:1]:
        link = {"href": enclosure.url, "rel": "enclosure", "type": enclosure.type or "application/octet-stream"}
        entry.link(link | {"length": "0"})
    around = FeedGenerator()
    around.load_extension("dc", atom=False)
    around.title(feed.name)
    around.description(feed.name)
    around.link(href=feed.id)
    around.add_entry(entry)
    body: bytes = around.rss_str(pretty=True)
    return body[body.index(b"    <item>") : body.rindex(b"  </channel>")]
