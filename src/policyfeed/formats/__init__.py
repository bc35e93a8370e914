"""Formats: articles → bytes. One file per format; ``EXTENSION`` is what follows the feed's name in its URL.

A format is a module with the names of ``Format``. It is pure: the same feed and articles give the same bytes. What all
formats show of an article, cleaned, is ``Shown``: a format only lays it out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from policyfeed import metrics
from policyfeed.clock import KST
from policyfeed.i18n import Translate, translator
from policyfeed.laid_out import Entry, LaidOut
from policyfeed.naming import evidence, kind_name, pillar_name, strongest
from policyfeed.normalize.attachments import media_type
from policyfeed.normalize.text import clean, one_line, shorten
from policyfeed.selection import Selection
from policyfeed.types import Article, Judged, Reason, Verdict

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""When a feed without articles was last updated: any fixed moment, so that its bytes stay the same."""

SCHEMES = "tag:policyfeed,2026:"
"""Categories' schemes (``tag:policyfeed,2026:topic``; RFC 4151): they name our vocabularies wherever the service is."""

MAX_TITLE, MAX_SUMMARY, MAX_NAME, MAX_CONTENT, MAX_URL = 1_000, 10_000, 300, 2_000_000, 8_000
"""Characters of an article's parts. A longer title, summary or name is cut; a longer content or link is left out."""
MOST_TERMS = 6
"""Terms that are named where it is said why an article was kept or dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """Where articles come from, as ``atom:source`` and readers show it: a source's name, its page and its own feed."""

    name: str
    url: str = ""
    feed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A published output. ``id`` is its permanent IRI; ``base_url`` is this service's address without a final /."""

    name: str
    id: str
    title: str
    subtitle: str = ""
    language: str = "ko"
    selection: Selection = Selection()
    limit: int = 200
    base_url: str = ""
    pages: bool = True
    """Whether a page about each article is served there: beside the files of a plain folder there is none."""
    content: bool = True
    """Whether entries carry the whole text or only the summary."""
    topic_names: Mapping[str, str] = field(default_factory=dict)
    """Topic or pillar id → its name in the feed's language."""
    sources: Mapping[str, Publication] = field(default_factory=dict)
    """Source id → how it is shown."""

    def url(self, extension: str) -> str:
        """Where the feed is served; empty when the service's address is not known."""
        return f"{self.base_url}/feeds/{self.name}.{extension}" if self.base_url else ""

    def place(self, number: int) -> str:
        """Where we show an article: a page of its own, else its line on the board; empty when that is not known."""
        return f"{self.base_url}/{'articles/' if self.pages else '#a'}{number}" if self.base_url and number else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A feed as bytes; ``left_out`` names the articles (number, why) that could not be rendered: quarantined."""

    body: bytes
    left_out: tuple[tuple[int, str], ...] = ()


class Format(Protocol):
    """What every module in this folder provides."""

    EXTENSION: str
    MEDIA_TYPE: str

    def render(self, feed: Feed, articles: Sequence[Judged]) -> Rendered:
        """The feed's bytes: articles in the given order, newest first. Never raises for a single bad article."""
        ...


class Unshowable(Exception):
    """An article that no feed can carry; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """``scheme`` is topic, pillar, ministry or kind (see SCHEMES); ``label`` is in the feed's language."""

    scheme: str
    term: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    url: str
    type: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What feeds show of an article: text that XML and JSON can carry, http(s) links only, times in whole seconds.

    ``summary`` ends with the line that says why the article was kept or dropped; ``content`` is sanitized HTML or "".
    ``via`` are the further places where the same release stands, ``page`` is our own page about it, where there is one,
    ``answers`` are the releases that an explanation answers.
    """

    id: str
    number: int
    title: str
    authors: tuple[str, ...]
    url: str
    via: tuple[str, ...]
    page: str
    answers: tuple[str, ...]
    summary: str
    content: str
    published: datetime | None
    updated: datetime
    language: str
    categories: tuple[Category, ...]
    enclosures: tuple[Enclosure, ...]
    rights: str
    source: Publication
    source_id: str
    first_seen: datetime


LayOut = Callable[[Feed, Shown, Judged], bytes]
ENTRIES = LaidOut()
"""What the feeds hold, by all that decides it: a feed costs what is new in it."""


def collect(
    feed: Feed, extension: str, articles: Sequence[Judged], lay_out: LayOut
) -> tuple[list[bytes], tuple[tuple[int, str], ...]]:
    """Each article laid out, in order; and (number, why) of those that were left out.

    Left out is what cannot be shown, what ``lay_out`` refuses with ValueError, and what has the id of one before it.
    """
    made: dict[str, bytes] = {}
    left_out: list[tuple[int, str]] = []
    facets = extension, feed.language, feed.base_url, feed.pages, feed.content, repr((feed.topic_names, feed.sources))
    known, held = ENTRIES.known(facets), dict[Hashable, Entry]()
    for judged in articles:
        state = _state(judged)
        try:
            id_, entry = held[state] = known.get(state) or _entry(extension, feed, judged, lay_out)
            if id_ in made:
                raise Unshowable("its id came before in this feed")
            made[id_] = entry
        except (Unshowable, ValueError) as problem:
            left_out.append((judged.article.number, str(problem)))
    ENTRIES.keep((feed.name, extension), facets, held)
    return list(made.values()), tuple(left_out)


def _entry(extension: str, feed: Feed, judged: Judged, lay_out: LayOut) -> Entry:
    one = shown(feed, judged)
    entry = one.id, lay_out(feed, one, judged)
    metrics.ENTRIES_LAID_OUT.labels(extension).inc()
    return entry


def _state(judged: Judged) -> tuple[object, ...]:
    """An article's and verdict's hash, and the numbers that may be negative: Python hashes -1 and -2 alike."""
    return hash(judged), judged.article.id, *(reason.points for reason in judged.verdict.reasons)


def shown(feed: Feed, judged: Judged) -> Shown:
    """What the feed shows of an article. Raises Unshowable when it has no id or nowhere to link to."""
    _ = translator(feed.language)
    article = judged.article
    ours = feed.place(article.number)
    url = web_link(article.url) or ours
    if not (identifier := one_line(article.id)) or not url:
        raise Unshowable("it has no id" if not identifier else "it has no http(s) link")
    via = dict.fromkeys(web_link(origin.url) for origin in article.origins)
    source_id = article.origins[0].source if article.origins else ""
    return Shown(
        id=identifier,
        number=article.number,
        title=shorten(one_line(article.title), MAX_TITLE) or _("(untitled)"),
        authors=_authors(article),
        url=url,
        via=tuple(one for one in via if one and one != url),
        page=ours if feed.pages and ours != url else "",
        answers=tuple(link for named in article.answers if (link := web_link(named.url))),
        summary=_summary(feed, judged),
        content=_content(article) if feed.content else "",
        published=_second(article.published) if article.published else None,
        updated=_second(_updated(article)),
        language=article.language if _LANGUAGE.fullmatch(article.language) else feed.language,
        categories=tuple(_categories(feed, judged)),
        enclosures=_enclosures(article),
        rights=_rights(article, _),
        source=_publication(feed, article, source_id, url),
        source_id=f"urn:uuid:{uuid5(NAMESPACE_URL, f'{SCHEMES}source/{source_id}')}",
        first_seen=_second(article.first_seen),
    )


def updated(articles: Sequence[Judged]) -> datetime:
    """When anything that a feed of these articles shows last changed."""
    return _second(max((judged.article.changed for judged in articles), default=EPOCH))


def web_link(url: str) -> str:
    """The link if a reader may be sent there: http(s), with a host, nothing unprintable in it; else empty."""
    if len(url) > MAX_URL or _NOT_IN_LINKS.search(url):
        return ""
    try:
        parts = urlsplit(url)
        return url if parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc else ""
    except ValueError:
        return ""


def why(verdict: Verdict, topic_names: Mapping[str, str], translate: Translate) -> str:
    """One line that says why an article was kept or dropped: topics, score, and the strongest terms.

    ``topic_names`` maps ids to names in the reader's language.
    """
    _ = translate
    named = ", ".join(one_line(f"{id_} {topic_names.get(id_, '')}") for id_ in verdict.topics)
    terms = dict.fromkeys(evidence(reason, translate) for reason in strongest(verdict) if _speaks(reason, verdict))
    said = [
        _("kept") if verdict.kept else _("not kept"),
        named,
        _("{score} points").format(score=f"{verdict.score:.0f}"),
        ", ".join(list(terms)[:MOST_TERMS]),
    ]
    return shorten(one_line(f"[policyfeed] {' · '.join(part for part in said if part)}"), MAX_SUMMARY)


def _speaks(reason: Reason, verdict: Verdict) -> bool:
    return bool(reason.term) and (reason.points > 0 or not verdict.kept)


# White space, controls and what RFC 3987 keeps out of IRIs; lone surrogates and bidi controls
_NOT_IN_LINKS = re.compile(
    '[\x00-\x20\x7f-\xa0<>"{}|\\\\^`\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ud800-\udfff\ufdd0-\ufdef\ufeff\ufff0-\uffff]'
)
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")  # RFC 4287 §2
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,100}/[\w.+-]{1,100}", re.ASCII)


def _second(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


def _updated(article: Article) -> datetime:
    """A revised or withdrawn text was updated when we saw that; else what upstream says counts, where it makes sense:
    some name a day, which begins before the article was published on it.
    """
    if article.revision > 1 or article.withdrawn:
        return article.changed
    known = [moment for moment in (article.updated, article.published) if moment]
    return max(known, default=article.first_seen)


def _authors(article: Article) -> tuple[str, ...]:
    credited = article.ministries or (article.ministry,)
    names = (shorten(one_line(ministry.name) or one_line(ministry.id), MAX_NAME) for ministry in credited)
    return tuple(dict.fromkeys(name for name in names if name)) or ("policyfeed",)


def _summary(feed: Feed, judged: Judged) -> str:
    _ = translator(feed.language)
    article = judged.article
    gone = ""
    if article.withdrawn:
        gone = _("Withdrawn by the publisher (seen {day}).").format(day=article.withdrawn.astimezone(KST).date())
    lines = (shorten(clean(article.summary).strip(), MAX_SUMMARY), gone, why(judged.verdict, feed.topic_names, _))
    return "\n".join(line for line in lines if line)


def _rights(article: Article, translate: Translate) -> str:
    _ = translate
    said = article.licence or _("no licence stated"), article.attribution
    return shorten(one_line(" · ".join(filter(None, said))), MAX_SUMMARY)


def _content(article: Article) -> str:
    content = clean(article.content).strip()
    return content if len(content) <= MAX_CONTENT else ""


def _categories(feed: Feed, judged: Judged) -> list[Category]:
    _ = translator(feed.language)
    article, verdict = judged.article, judged.verdict
    ministries = dict.fromkeys((article.ministry, *article.ministries))
    found = [("topic", id_, feed.topic_names.get(id_, id_)) for id_ in verdict.topics]
    found += [("pillar", pillar, feed.topic_names.get(pillar) or pillar_name(pillar, _)) for pillar in verdict.pillars]
    found += [("ministry", ministry.id, ministry.name) for ministry in ministries]
    found += [("kind", article.kind.value, kind_name(article.kind, _))]
    cleaned = ((scheme, one_line(term)[:MAX_NAME], one_line(label)[:MAX_NAME]) for scheme, term, label in found)
    return [Category(scheme=scheme, term=term, label=label or term) for scheme, term, label in cleaned if term]


def _enclosures(article: Article) -> tuple[Enclosure, ...]:
    return tuple(
        Enclosure(
            url=url,
            type=item.type if _MEDIA_TYPE.fullmatch(item.type) else media_type(item.name),
            title=shorten(one_line(item.name), MAX_NAME),
        )
        for item in article.attachments
        if (url := web_link(item.url))
    )


def _publication(feed: Feed, article: Article, source_id: str, url: str) -> Publication:
    known = feed.sources.get(source_id, Publication(name=article.attribution or article.ministry.name))
    parts = urlsplit(url)
    name = shorten(one_line(known.name), MAX_NAME) or parts.netloc
    page = web_link(known.url) or f"{parts.scheme}://{parts.netloc}/"
    return Publication(name=name, url=page, feed=web_link(known.feed))
