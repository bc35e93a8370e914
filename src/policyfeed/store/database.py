"""Opening the database: SQLite in the data folder, migrated to this version, one transaction writing at a time."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, ParamSpec, Protocol, TypeVar

from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, create_engine, event, inspect, select, text
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, ProgrammingError

from policyfeed.errors import AlreadyRunning, NewerDatabase, OutputError, PolicyfeedError, StoreError, UsageError
from policyfeed.store.folder import at_work, make_folder
from policyfeed.store.prepared import savepoint
from policyfeed.store.schema import HEAD, metadata
from policyfeed.store.sieve import add_functions

FILE = "policyfeed.db"
_LOCKED = "locked"
"""What SQLite says when somebody else has the database, and went on having it for all the time that it waits."""
_CACHE = "cache_size=-512"
"""KiB that each connection keeps of the file, a fourth of the usual: the system keeps it too, once for all of them."""
MIGRATIONS = Path(__file__).with_name("migrations")
_SAID = Table("alembic_version", MetaData(), Column("version_num", String(32), nullable=False))
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


P = ParamSpec("P")
T = TypeVar("T")
Outcome = tuple[Any, Exception | None]
"""What a function gave, or raised."""


class InDatabase(Protocol):
    """Runs a function in the thread that writes: ``await db(function, *arguments)``."""

    def __call__(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]: ...


class Store:
    """A data folder's database. ``write`` is one transaction and holds the write lock; ``read`` is a snapshot."""

    def __init__(self, folder: Path, *, create: bool = True) -> None:
        """Open, create or migrate. Raises OutputError (folder, copy before a migration), NewerDatabase, AlreadyRunning
        (to be migrated, and another process works on it), StoreError (no database, full disk)."""
        self.folder = folder
        self.file = folder / FILE
        self._local = threading.local()
        if not create and not os.access(self.file, os.F_OK):
            raise _missing(self.file)
        make_folder(folder)
        self._engine = _engine(self.file)
        try:
            _migrate(self._engine, self.file)
        except PolicyfeedError:
            self.close()
            raise
        except DatabaseError as problem:
            self.close()
            raise _failed(self.file, problem) from problem
        self._identity = _identity(self.file)

    def astray(self) -> bool:
        """Whether the file was moved, removed or replaced since it was opened: SQLite goes on in the old one."""
        return _identity(self.file) != self._identity

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A snapshot for reading. Within ``together`` it is common, and shows what was written there before."""
        group: _Group | None = getattr(self._local, "group", None)
        if group is not None:
            with self._mapped():
                yield group.snapshot()
            return
        with self._mapped(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: all of it is stored, or nothing. Within ``together`` a savepoint of the common one."""
        group: _Group | None = getattr(self._local, "group", None)
        if group is not None:
            with self._mapped(), savepoint(group.begun()):
                yield group.begun()
            return
        with self._mapped(), _writing(self._engine) as connection:
            yield connection

    def together(self, works: list[Callable[[], Any]]) -> list[Outcome]:
        """Run several works whose writes are flushed to the disk once: for each what it gave, or raised.

        They are taken from the list one by one: what one has written need not stay in memory until all are flushed.
        Each is all or nothing by itself. When the database fails, all of them have failed: nothing of them is stored,
        and what comes after is not begun (on a full disk SQLite ends the transaction: it would be stored by itself).
        """
        group, count = _Group(self._engine), len(works)
        self._local.group = group
        try:
            outcomes = [_outcome(works.pop(0)) for _ in range(count)]
            with self._mapped():
                group.commit()
        except StoreError as error:
            return [(None, error)] * count
        finally:
            self._local.group = None
            group.close()
        return outcomes

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except (IntegrityError, ProgrammingError, DataError):
            raise  # a fault of ours, not of the disk
        except DatabaseError as problem:
            raise _failed(self.file, problem) from problem

    def backup(self, to: Path) -> None:
        """Copy the live database consistently (SQLite's online backup). Raises OutputError; UsageError for itself, a
        folder or a device."""
        if self._is_ours(to):
            raise UsageError("{file} belongs to the live database.", remedy="Name another file for the copy.", file=to)
        if to.is_dir():
            raise UsageError("{file} is a folder.", remedy="Name the file in it that the copy is to be.", file=to)
        if to.exists() and not to.is_file():  # the copy would take the place of /dev/stdout
            raise UsageError("{file} is no ordinary file.", remedy="Name another file for the copy.", file=to)
        _copy(self.file, to)

    def _is_ours(self, file: Path) -> bool:
        """Whether the database, SQLite beside it or a lock has that file, or would make it."""
        file, own = (Path(os.path.realpath(path)) for path in (file, self.file))
        names = [f"{own.name}{ending}" for ending in ("", "-wal", "-shm", "-journal")]
        is_lock = file.suffix == ".lock" and _is_in(self.folder, file)
        return is_lock or (file.name in names and _is_in(own.parent, file))

    def verify(self) -> list[str]:
        """What SQLite's own checks find wrong, and columns that are not there; empty = sound."""
        with self.read() as connection:
            found = [row[0] for row in connection.execute(text("PRAGMA integrity_check")) if row[0] != "ok"]
            broken = connection.execute(text("PRAGMA foreign_key_check")).all()
            lacking = _lacking(connection)
        return [*found, *(f"{row[0]} row {row[1]} refers to a missing {row[2]}" for row in broken), *lacking]

    def version(self) -> str:
        with self.read() as connection:
            return _version(connection) or ""

    def close(self) -> None:
        self._engine.dispose()


class _Group:
    """A transaction that begins with the first write of several works."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._snapshot: Connection | None = None

    def snapshot(self) -> Connection:
        """For reading: nobody who writes elsewhere has to wait for it."""
        if self._connection is not None:
            return self._connection
        if self._snapshot is None:
            self._snapshot = self._engine.connect()
            self._snapshot.begin()
        return self._snapshot

    def begun(self) -> Connection:
        if self._connection is None:
            connection = self._engine.connect().execution_options(writing=True)
            connection.begin()
            self._connection = connection
        return self._connection

    def commit(self) -> None:
        if self._connection is not None:
            self._connection.commit()

    def close(self) -> None:
        """Takes back what was not committed."""
        for connection in (self._connection, self._snapshot):
            if connection is not None:
                connection.close()


def _is_in(folder: Path, file: Path) -> bool:
    return file.parent.is_dir() and file.parent.samefile(folder)


def _outcome(work: Callable[[], Any]) -> Outcome:
    try:
        return work(), None
    except StoreError:
        raise
    except Exception as error:  # it is the caller's, who waits in another thread
        return None, error


def _copy(file: Path, to: Path) -> None:
    """Beside the target first: a copy that was broken off neither looks like one nor has replaced an earlier one."""
    part = to.with_name(f"{to.name}.part")
    try:
        with closing(sqlite3.connect(file)) as ours, closing(sqlite3.connect(part)) as theirs:
            ours.backup(theirs)
        part.replace(to)
    except (sqlite3.Error, OSError) as problem:
        if _LOCKED not in str(problem):  # another one's, which is at work
            _remove(part)
        raise OutputError(
            "{file} could not be written: {problem}.",
            remedy="Its folder must be there, with room for the copy, and open to the user that runs policyfeed.",
            file=to,
            problem=problem,
        ) from problem


def _remove(part: Path) -> None:
    """What was written of a copy: on a full disk it would keep that full."""
    with suppress(OSError):
        part.unlink(missing_ok=True)
        part.with_name(f"{part.name}-journal").unlink(missing_ok=True)


def _missing(file: Path) -> StoreError:
    return StoreError(
        "There is no database {file}, or none that this user may see.",
        remedy="Name the data folder in POLICYFEED_DATA. If the file was lost, restore a backup.",
        file=file,
    )


def _identity(file: Path) -> tuple[int, int] | None:
    """What tells the file from another one of its name; None = there is none."""
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


def _failed(file: Path, problem: DatabaseError) -> StoreError:
    said = str(problem.orig)
    if _LOCKED in said:
        return StoreError(
            "The database {file} is locked: another process has been writing to it for too long.",
            remedy="It may be migrating the database after an upgrade. Nothing was changed: try again when it is done.",
            file=file,
        )
    remedy = "Nothing was changed by the failed step. Run `policyfeed db verify`."
    if "full" in said:
        remedy = "Free some space on the disk; what was stored before is intact and work goes on by itself."
    elif "not a database" in said or "malformed" in said:
        remedy = "Move the file away (or name another POLICYFEED_DATA) and restore a backup."
    return StoreError("The database {file} failed: {problem}.", remedy=remedy, file=file, problem=said)


def _engine(file: Path) -> Engine:
    engine = create_engine(
        f"sqlite+pysqlite:///{file}",
        json_serializer=_JSON.encode,
        connect_args={"timeout": 30, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy begins transactions below, not the driver
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY", _CACHE):
            connection.execute(f"PRAGMA {pragma}")
        add_functions(connection)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get("writing")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _version(connection: Connection) -> str | None:
    """What the database says of itself: "" before the first migration, None where nothing is there."""
    if not inspect(connection).has_table(_SAID.name):
        return None
    return str(connection.execute(select(_SAID.c.version_num)).scalar() or "")


def _lacking(connection: Connection) -> list[str]:
    """The columns of this version's schema that the database does not have, though it says that it has that version."""
    found = {
        table: {one["name"] for one in columns}
        for (_, table), columns in inspect(connection).get_multi_columns().items()
    }
    wanted = [(table.name, one.name) for table in metadata.sorted_tables for one in table.columns]
    return [f"{table} has no column {column}" for table, column in wanted if column not in found.get(table, ())]


def _migrate(engine: Engine, file: Path) -> None:
    """Bring the schema to HEAD; an older database is copied beside itself first. Of several processes one does it."""
    with engine.connect() as connection:
        found = _version(connection)
    if found == HEAD:
        return
    with _writing(engine) as connection:
        found = _version(connection)  # another process may have been faster
        if found is None:
            _create(connection)
        elif found != HEAD:
            _upgrade(connection, file, found)


def _create(connection: Connection) -> None:
    """What all migrations together would make, without loading what they are made with."""
    metadata.create_all(connection)
    _SAID.create(connection)
    connection.execute(_SAID.insert().values(version_num=HEAD))


def _upgrade(connection: Connection, file: Path, found: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS))
    if found and found not in {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}:
        raise NewerDatabase(
            "{file} was written by a newer policyfeed (schema {found}, this one knows {head}).",
            remedy="Upgrade policyfeed, or restore a backup of this version.",
            file=file,
            found=found,
            head=HEAD,
        )
    if pid := at_work(file.parent):
        raise AlreadyRunning(
            "Another policyfeed (process {pid}) is working on {folder}, whose database is of an older version.",
            remedy="Restart that one with this version: it migrates the database.",
            pid=pid,
            folder=file.parent,
        )
    _copy(file, file.with_name(f"{file.stem}.before-{HEAD}.db"))
    command.upgrade(config, "head")


@contextmanager
def _writing(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        connection.execution_options(writing=True)
        with connection.begin():
            yield connection
