"""An article as the engine sees it: passages of plain text, most telling first, and who published it."""

from __future__ import annotations

from dataclasses import dataclass

from policyfeed.relevance.rules import Rules, Zone
from policyfeed.relevance.text import plain
from policyfeed.types import Article, Kind

_ASKED = ("title", "summary", "content", "ministry", "ministries", "kind", "tags")
BODY_CHARS = 20_000
"""How far a text is read; releases have 1,000 to 5,000 characters, hostile pages any number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A part of an article. ``field`` and ``shift`` lead back to the article's field as stored."""

    zone: Zone
    field: str
    text: str
    shift: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is judged: title first, then lead and body."""

    passages: tuple[Passage, ...]
    ministries: tuple[str, ...] = ()
    """Names and ids of the ministries, the first credited one first."""
    kind: Kind = Kind.PRESS_RELEASE
    tags: tuple[str, ...] = ()


def text_case(
    rules: Rules,
    *,
    title: str,
    lead: str = "",
    body: str = "",
    ministry: str = "",
    kind: Kind = Kind.PRESS_RELEASE,
) -> Case:
    """Plain texts as a case. Without a lead, the body's first characters are the lead."""
    passages = (Passage(zone=Zone.TITLE, field="title", text=title), *_texts(lead, body, rules.settings.lead_chars))
    return Case(passages=passages, ministries=(ministry.strip(),) if ministry.strip() else (), kind=kind)


def judged_alike(one: Article, other: Article) -> bool:
    """Whether both are the same case: what ``case_of`` asks of an article is the same in both."""
    return all(getattr(one, name) == getattr(other, name) for name in _ASKED)


def case_of(article: Article, lead_chars: int) -> Case:
    """An article as a case."""
    ministries = tuple(
        text for credited in (article.ministry, *article.ministries) for text in (credited.name, credited.id) if text
    )
    passages = (
        Passage(zone=Zone.TITLE, field="title", text=article.title),
        *_texts(article.summary, plain(article.content), lead_chars),
    )
    return Case(passages=passages, ministries=ministries, kind=article.kind, tags=article.tags)


def _texts(lead: str, body: str, lead_chars: int) -> tuple[Passage, ...]:
    first = (
        Passage(zone=Zone.LEAD, field="summary", text=lead[:lead_chars])
        if lead.strip()
        else Passage(zone=Zone.LEAD, field="content", text=body[:lead_chars])
    )
    shift = 0 if lead.strip() else lead_chars
    return first, Passage(zone=Zone.BODY, field="content", text=body[shift:BODY_CHARS], shift=shift)
