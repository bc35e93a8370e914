"""Entry → Article: the one place where what a source published becomes the common shape."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from xxhash import xxh3_64_digest

from policyfeed.clock import KST
from policyfeed.errors import Remark
from policyfeed.normalize import dates, html, links
from policyfeed.normalize.ministry import Ministries
from policyfeed.normalize.text import LOST, clean, one_line, shorten, unescape
from policyfeed.revision import digest
from policyfeed.types import Article, Attachment, Entry, Kind, MinistryName, Origin, Source

TITLE_LIMIT = 500
PRINTED_LIMIT = 2_000
"""Characters that are remembered of a title as printed."""
SUMMARY_LIMIT = 400
NAME_LIMIT = 200
MOST_ATTACHMENTS = 100
FIRST_YEAR = 1990
"""Earlier dates are no dates: 1970-01-01 and 0001-01-01 are what software says for "none"."""
_TAGS = {
    Kind.PRESS_RELEASE: "보도자료",
    Kind.REFERENCE: "보도참고자료|보도참고|참고자료|참고",
    Kind.EXPLANATION: "보도설명자료|보도설명|설명자료|설명|해명자료|해명|보도해명|보도반박|설명·해명|해명·설명",
    Kind.ACTIVITY: "동정자료|동정|장관동정|차관동정",
    Kind.BRIEFING: "브리핑|정례브리핑",
    Kind.NOTICE: "공고|입법예고|행정예고",
}
_BETWEEN = re.compile(r"[\s·ㆍ‧・/,]+")
_KINDS = {_BETWEEN.sub("", word): kind for kind, words in _TAGS.items() for word in words.split("|")}
_TAG = re.compile(r"^\s*[\[(【〔［（<〈《]\s*([^\[\](){}【】〔〕［］（）<>〈〉《》]{2,14}?)\s*[\])】〕］）>〉》]\s*")
_TWICE = re.compile(r"&amp;(?:amp;)*(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_CUT = ("···", "…", "...", LOST)
_FUTURE_DAYS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalized:
    """The articles of a document in its order, each with one origin, and what was odd about its entries."""

    articles: tuple[Article, ...]
    entries: int
    """How many the document had of them."""
    warnings: tuple[str, ...] = ()


class Trace(NamedTuple):
    """Hashes by which an entry is known again: of what it says, its link, its guid (of its text, where it has none of
    its own), its text; and the mark of its item, where a document has items."""

    said: bytes
    link: bytes
    guid: bytes
    text: bytes
    item: bytes = b""


def hashed(text: str) -> bytes:
    """As a trace holds it."""
    return xxh3_64_digest(text.encode("utf-8", "surrogatepass"))


def normalize(
    entries: Sequence[Entry],
    source: Source,
    ministries: Ministries,
    now: datetime,
    *,
    shared: Collection[bytes] | None = None,
) -> Normalized:
    """The articles of one document. Entries that hold nothing at all are left out with a warning.

    A link or guid that several different entries share says nothing about identity: their text then does. ``shared``
    are these (``shared_names``) when the entries are not all of the document's; None = they are.
    """
    articles: dict[str, Article] = {}
    warnings: list[str] = []
    for _, article, found in one_by_one(entries, source, ministries, now, shared):
        warnings.extend(found)
        if article is not None:
            articles.setdefault(article.origins[0].key, article)
    return Normalized(articles=tuple(articles.values()), entries=len(entries), warnings=tuple(warnings))


def one_by_one(
    entries: Sequence[Entry],
    source: Source,
    ministries: Ministries,
    now: datetime,
    shared: Collection[bytes] | None = None,
) -> Iterator[tuple[Entry, Article | None, list[str]]]:
    """Each entry of a document with its article (None: it holds nothing) and with what was odd about it."""
    if shared is None:
        shared = shared_names([trace(entry, source) for entry in entries])
    for entry in entries:
        if not (entry.title.strip() or entry.summary.strip() or entry.content.strip()):
            yield (
                entry,
                None,
                [Remark("an entry without title and text was left out: {link}", link=_named(entry.url or entry.guid))],
            )
            continue
        yield entry, *normalize_entry(entry, source, ministries, now, shared)


def trace(entry: Entry, source: Source) -> Trace:
    """What is remembered of an entry. What moves by itself is left out of what it says: sessions and tracking in its
    addresses, and when it was last touched where it says when it was published."""
    link, guid = links.canonical(_link(entry, source)), _guid(entry)
    text = one_line(entry.title or entry.summary or entry.content)
    rest = repr(replace(entry, url=link, guid=guid, updated="", summary="", content=""))
    said = links.without_sessions("\n".join((rest, entry.summary, entry.content)))
    return Trace(said=hashed(said), link=hashed(link), guid=hashed(guid or text), text=hashed(text))


def shared_names(listed: Sequence[Trace]) -> frozenset[bytes]:
    """The links and the guids under which different entries stand; one that is listed twice is no different entry."""
    if len({one.link for one in listed}) == len({one.guid for one in listed}) == len(listed):
        return frozenset()
    guids = _several((one.guid, one.text) for one in listed)
    return guids | _several((one.link, one.text if one.guid in guids else one.guid) for one in listed)


def _several(pairs: Iterable[tuple[bytes, bytes]]) -> frozenset[bytes]:
    """The first ones of pairs that have several second ones."""
    under: dict[bytes, set[bytes]] = defaultdict(set)
    for key, said in pairs:
        under[key].add(said)
    return frozenset(key for key, said in under.items() if len(said) > 1)


def normalize_entry(
    entry: Entry, source: Source, ministries: Ministries, now: datetime, shared: Collection[bytes]
) -> tuple[Article, list[str]]:
    """One entry's article and warnings. ``shared``: links and guids that are other entries' too."""
    link = _link(entry, source)
    warnings = _lost(entry, link)
    url = link or source.url
    published = _date(entry.published, source, now, warnings)
    updated = _date(entry.updated, source, now, warnings)
    whole = html.title(entry.title)
    printed = shorten(whole, PRINTED_LIMIT)
    title, kind, tags = split_tags(printed)
    content = _content(entry, url, link, warnings)
    summary = _summary(entry, content)
    if not title or len(title) > TITLE_LIMIT:
        warnings.append(_about_title(whole, link))
        content = content or (html.paragraphs(whole) if title else "")
        title = shorten(title, TITLE_LIMIT) or shorten(summary, 80)
    credited = _ministry(entry, source, ministries, published)
    key = _key(entry, link, source, printed, shared)
    said = digest(printed, summary, content, timeless=published is None)
    origin = Origin(source=source.id, key=key, url=url, title=printed, digest=said, first_seen=now)
    return Article(
        title=title,
        ministry=credited,
        ministries=(credited,),
        department=shorten(one_line(entry.department), NAME_LIMIT),
        kind=kind or entry.kind or source.article_kind,
        tags=tags,
        published=published.at if published else None,
        dated=published.dated if published else False,
        updated=updated.at if updated else None,
        first_seen=now,
        changed=now,
        summary=summary,
        content=content,
        url=url,
        language=source.language,
        origins=(origin,),
        attachments=attached(entry.attachments, url),
        licence=entry.licence or source.licence,
        attribution=_attribution(source, credited),
    ), warnings


def _content(entry: Entry, url: str, link: str, warnings: list[str]) -> str:
    body = entry.content or (entry.summary if _is_body(entry.summary) else "")
    if html.flat(body) != body:
        said = Remark("tags nested more than {count} deep were left out: {link}", count=html.DEEPEST, link=_named(link))
        warnings.append(said)
    return html.sanitize(body, entry.base or url)


def split_tags(title: str) -> tuple[str, Kind | None, tuple[str, ...]]:
    """(title without leading kind tags, the kind, the tags): ``[설명] 가`` → ``("가", EXPLANATION, ("설명",))``.

    Other bracketed openings ([부처합동], (제3차) …) belong to the title. A title of tags alone stays as it is.
    """
    rest, kind, tags = title, None, []
    while (found := _TAG.match(rest)) and rest[found.end() :].strip():
        named = _KINDS.get(_BETWEEN.sub("", found[1]))
        if named is None:
            break
        kind = named if kind in (None, Kind.PRESS_RELEASE) else kind
        tags.append(found[1])
        rest = rest[found.end() :]
    return rest, kind, tuple(tags)


def _link(entry: Entry, source: Source) -> str:
    link = links.absolute(entry.url, source.url)
    if not link and entry.guid.strip().startswith(("http://", "https://")):
        return links.absolute(entry.guid, source.url)
    return link


def _guid(entry: Entry) -> str:
    """The guid, where it is not the link once more."""
    guid = entry.guid.strip()
    return "" if guid == entry.url.strip() else guid


def _key(entry: Entry, link: str, source: Source, title: str, shared: Collection[bytes]) -> str:
    """The entry's link, else its guid, where it is its own; else its title (or text, if it has none) and date."""
    if link and not links.is_site(link) and hashed(key := links.canonical(link)) not in shared:
        return key
    guid, text = _guid(entry), title or one_line(entry.summary) or one_line(entry.content)
    said = guid if guid and hashed(guid) not in shared else f"{text}\n{entry.published}"
    return f"{source.id}#{hashlib.sha256(said.encode('utf-8', 'replace')).hexdigest()[:24]}"


def _is_body(summary: str) -> bool:
    return html.is_html(summary) or len(summary) > SUMMARY_LIMIT


def _summary(entry: Entry, content: str) -> str:
    """The text of the entry's summary, else the content's, which may have been made of it, or stand in for it.
    References may be escaped twice."""
    if _TWICE.search(entry.summary):
        text = html.to_line(unescape(entry.summary))
    elif content and entry.content in ("", entry.summary):
        text = ""
    else:
        text = html.to_line(entry.summary)
    text = text or html.opening(content, SUMMARY_LIMIT + 10)
    cut = next((sign for sign in _CUT if text.endswith(sign)), None)
    return shorten(f"{text.removesuffix(cut).rstrip(f' {LOST}')}…" if cut else text, SUMMARY_LIMIT)


def _lost(entry: Entry, link: str) -> list[str]:
    if LOST in entry.title or LOST in entry.summary or LOST in entry.content:
        return [Remark("an entry has characters that could not be read: {link}", link=_named(link))]
    return []


def _about_title(whole: str, link: str) -> str:
    if not whole:
        return Remark("an entry has no title, its text's beginning stands in: {link}", link=_named(link))
    return Remark("a title of {size} characters was cut: {link}", size=len(whole), link=_named(link))


def _named(link: str) -> str:
    """A link as warnings show it."""
    return shorten(clean(link), NAME_LIMIT) or "no link"


def _date(raw: str, source: Source, now: datetime, warnings: list[str]) -> dates.Moment | None:
    text = clean(raw).strip()
    if not text:
        return None
    found = dates.parse(text, source.timezone)
    if found is None:
        warnings.append(Remark("a date could not be read and was left out: {text!r}", text=text[:60]))
        return None
    if (found.at - now).days >= _FUTURE_DAYS:
        warnings.append(Remark("a date lies in the future and was left out: {text!r}", text=text[:60]))
        return None
    if found.at.year < FIRST_YEAR:
        warnings.append(Remark("a date lies before {year} and was left out: {text!r}", year=FIRST_YEAR, text=text[:60]))
        return None
    return replace(found, dated=True) if source.options.get("date_only") else found


def _ministry(entry: Entry, source: Source, ministries: Ministries, published: dates.Moment | None) -> MinistryName:
    day = published.at.astimezone(KST).date() if published else None
    if entry.ministry and (label := shorten(html.to_line(entry.ministry), NAME_LIMIT)):
        printed = ministries.named(label)
        return printed if printed.name == label else ministries.named(label, day)
    own = ministries.get(source.ministry) if source.ministry else None
    if own is not None:
        return ministries.named(own.name, day)
    return ministries.named(source.name or source.id, day)


def attached(items: Sequence[Attachment], base: str) -> tuple[Attachment, ...]:
    """The files that can be asked for, each with its whole address and a name."""
    found = []
    for item in items[:MOST_ATTACHMENTS]:
        if link := links.absolute(item.url, base):
            name = one_line(item.name) or link.rsplit("/", 1)[-1]
            found.append(Attachment(name=shorten(name, NAME_LIMIT), url=link, type=one_line(item.type)))
    return tuple(found)


def _attribution(source: Source, ministry: MinistryName) -> str:
    named = str(source.options.get("attribution", "{ministry}")).replace("{ministry}", ministry.name)
    return f"출처: {named}" if source.language == "ko" else f"Source: {named}"
