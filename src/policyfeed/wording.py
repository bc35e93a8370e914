"""How an article is told in a message: its parts in the channel's language, and text that fits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from policyfeed.clock import KST
from policyfeed.i18n import Translate, translator
from policyfeed.naming import evidence, kind_name
from policyfeed.normalize.text import one_line
from policyfeed.types import Article, Judged, MinistryName, Verdict

_READ = 20_000  # characters of a piece that are looked at: no messenger shows more, and upstream may send megabytes
_REASONS = 3
_MINISTRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An article's parts as a messenger shows them: plain text on one line each, "" for what there is not."""

    title: str
    url: str
    """The original; "" when it is no web address."""
    ministry: str
    kind: str
    when: str
    """Korean date and time, or the date alone where upstream gave no time."""
    lead: str
    topics: str
    why: str
    rights: str
    page: str
    """The article's page on this service; "" without a base URL or a number."""


def told(judged: Judged, *, language: str, base_url: str = "", topic_names: Mapping[str, str] | None = None) -> Told:
    """The parts of a message about an article. ``topic_names``: topic id → name in the channel's language."""
    article, verdict, _ = judged.article, judged.verdict, translator(language)
    return Told(
        title=_line(article.title) or _("(untitled)"),
        url=web_address(article.url),
        ministry=_ministry(article, _),
        kind=_kind(article, _),
        when=_when(article, _),
        lead=_line(article.summary),
        topics=_topics(verdict, topic_names or {}, _),
        why=_why(verdict, _),
        rights=_rights(article, _),
        page=f"{base_url}/articles/{article.number}" if base_url and article.number else "",
    )


def fit(text: str, limit: int, size: Callable[[str], int] = len) -> str:
    """The text, cut with "…" so that its size is at most ``limit``: between words where one ends near, never inside
    what a reader sees as one character. ``size`` adds up over characters and is at least 1 for each.
    """
    if len(text) <= limit and size(text) <= limit:
        return text
    import regex  # a megabyte, for the few texts that are too long

    kept, used = "", size("…")
    for found in regex.finditer(r"\X", text[: limit + 1]):
        used += size(found[0])
        if used > limit:
            break
        kept += found[0]
    words, space, _ = kept.rpartition(" ")
    if space and len(words) >= len(kept) * 2 // 3:
        kept = words
    return kept.rstrip() + "…"


def web_address(url: str) -> str:
    """The URL with everything quoted that could end a link early, or "" when it is no http(s) address."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return ""
    return quote(url, safe="%/:=&?~#+!$,;'@()*[]-._", errors="replace")


def _line(text: str) -> str:
    return one_line(text[:_READ])


def _ministry(article: Article, translate: Translate) -> str:
    _ = translate
    credited: tuple[MinistryName, ...] = article.ministries or (article.ministry,)
    names = ", ".join(_line(one.name) for one in credited[:_MINISTRIES])
    if len(credited) > _MINISTRIES:
        return _("{ministries} and {count} more").format(ministries=names, count=len(credited) - _MINISTRIES)
    return f"{names} {_line(article.department)}".strip() if len(credited) == 1 else names


def _kind(article: Article, translate: Translate) -> str:
    _ = translate
    kind = kind_name(article.kind, translate).capitalize()
    return _("{kind} (corrected)").format(kind=kind) if article.revision > 1 else kind


def _when(article: Article, translate: Translate) -> str:
    _ = translate
    if article.published is None:
        return _("collected {time}").format(time=f"{article.first_seen.astimezone(KST):%Y-%m-%d %H:%M}")
    return f"{article.published.astimezone(KST):{'%Y-%m-%d' if article.dated else '%Y-%m-%d %H:%M'}}"


def _topics(verdict: Verdict, names: Mapping[str, str], translate: Translate) -> str:
    _ = translate
    named = ", ".join(_line(names.get(topic, topic)) for topic in verdict.topics)
    return _("Topics: {topics}").format(topics=named) if named else ""


def _why(verdict: Verdict, translate: Translate) -> str:
    """The score and the terms that speak most for it; "" for what was not judged."""
    _ = translate
    if not verdict.reasons:
        return ""
    score = _("Score {score}").format(score=round(verdict.score))
    terms = sorted((one for one in verdict.reasons if one.term and one.points > 0), key=lambda one: -one.points)
    reasons = ", ".join(dict.fromkeys(_line(evidence(one, translate)) for one in terms[:_REASONS]))
    return f"{score} · {_('Why: {reasons}').format(reasons=reasons)}" if reasons else score


def _rights(article: Article, translate: Translate) -> str:
    _ = translate
    source = _line(article.attribution)
    if source and not source.startswith(("출처", "Source")):
        source = _("Source: {source}").format(source=source)
    return " · ".join(piece for piece in (source, _line(article.licence)) if piece)
