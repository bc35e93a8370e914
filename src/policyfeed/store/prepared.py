"""Statements of every poll, compiled once.

What SQLAlchemy does around an execution (recognise the statement, build its context, wrap its result) takes ten times
as long as the database needs for a row, and a poll executes a dozen. Here SQLAlchemy compiles a statement, and the
types of its columns convert values; the driver does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import CompoundSelect, Connection, Delete, Dialect, Insert, Select, Table, Update, bindparam
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

Statement = Select[Any] | CompoundSelect[Any] | Insert | Update | Delete
Convert = Callable[[Any], Any] | None


class Prepared:
    """A statement whose values come by name with each execution; lists are ``bindparam(…, expanding=True)``.

    A list is filled up to the next power of two with its last value, so that there are few forms of a statement.
    """

    def __init__(self, statement: Statement) -> None:
        self._statement = statement
        self._lists: tuple[str, ...] | None = None
        self._forms: dict[tuple[int, ...], _Form] = {}

    def rows(self, tx: Connection, **values: Any) -> list[tuple[Any, ...]]:
        """The selected rows."""
        form = self._form(tx, values)
        return [form.read(row) for row in form.execute(tx, values).fetchall()]

    def first(self, tx: Connection, **values: Any) -> dict[str, Any] | None:
        """The first selected row, by the names of its columns."""
        form = self._form(tx, values)
        row = form.execute(tx, values).fetchone()
        return dict(zip(form.names, form.read(row), strict=True)) if row is not None else None

    def run(self, tx: Connection, **values: Any) -> int:
        """How many rows were written."""
        written: int = self._form(tx, values).execute(tx, values).rowcount
        return written

    def run_all(self, tx: Connection, rows: Iterable[Mapping[str, Any]]) -> int:
        """The same statement with the values of each row; how many rows were written."""
        form = self._form(tx, {})
        bound = [form.bound(row) for row in rows]
        return int(_driven(tx, form.sql, bound, many=True).rowcount) if bound else 0

    def _form(self, tx: Connection, values: dict[str, Any]) -> _Form:
        """The form for these values, whose lists are filled up."""
        if self._lists is None:
            binds = self._statement.compile(dialect=tx.dialect).binds
            self._lists = tuple(name for name, bind in binds.items() if bind.expanding)
        for name in self._lists:
            values[name] = _filled(values[name])
        sizes = tuple(len(values[name]) for name in self._lists)
        if sizes not in self._forms:
            self._forms[sizes] = _Form(self._statement, tx.dialect, dict(zip(self._lists, sizes, strict=True)))
        return self._forms[sizes]


class _Form:
    """The text of a statement with lists of certain lengths, and what converts its values and columns."""

    def __init__(self, statement: Statement, dialect: Dialect, sizes: Mapping[str, int]) -> None:
        binds = statement.compile(dialect=dialect).binds
        columns = list(statement.selected_columns) if isinstance(statement, (Select, CompoundSelect)) else []
        if isinstance(statement, (Select, CompoundSelect)) and sizes:
            statement = statement.params({name: [None] * sizes[name] if name in sizes else None for name in binds})
        compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": bool(sizes)})
        places = {f"{name}_{at + 1}": (name, at) for name, size in sizes.items() for at in range(size)}
        order = [places.get(name, (name, None)) for name in compiled.positiontup or ()]
        self.sql = str(compiled)
        self.names = [str(column.key) for column in columns]
        self._order = [(name, at, _written(binds[name].type, dialect)) for name, at in order]
        self._reads = [_read(column.type, dialect) for column in columns]

    def bound(self, values: Mapping[str, Any]) -> list[Any]:
        given = ((values[name] if at is None else values[name][at], convert) for name, at, convert in self._order)
        return [value if convert is None else convert(value) for value, convert in given]

    def read(self, row: Sequence[Any]) -> tuple[Any, ...]:
        pairs = zip(row, self._reads, strict=True)
        return tuple([value if convert is None else convert(value) for value, convert in pairs])

    def execute(self, tx: Connection, values: Mapping[str, Any]) -> Any:
        return _driven(tx, self.sql, self.bound(values))


def insertion(table: Table, *, known_stay: bool = False) -> Prepared:
    """The insertion of a whole row: every column has a value. ``known_stay``: not where it would be there twice."""
    statement = insert(table).values({column.name: bindparam(column.name) for column in table.c})
    return Prepared(statement.on_conflict_do_nothing() if known_stay else statement)


@contextmanager
def savepoint(tx: Connection) -> Iterator[None]:
    """Takes back what is done within it when that fails."""
    _driven(tx, "SAVEPOINT one")
    try:
        yield
    except BaseException:
        # On a full disk SQLite has taken back everything: there is no savepoint any more, which is not the cause.
        with suppress(DBAPIError):
            _driven(tx, "ROLLBACK TO SAVEPOINT one")
            _driven(tx, "RELEASE SAVEPOINT one")
        raise
    _driven(tx, "RELEASE SAVEPOINT one")


def _driven(tx: Connection, sql: str, values: Sequence[Any] = (), *, many: bool = False) -> Any:
    """The driver's cursor after the execution. Raises SQLAlchemy's errors."""
    cursor = tx.connection.cursor()
    try:
        (cursor.executemany if many else cursor.execute)(sql, values)
    except tx.dialect.loaded_dbapi.Error as error:
        raise DBAPIError.instance(sql, values, error, tx.dialect.loaded_dbapi.Error, dialect=tx.dialect) from error
    return cursor


def _filled(values: Iterable[Any]) -> list[Any]:
    """With nothing in it a list would be no list in SQL; nothing equals NULL."""
    some = list(values) or [None]
    return some + some[-1:] * ((1 << (len(some) - 1).bit_length()) - len(some))


def _written(type_: TypeEngine[Any], dialect: Dialect) -> Convert:
    return type_.dialect_impl(dialect).bind_processor(dialect)


def _read(type_: TypeEngine[Any], dialect: Dialect) -> Convert:
    return type_.dialect_impl(dialect).result_processor(dialect, None)
