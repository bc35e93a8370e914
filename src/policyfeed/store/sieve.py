"""A selection as conditions of the database: what ``Selection.takes`` asks of an article, asked of its rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy import ColumnElement, String, false, func, or_, select

from policyfeed.selection import Selection, says
from policyfeed.store.schema import articles, verdicts


def conditions(selection: Selection) -> list[ColumnElement[bool]]:
    """All of them must hold; cheap ones come first, the words of an article last."""
    where: list[ColumnElement[bool]] = [verdicts.c.score >= selection.min_score]
    if selection.kept_only:
        where.append(verdicts.c.kept)
    if selection.dropped_only:
        where.append(~verdicts.c.kept)
    if selection.alert_only:
        where.append(verdicts.c.alert)
    if selection.kinds:
        where.append(articles.c.kind.in_([kind.value for kind in selection.kinds]))
    if selection.topics:
        where.append(_holds(verdicts.c.topics, "$", selection.topics))
    if selection.pillars:
        where.append(_holds(verdicts.c.pillars, "$", selection.pillars))
    if selection.ministries:
        first = articles.c.ministry_id.in_(selection.ministries)
        where.append(or_(first, _holds(articles.c.ministries, "$[0]", selection.ministries)))
    return [*where, *map(_says, selection.words)]


def add_functions(connection: sqlite3.Connection) -> None:
    """Make a new connection understand the conditions: letter case is more than SQLite knows of."""
    connection.create_function("says", 4, says, deterministic=True)


def _holds(column: ColumnElement[object], path: str, wanted: Sequence[str]) -> ColumnElement[bool]:
    """Whether the JSON list holds one of these, each where ``path`` leads within an item."""
    item = func.json_each(column).table_valued("value", name="item")
    value = item.c.value if path == "$" else func.json_extract(item.c.value, path, type_=String)
    return select(1).select_from(item).where(value.in_(wanted)).exists()


def _says(word: str) -> ColumnElement[bool]:
    with suppress(UnicodeEncodeError):
        word.encode()
        return func.says(word, articles.c.title, articles.c.summary, articles.c.content)
    return false()  # half a character, which no stored text has
