"""Which earlier articles an explanation (설명·해명) answers: those whose titles it names in quotation marks."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta

from sqlalchemy import Connection, Select, and_, bindparam, select

from policyfeed import identity
from policyfeed.store.prepared import Prepared, insertion
from policyfeed.store.schema import EXPLAINS, UtcDateTime, answers, articles
from policyfeed.types import Article, Kind, Named

WITHIN = timedelta(days=60)
"""How old a release may be that is answered."""
_SHOWN = (articles.c.number, articles.c.id, articles.c.title, articles.c.url)
_TIMES = articles.c.sort_time.between(bindparam("start", type_=UtcDateTime), bindparam("end", type_=UtcDateTime))
_NAMING = (articles.c.number, articles.c.sort_time, articles.c.title, articles.c.summary, articles.c.content)
_EXPLANATIONS = Prepared(select(*_NAMING).where(_TIMES, EXPLAINS))
_INSERT = insertion(answers, known_stay=True)


def link(tx: Connection, article: Article) -> None:
    """Store what the article answers, if it is an explanation: what it named once stays named."""
    if article.kind is not Kind.EXPLANATION:
        return
    marks = _named_in(article.title, article.summary, article.content)
    time = articles.c.sort_time.between(article.sort_time - WITHIN, article.sort_time)
    where = and_(articles.c.title_mark.in_(marks), time, articles.c.number != article.number)
    found = tx.execute(select(articles.c.number).where(where)).scalars()
    _INSERT.run_all(tx, [{"number": article.number, "answered": one} for one in found])


def link_late(tx: Connection, new: Sequence[Article]) -> None:
    """Store which explanations name one of these articles and came before it: their time is later all the same."""
    times = [one.sort_time for one in new]
    known = _EXPLANATIONS.rows(tx, start=min(times), end=max(times) + WITHIN)
    marks = [(one, identity.title_mark(one.title)) for one in (new if known else ())]
    for number, time, *texts in known:
        named = _named_in(*texts)
        answered = [
            one.number for one, mark in marks if mark in named and one.sort_time <= time <= one.sort_time + WITHIN
        ]
        _INSERT.run_all(tx, [{"number": number, "answered": one} for one in answered if one != number])


def _named_in(title: str, summary: str, content: str) -> set[str]:
    text = f"{title}\n{summary}\n{re.sub('<[^>]*>', ' ', content)}"
    return {identity.title_mark(one) for one in identity.quoted(text)}


def of(tx: Connection, numbers: Iterable[int]) -> dict[int, tuple[Named, ...]]:
    """Explanation's number → the articles that it answers, the newest first."""
    joined = select(answers.c.number.label("by"), *_SHOWN).join(articles, articles.c.number == answers.c.answered)
    return _named(tx, joined.where(answers.c.number.in_(list(numbers))))


def to(tx: Connection, number: int) -> tuple[Named, ...]:
    """The explanations that answer the article, the newest first."""
    joined = select(answers.c.answered.label("by"), *_SHOWN).join(articles, articles.c.number == answers.c.number)
    return _named(tx, joined.where(answers.c.answered == number)).get(number, ())


def _named(tx: Connection, statement: Select[tuple[int, int, str, str, str]]) -> dict[int, tuple[Named, ...]]:
    found: dict[int, list[Named]] = defaultdict(list)
    for row in tx.execute(statement.order_by(articles.c.sort_time.desc(), articles.c.number.desc())):
        found[row.by].append(Named(number=row.number, id=row.id, title=row.title, url=row.url))
    return {by: tuple(several) for by, several in found.items()}
