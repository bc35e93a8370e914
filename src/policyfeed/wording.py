"""How an article is told in a message: its parts in the channel's language, and text that fits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import regex

from policyfeed.clock import KST
from policyfeed.normalize.text import one_line
from policyfeed.types import Article, Judged, Kind, MinistryName, Reason, Verdict

_READ = 20_000  # characters of a piece that are looked at: no messenger shows more, and upstream may send megabytes
_REASONS = 3
_MINISTRIES = 3

_WORDS: dict[str, dict[str, str]] = {
    "ko": {
        "untitled": "(제목 없음)",
        "revised": "{kind}(수정)",
        "seen": "{day} 수집",
        "more": "외 {count}곳",
        "topics": "주제: {topics}",
        "score": "점수 {score}",
        "why": "근거: {reasons}",
        "placed": "{shown}({place})",
        "source": "출처: {source}",
        "page": "수집·판정 내역",
        "original": "원문",
        "many": "정책 소식 {count}건",
        "rest": "그 밖에 {count}건",
        "title": "제목",
        "summary": "요약",
        "content": "본문",
        Kind.PRESS_RELEASE: "보도자료",
        Kind.REFERENCE: "보도참고자료",
        Kind.EXPLANATION: "설명·해명자료",
        Kind.ACTIVITY: "동정",
        Kind.BRIEFING: "브리핑",
        Kind.POLICY_NEWS: "정책뉴스",
        Kind.NOTICE: "공고",
    },
    "en": {
        "untitled": "(no title)",
        "revised": "{kind} (corrected)",
        "seen": "collected {day}",
        "more": "and {count} more",
        "topics": "Topics: {topics}",
        "score": "Score {score}",
        "why": "Why: {reasons}",
        "placed": "{shown} ({place})",
        "source": "Source: {source}",
        "page": "How it was judged",
        "original": "Original",
        "many": "{count} policy articles",
        "rest": "And {count} more",
        "title": "title",
        "summary": "summary",
        "content": "text",
        Kind.PRESS_RELEASE: "Press release",
        Kind.REFERENCE: "Reference material",
        Kind.EXPLANATION: "Explanation",
        Kind.ACTIVITY: "Activities",
        Kind.BRIEFING: "Briefing",
        Kind.POLICY_NEWS: "Policy news",
        Kind.NOTICE: "Notice",
    },
}


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
    article, verdict = judged.article, judged.verdict
    return Told(
        title=_line(article.title) or say(language, "untitled"),
        url=web_address(article.url),
        ministry=_ministry(article, language),
        kind=_kind(article, language),
        when=_when(article, language),
        lead=_line(article.summary),
        topics=_topics(verdict, topic_names or {}, language),
        why=_why(verdict, language),
        rights=_rights(article, language),
        page=f"{base_url}/articles/{article.number}" if base_url and article.number else "",
    )


def say(language: str, word: str, **facts: object) -> str:
    """One of the fixed phrases, in Korean for a language that we do not have."""
    return _WORDS.get(language, _WORDS["ko"])[word].format(**facts)


def fit(text: str, limit: int, size: Callable[[str], int] = len) -> str:
    """The text, cut with "…" so that its size is at most ``limit``: between words where one ends near, never inside
    what a reader sees as one character. ``size`` adds up over characters and is at least 1 for each.
    """
    if len(text) <= limit and size(text) <= limit:
        return text
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


def _ministry(article: Article, language: str) -> str:
    credited: tuple[MinistryName, ...] = article.ministries or (article.ministry,)
    names = ", ".join(_line(one.name) for one in credited[:_MINISTRIES])
    if len(credited) > _MINISTRIES:
        return f"{names} {say(language, 'more', count=len(credited) - _MINISTRIES)}"
    return f"{names} {_line(article.department)}".strip() if len(credited) == 1 else names


def _kind(article: Article, language: str) -> str:
    kind = say(language, article.kind)
    return say(language, "revised", kind=kind) if article.revision > 1 else kind


def _when(article: Article, language: str) -> str:
    if article.published is None:
        return say(language, "seen", day=f"{article.first_seen.astimezone(KST):%Y-%m-%d %H:%M}")
    return f"{article.published.astimezone(KST):{'%Y-%m-%d' if article.dated else '%Y-%m-%d %H:%M'}}"


def _topics(verdict: Verdict, names: Mapping[str, str], language: str) -> str:
    if not verdict.topics:
        return ""
    return say(language, "topics", topics=", ".join(_line(names.get(topic, topic)) for topic in verdict.topics))


def _why(verdict: Verdict, language: str) -> str:
    """The score and the terms that speak most for it; "" for what was not judged."""
    if not verdict.reasons:
        return ""
    score = say(language, "score", score=round(verdict.score))
    terms = sorted((one for one in verdict.reasons if one.term and one.points > 0), key=lambda one: -one.points)
    reasons = ", ".join(dict.fromkeys(_reason(one, language) for one in terms[:_REASONS]))
    return f"{score} · {say(language, 'why', reasons=reasons)}" if reasons else score


def _reason(reason: Reason, language: str) -> str:
    place = _WORDS.get(language, _WORDS["ko"]).get(reason.field, "")
    shown = _line(reason.term.strip("|*"))  # the signs are for editors
    return say(language, "placed", shown=shown, place=place) if place else shown


def _rights(article: Article, language: str) -> str:
    source = _line(article.attribution)
    if source and not source.startswith(("출처", "Source")):
        source = say(language, "source", source=source)
    return " · ".join(piece for piece in (source, _line(article.licence)) if piece)
