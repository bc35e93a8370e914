"""Which earlier articles an explanation (설명·해명) answers: those whose titles it names in quotation marks."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import Connection, Select, and_, select

from policyfeed import identity
from policyfeed.store.schema import answers, articles
from policyfeed.types import Article, Kind, Named

WITHIN = timedelta(days=60)
"""How old a release may be that is answered."""
_SHOWN = (articles.c.number, articles.c.id, articles.c.title, articles.c.url)


def link(tx: Connection, article: Article) -> None:
    """Store what the article answers, if it is an explanation: what it named once stays named."""
    if article.kind is not Kind.EXPLANATION:
        return
    text = f"{article.title}\n{article.summary}\n{re.sub('<[^>]*>', ' ', article.content)}"
    marks = {identity.title_mark(one) for one in identity.quoted(text)}
    time = articles.c.sort_time.between(article.sort_time - WITHIN, article.sort_time)
    where = and_(articles.c.title_mark.in_(marks), time, articles.c.number != article.number)
    known = select(answers.c.answered).where(answers.c.number == article.number)
    found = tx.execute(select(articles.c.number).where(where, articles.c.number.not_in(known))).scalars().all()
    if found:
        tx.execute(answers.insert(), [{"number": article.number, "answered": one} for one in found])


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
