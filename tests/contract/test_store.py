"""The store over a real SQLite file: versions, constraints, transactions, locks, full disks, damaged files."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import bindparam, select, text
from sqlalchemy.exc import IntegrityError

from policyfeed.errors import AlreadyRunning, NewerDatabase, OutputError, StoreError, UsageError
from policyfeed.selection import Selection
from policyfeed.store import (
    SourceState,
    Store,
    Transaction,
    answers,
    articles,
    database,
    outbox,
    schema,
    sources,
    working_alone,
)
from policyfeed.store.outbox import ChannelState
from policyfeed.store.prepared import Prepared, insertion
from policyfeed.store.writer import WriterThread
from policyfeed.types import Article, Kind, Validators, Verdict
from tests import alerts, releases
from tests.alerts import NOW, article

VIEW = "https://www.korea.kr/briefing/pressReleaseView.do"
EVERYTHING = Selection(kept_only=False)


def insert(tx: Transaction, one: Article) -> int:
    """Store an article with a verdict; its number."""
    number = articles.insert(tx, one).number
    articles.save_verdict(tx, number, Verdict(kept=True), NOW)
    return number


def raw(store_or_file: Store | Path) -> sqlite3.Connection:
    file = store_or_file.file if isinstance(store_or_file, Store) else store_or_file
    return sqlite3.connect(file)


def reopened(store: Store) -> Store:
    store.close()
    return Store(store.folder)


# Versions -------------------------------------------------------------------------------------------------------------


def test_a_new_folder_becomes_a_database_of_this_version(tmp_path: Path) -> None:
    store = Store(tmp_path / "a" / "b")
    assert store.version() == schema.HEAD
    assert store.verify() == []
    with store.read() as tx:
        made = set(tx.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars())
    assert made >= set(schema.metadata.tables)
    store.close()


def test_the_migrations_make_what_the_schema_says(store: Store, tmp_path: Path) -> None:
    """New databases are made from the schema, older ones by the migrations."""
    (tmp_path / "old").mkdir()
    with closing(raw(tmp_path / "old" / database.FILE)) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    migrated = Store(tmp_path / "old")
    assert migrated.version() == store.version() == schema.HEAD
    assert _made(migrated) == _made(store)
    migrated.close()


def _made(store: Store) -> dict[str, list[object]]:
    """Table → its columns, keys and indexes as SQLite tells them, whatever their order."""
    made = dict[str, list[object]]()
    with closing(raw(store)) as connection:
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            columns = [row[1:] for row in connection.execute(f"PRAGMA table_info({table})")]
            keys = [row[2:] for row in connection.execute(f"PRAGMA foreign_key_list({table})")]
            indexes = [row[1:] for row in connection.execute(f"PRAGMA index_list({table})")]
            parts = [[row[2] for row in connection.execute(f"PRAGMA index_info({one[0]})")] for one in sorted(indexes)]
            made[table] = [sorted(columns), sorted(keys), sorted(indexes), parts]
    return made


def test_articles_of_the_first_version_are_found_by_what_their_titles_have_in_common(tmp_path: Path) -> None:
    store = releases.stored(tmp_path / "data", releases.many(3))
    marks = "SELECT number, title_mark, head_mark, like_mark FROM articles ORDER BY number"
    store.close()
    with closing(raw(store)) as connection:
        before = connection.execute(marks).fetchall()
        connection.executescript("""
            DROP INDEX ix_articles_ministry_id_like_mark_sort_time;
            DROP INDEX ix_articles_like_mark_sort_time;
            DROP INDEX ix_articles_head_mark_sort_time;
            ALTER TABLE articles DROP COLUMN head_mark;
            ALTER TABLE articles DROP COLUMN like_mark;
            CREATE INDEX ix_articles_joint_sort_time ON articles (joint, sort_time);
            CREATE INDEX ix_articles_ministry_id_sort_time ON articles (ministry_id, sort_time);
            DROP TABLE answers;
            DROP TABLE copies;
            ALTER TABLE channels DROP COLUMN address;
            ALTER TABLE sources DROP COLUMN remarks;
            DROP INDEX ix_articles_sort_time;
            UPDATE alembic_version SET version_num = '0001';
        """)
    Store(store.folder).close()
    with closing(raw(store)) as connection:
        assert connection.execute(marks).fetchall() == before
        assert all(like for *_, like in before)


def test_a_database_that_had_the_marks_before_their_migration_is_migrated(store: Store) -> None:
    made = _made(store)
    store.close()
    with closing(raw(store)) as connection:
        connection.executescript("""
            ALTER TABLE channels DROP COLUMN address;
            ALTER TABLE sources DROP COLUMN remarks;
            DROP INDEX ix_articles_sort_time;
            UPDATE alembic_version SET version_num = '0002';
        """)
    migrated = Store(store.folder)
    assert migrated.version() == schema.HEAD
    assert _made(migrated) == made
    migrated.close()


def test_a_channels_address_and_why_it_is_closed_are_told_apart_in_an_older_database(store: Store) -> None:
    states = [
        ChannelState(name="closed", address="0123456789abcdef", failures=3, closed="HTTP 410 for good"),
        ChannelState(name="open", address="fedcba9876543210", paused_until=NOW),
        ChannelState(name="blank"),
    ]
    with store.write() as tx:
        for one in states:
            outbox.save_channel_state(tx, one)
    store.close()
    with closing(raw(store)) as connection:
        connection.executescript("""
            UPDATE channels SET closed = address || ' ' || closed;
            ALTER TABLE channels DROP COLUMN address;
            ALTER TABLE sources DROP COLUMN remarks;
            DROP INDEX ix_articles_sort_time;
            UPDATE alembic_version SET version_num = '0004';
        """)
    migrated = Store(store.folder)
    with migrated.read() as tx:
        assert [outbox.channel_state(tx, one.name) for one in states] == states
    migrated.close()


def test_a_database_of_a_newer_version_is_refused_and_left_alone(store: Store) -> None:
    store.close()
    with closing(raw(store)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    with pytest.raises(NewerDatabase, match=r"9999.*Upgrade policyfeed"):
        Store(store.folder)
    with closing(raw(store)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)


def test_an_older_database_is_copied_and_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = releases.stored(tmp_path / "data", releases.many(3))
    old.close()
    newer = tmp_path / "migrations"
    shutil.copytree(database.MIGRATIONS, newer, ignore=shutil.ignore_patterns("__pycache__"))
    (newer / "versions" / "9000_next.py").write_text(
        "from alembic import op\nimport sqlalchemy as sa\nrevision = '9000'\n"
        f"down_revision = {schema.HEAD!r}\nbranch_labels = depends_on = None\n"
        "def upgrade():\n    op.add_column('articles', sa.Column('mood', sa.Text))\n"
    )
    monkeypatch.setattr(database, "MIGRATIONS", newer)
    monkeypatch.setattr(database, "HEAD", "9000")
    store = Store(tmp_path / "data")
    with store.read() as tx:
        assert store.version() == "9000"
        assert len(articles.newest(tx, EVERYTHING, 10)) == 3
        assert tx.execute(text("SELECT mood FROM articles LIMIT 1")).scalar() is None
    store.close()
    with closing(raw(tmp_path / "data" / "policyfeed.before-9000.db")) as copy:
        assert copy.execute("SELECT count(*) FROM articles").fetchone() == (3,)


def test_a_migration_that_fails_leaves_the_database_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    releases.stored(tmp_path / "data", releases.many(3)).close()
    newer = tmp_path / "migrations"
    shutil.copytree(database.MIGRATIONS, newer, ignore=shutil.ignore_patterns("__pycache__"))
    steps = "def upgrade():\n    op.execute('DELETE FROM verdicts')\n    op.execute('nonsense')\n"
    head = (
        f"from alembic import op\nrevision, down_revision = '9000', {schema.HEAD!r}\nbranch_labels = depends_on = ''\n"
    )
    (newer / "versions" / "9000_next.py").write_text(head + steps)
    with monkeypatch.context() as patch:
        patch.setattr(database, "MIGRATIONS", newer)
        patch.setattr(database, "HEAD", "9000")
        with pytest.raises(StoreError):
            Store(tmp_path / "data")
    store = Store(tmp_path / "data")
    with store.read() as tx:
        assert len(articles.newest(tx, EVERYTHING, 10)) == 3
    store.close()


def test_two_processes_may_create_a_database_at_once(tmp_path: Path) -> None:
    assert _opened_at_once(tmp_path / "data") == [schema.HEAD] * 3


def test_of_processes_that_find_an_older_database_at_once_one_copies_and_migrates_it(tmp_path: Path) -> None:
    store = releases.stored(tmp_path / "data", releases.many(300))
    store.close()
    _make_older(store)
    assert _opened_at_once(store.folder) == [schema.HEAD] * 3
    with closing(raw(store.folder / f"policyfeed.before-{schema.HEAD}.db")) as copy:
        assert copy.execute("SELECT version_num FROM alembic_version").fetchone() == ("0005",)


def _make_older(store: Store) -> None:
    with closing(raw(store)) as connection:
        connection.executescript("""
            ALTER TABLE sources DROP COLUMN remarks;
            DROP INDEX ix_articles_sort_time;
            UPDATE alembic_version SET version_num = '0005';
        """)


def _opened_at_once(folder: Path) -> list[str]:
    """The versions that three processes find after they have opened the database of a folder."""
    code = "import sys, pathlib; from policyfeed.store import Store; print(Store(pathlib.Path(sys.argv[1])).version())"
    command = [sys.executable, "-c", code, str(folder)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    return [process.communicate()[0].strip() for process in started]


# Rows -----------------------------------------------------------------------------------------------------------------


def test_articles_come_back_as_they_were(store: Store) -> None:
    made = releases.joint(3)
    with store.write() as tx:
        stored = articles.insert(tx, made.article)
        articles.save_verdict(tx, stored.number, made.verdict, NOW)
    with store.read() as tx:
        back = articles.judged(tx, [stored.number])[stored.number]
    assert back.verdict == made.verdict
    assert back.article == replace(made.article, number=stored.number, origins=back.article.origins)
    assert set(back.article.origins) == set(made.article.origins)


def test_what_an_article_said_at_first_is_kept_when_it_says_something_else(store: Store) -> None:
    first = releases.article(1, title="처음 제목")
    later = NOW + timedelta(days=1)
    with store.write() as tx:
        stored = articles.insert(tx, first)
        assert articles.history(tx, stored.number) == []
        second = replace(stored, title="고친 제목", revision=2, changed=NOW)
        assert articles.update(tx, second, revised=True) == 3
        assert articles.update(tx, replace(second, title="또 고친 제목", revision=3, changed=later), revised=True) == 2
        told = [(one["revision"], one["title"], one["seen"]) for one in articles.history(tx, stored.number)]
    assert told == [(1, "처음 제목", first.first_seen), (2, "고친 제목", NOW), (3, "또 고친 제목", later)]


def test_a_first_revision_that_is_there_already_is_not_kept_twice(store: Store) -> None:
    """Earlier versions stored it with the article."""
    with store.write() as tx:
        stored = articles.insert(tx, releases.article(1))
        said = {"title": stored.title, "summary": stored.summary, "content": stored.content}
        first = {"number": stored.number, "revision": 1, "seen": stored.first_seen, "source": "korea-kr", **said}
        tx.execute(schema.revisions.insert().values(first))
        assert articles.update(tx, replace(stored, title="고친 제목", revision=2, changed=NOW), revised=True) == 2
        assert [one["revision"] for one in articles.history(tx, stored.number)] == [1, 2]


def test_what_becomes_of_one_place_concerns_no_other(store: Store) -> None:
    with store.write() as tx:
        one, other = (articles.get(tx, [number := insert(tx, releases.article(n))])[number] for n in (1, 2))
        place, copy = one.origins[0], replace(one.origins[0], source="other-press")
        articles.add_origin(tx, one.number, copy)
        changed = replace(place, title="고친 제목", url="https://www.example.go.kr/moved/7", digest="e")
        articles.change_origin(tx, changed)
        found = articles.get(tx, [one.number, other.number])
        assert found[one.number].origins == (changed, copy)
        assert found[other.number].origins == other.origins
        articles.remove_origin(tx, place)
        found = articles.get(tx, [one.number, other.number])
        assert found[one.number].origins == (copy,)
        assert found[other.number].origins == other.origins


def test_only_what_a_source_lists_is_there_again(store: Store) -> None:
    later = NOW + timedelta(days=1)
    with store.write() as tx:
        numbers = [insert(tx, releases.article(number)) for number in (1, 2, 3)]
        for number in numbers[:2]:
            articles.withdraw(tx, number, NOW)
        before = articles.get(tx, numbers)
        keys = [one.origins[0].key for one in before.values()]
        assert articles.restore(tx, "other-press", keys, later) == []
        assert articles.restore(tx, "korea-kr", keys[1:], later) == numbers[1:2]
        after = articles.get(tx, numbers)
    assert (after[numbers[1]].withdrawn, after[numbers[1]].changed) == (None, later)
    assert [after[number] for number in (numbers[0], numbers[2])] == [before[numbers[0]], before[numbers[2]]]


def test_numbers_are_never_used_again(store: Store) -> None:
    with store.write() as tx:
        first = articles.insert(tx, releases.article(1))
    with closing(raw(store)) as connection:
        connection.executescript("DELETE FROM origins; DELETE FROM revisions; DELETE FROM articles;")
    with store.write() as tx:
        assert articles.insert(tx, releases.article(2)).number > first.number


def test_a_source_comes_back_as_it_was(store: Store) -> None:
    state = SourceState(
        id="a", fingerprint="f" * 64, validators=Validators(etag='W/"x;é"', last_modified="어제"), body_hash="b" * 64,
        cursor={"seen": {"7": "2026-05-20"}}, profile="{}", due=NOW, first_contact=NOW, last_poll=NOW,
        last_success=NOW, last_new=NOW, listed=7, failures=2, state="Blocked", since=NOW, error="막힘",
    )  # fmt: skip
    for _ in range(2):
        with store.write() as tx:
            sources.save(tx, state)
    with store.read() as tx:
        assert sources.get(tx, "a") == state
        assert sources.every(tx) == {"a": state}
        assert sources.get(tx, "b") == SourceState(id="b")


def test_a_naive_moment_is_not_stored(store: Store) -> None:
    naive = datetime(2026, 5, 20)  # noqa: DTZ001 - that is the point
    with pytest.raises(Exception, match="naive"), store.write() as tx:
        articles.insert(tx, releases.article(1, published=naive))


def test_an_article_id_and_an_origin_are_unique(store: Store) -> None:
    one = releases.article(1)
    with store.write() as tx:
        stored = articles.insert(tx, one)
    with pytest.raises(IntegrityError), store.write() as tx:
        articles.insert(tx, replace(releases.article(2), id=one.id))
    with pytest.raises(IntegrityError), store.write() as tx:
        articles.add_origin(tx, stored.number, one.origins[0])
    with store.read() as tx:
        assert articles.count(tx)["articles"] == 1


@pytest.mark.parametrize("table", ["origins", "revisions", "verdicts", "deliveries"])
def test_nothing_refers_to_an_article_that_is_not_there(store: Store, table: str) -> None:
    with store.write() as tx:
        stored = articles.insert(tx, releases.article(1))
        articles.save_verdict(tx, stored.number, releases.verdict(), NOW)
        outbox.owe(tx, [alerts.delivery(stored.number)])
        articles.update(tx, replace(stored, revision=2), revised=True)
    with pytest.raises(IntegrityError), store.write() as tx:
        tx.execute(schema.metadata.tables[table].update().values(number=999))
    with pytest.raises(IntegrityError), store.write() as tx:
        tx.execute(schema.articles.delete())


def test_a_transaction_is_all_or_nothing(store: Store) -> None:
    def half_done() -> None:
        with store.write() as tx:
            articles.insert(tx, releases.article(1))
            sources.save(tx, SourceState(id="a"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_done()
    with store.read() as tx:
        assert articles.count(tx)["articles"] == 0
        assert sources.every(tx) == {}


def test_a_reader_sees_one_moment(store: Store) -> None:
    with store.read() as before:
        assert before.execute(select(schema.articles.c.number)).all() == []
        with store.write() as tx:
            articles.insert(tx, releases.article(1))
        assert before.execute(select(schema.articles.c.number)).all() == []
    with store.read() as after:
        assert len(after.execute(select(schema.articles.c.number)).all()) == 1


def test_the_archive_is_paged_without_gap_or_repetition(tmp_path: Path) -> None:
    same_time = [releases.judged(number, published=NOW, first_seen=NOW, changed=NOW) for number in range(1, 251)]
    store = releases.stored(tmp_path, same_time)
    with store.read() as tx:
        whole = [one.article.number for one in articles.newest(tx, EVERYTHING, 1000)]
        assert whole == sorted(whole, reverse=True)
        assert len(whole) == 250
        paged = [one.article.number for page in range(6) for one in articles.newest(tx, EVERYTHING, 50, skip=page * 50)]
        assert paged == whole
        several = [
            (EVERYTHING, 120),
            (Selection(), 30),
            (EVERYTHING, 0),
            (EVERYTHING, 1),
            (Selection(words=("7",)), 5),
            (EVERYTHING, 1000),
        ]
        assert articles.newest_each(tx, several) == [articles.newest(tx, *one) for one in several]
        assert articles.newest(tx, EVERYTHING, 0) == []
        assert len(articles.newest(tx, EVERYTHING, 1000, since=NOW)) == 250
        assert articles.newest(tx, EVERYTHING, 1000, since=NOW + timedelta(seconds=1)) == []
    store.close()


@pytest.mark.parametrize("sought", ["²", "9" * 40, "-1", "", "'; DROP TABLE articles", "0x1", "%"])
def test_what_is_not_there_is_not_found(store: Store, sought: str) -> None:
    with store.write() as tx:
        articles.insert(tx, releases.article(1))
        assert articles.find(tx, sought) is None


def test_an_article_is_found_by_whatever_names_it(tmp_path: Path) -> None:
    store = releases.stored(tmp_path, [releases.joint(1)])
    one = releases.joint(1).article
    with store.read() as tx:
        for name in (
            "1",
            one.id,
            one.url,
            *(origin.key for origin in one.origins),
            *(place.url for place in one.origins),
        ):
            found = articles.find(tx, name)
            assert found is not None, name
            assert found.article.number == 1
    store.close()


def test_an_article_is_found_by_the_address_that_a_browser_shows(tmp_path: Path) -> None:
    origin = replace(releases.article(1).origins[0], key="korea.kr/156762000", url=f"{VIEW}?newsId=156762000")
    store = releases.stored(tmp_path, [releases.judged(origins=(origin,))])
    with store.read() as tx:
        for shown in ("?newsId=156762000&pageIndex=3&srchWord=", "?srchKey=&newsId=156762000#goList"):
            for view in (VIEW, VIEW.replace("https://www.", "http://m.")):
                assert articles.find(tx, view + shown) is not None, view + shown
        assert articles.find(tx, f"{VIEW}?newsId=156762001") is None
    store.close()


STORED_TITLES = (
    ("mcee", "여름철 녹조 저감 대책 3건 발표"),
    ("mcee", "여름철 녹조 저감 대책 4건 발표"),
    ("moel", "여름철 녹조 저감 대책 3건을 발표"),
    ("moel", "[참고] 폭염 대비 점검"),
    ("mcee", "폭염 대비 점검 - 전국 세 곳"),
    ("both", "녹조 저감 대책 3건 발표한다"),
)


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("여름철 녹조 저감 대책 3건 공개", {1, 6}),  # its ministry's and joint ones with the same numbers
        ("폭염 대비 점검", {4, 5}),  # equal elsewhere, and a title that goes on
        ("폭염 대비 점검 — 서울", {4, 5}),  # the title that it goes on from, and one without numbers
        ("전혀 다른 이야기 3건", {1, 6}),
        ("전혀 다른 이야기", {5}),
        ("전혀 다른 공모", set()),
    ],
)
def test_titles_that_can_be_alike_are_found(store: Store, title: str, found: set[int]) -> None:
    bodies = {"mcee": (releases.CLIMATE,), "moel": (releases.LABOUR,), "both": (releases.LABOUR, releases.CLIMATE)}
    with store.write() as tx:
        for number, (body, stored) in enumerate(STORED_TITLES, 1):
            one = releases.article(number, title=stored, ministry=bodies[body][0], ministries=bodies[body])
            articles.insert_all(tx, [one])
        near = articles.titles(tx, NOW - timedelta(days=2), NOW + timedelta(days=2), ["mcee"], [title])
        assert {number for number, _, _ in near} == found
        assert articles.titles(tx, NOW + timedelta(days=2), NOW + timedelta(days=3), ["mcee"], [title]) == []


@pytest.mark.parametrize("like", [["폭염"], ["폭염 - 서울"], ["폭염 1건", "녹조 - 금강", "개최"]], ids=len)
@pytest.mark.parametrize("ministries", [["mcee"], ["mcee", "moel", "me"]], ids=len)
def test_titles_are_looked_up_by_their_marks_and_not_by_days(
    store: Store, ministries: list[str], like: list[str]
) -> None:
    asked = list[str]()
    with store.read() as tx:
        driver: Any = tx.connection.dbapi_connection
        driver.set_trace_callback(asked.append)
        articles.titles(tx, NOW - timedelta(days=2), NOW + timedelta(days=2), ministries, like)
        driver.set_trace_callback(None)
        (found,) = (sql for sql in asked if sql.startswith("SELECT articles"))
        plan = [step[3] for step in driver.execute(f"EXPLAIN QUERY PLAN {found}")]
    searches = [step for step in plan if "articles" in step]
    assert len(searches) == 4
    assert all(re.search(r"SEARCH .*_mark=\? AND sort_time>\?", step) for step in searches), plan


def test_thousands_of_keys_may_be_asked_for_at_once(store: Store) -> None:
    with store.write() as tx:
        articles.insert(tx, releases.article(7))
        keys = [f"korea.kr/{number}" for number in range(40_000)]
        assert list(articles.by_keys(tx, keys)) == ["korea.kr/7"]
        assert [(place, key) for place, key, *_ in articles.places(tx, keys)] == [("korea-kr", "korea.kr/7")]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 8, 9])
def test_lists_of_any_length_are_asked_for_as_they_are(store: Store, count: int) -> None:
    table = schema.hosts
    chosen = Prepared(
        select(table.c.name, table.c.refusals).where(table.c.name.in_(bindparam("names", expanding=True)))
    )
    names = [f"h{number}" for number in range(9)]
    with store.write() as tx:
        rows = [{"name": name, "refusals": at, "paused_until": NOW} for at, name in enumerate(names)]
        insertion(table).run_all(tx, rows)
        assert sorted(chosen.rows(tx, names=names[:count])) == [(name, at) for at, name in enumerate(names[:count])]
        first = Prepared(select(table).where(table.c.name == bindparam("wanted"))).first(tx, wanted="h1")
        assert first == rows[1]


def test_works_that_are_flushed_together_fail_alone_and_see_what_was_done(store: Store) -> None:
    insert = insertion(schema.hosts)

    def work(name: str, wrong: bool) -> str:
        with store.write() as tx:
            insert.run(tx, name=name, refusals=0, paused_until=NOW)
            if wrong:
                insert.run(tx, name=name, refusals=1, paused_until=NOW)
        return name

    def seen() -> int:
        with store.read() as tx:
            return len(Prepared(select(schema.hosts.c.name)).rows(tx))

    outcomes = store.together([partial(work, "a", False), partial(work, "b", True), partial(work, "c", False), seen])
    assert [result for result, _ in outcomes] == ["a", None, "c", 2]
    assert [type(error) for _, error in outcomes] == [type(None), IntegrityError, type(None), type(None)]
    assert seen() == 2


def test_reading_together_keeps_nobody_from_writing(store: Store) -> None:
    def read() -> int:
        with store.read() as tx:
            hosts = len(Prepared(select(schema.hosts.c.name)).rows(tx))
        with closing(raw(store)) as other:
            other.execute("PRAGMA busy_timeout = 0")
            other.execute("INSERT INTO hosts VALUES ('elsewhere', 0, '2026-05-20 00:00:00.000000')")
            other.commit()
        return hosts

    assert store.together([read]) == [(0, None)]
    with store.read() as tx:
        assert len(Prepared(select(schema.hosts.c.name)).rows(tx)) == 1


async def test_what_waits_to_be_written_when_the_thread_is_closed_is_not_begun(store: Store) -> None:
    done, faults = list[int](), list[dict[str, Any]]()
    asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault))
    db = WriterThread(store)
    first, second = db(done.append, 1), db(done.append, 2)
    second.cancel()  # as the daemon does when it stops
    db.close()
    await first
    assert (done, faults) == ([1], [])


# Trouble --------------------------------------------------------------------------------------------------------------


def test_a_file_in_the_folders_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    for folder in (tmp_path / "data", tmp_path / "data" / "deeper"):
        with pytest.raises(OutputError, match="POLICYFEED_DATA"):
            Store(folder)
    with pytest.raises(OutputError), working_alone(tmp_path / "data"):
        pass


def test_who_waits_in_vain_for_another_process_is_told_what_it_may_be_doing(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as one, closing(Store(tmp_path)) as other:

        def outdated() -> None:
            with one.read() as tx:
                articles.count(tx)
                with other.write() as theirs:
                    sources.save(theirs, SourceState(id="theirs"))
                sources.save(tx, SourceState(id="ours"))  # SQLite refuses at once: this snapshot is not the newest

        with pytest.raises(StoreError, match=r"is locked: another process .*migrating"):
            outdated()


def test_a_folder_in_the_locks_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "daemon.lock").mkdir()
    with pytest.raises(OutputError, match=r"daemon\.lock"), working_alone(tmp_path):
        pass


def test_a_folder_in_the_databases_place_is_said(tmp_path: Path) -> None:
    (tmp_path / database.FILE).mkdir()
    with pytest.raises(StoreError, match=r"policyfeed\.db"):
        Store(tmp_path)


def test_a_database_that_is_not_there_is_made_only_where_that_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no database"):
        Store(tmp_path / "var", create=False)
    assert not (tmp_path / "var").exists()
    Store(tmp_path / "var").close()
    Store(tmp_path / "var", create=False).close()


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / database.FILE
    file.write_text("아무 글이나 적힌 파일\n" * 100, encoding="utf-8")
    with pytest.raises(StoreError, match="restore a backup"):
        Store(tmp_path)
    assert file.read_text(encoding="utf-8").startswith("아무 글이나")


def test_a_damaged_database_is_said(tmp_path: Path) -> None:
    store = releases.stored(tmp_path, releases.many(200))
    store.close()
    with closing(raw(store)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = store.file.read_bytes()
    store.file.write_bytes(data[: 4096 * 3] + b"\xa5" * (len(data) - 4096 * 3))

    def read_all() -> None:
        with closing(Store(tmp_path)) as damaged, damaged.read() as tx:
            articles.newest(tx, EVERYTHING, 1000)

    with pytest.raises(StoreError, match="restore a backup"):
        read_all()


FILL = """
import resource, signal, sys, pathlib
from policyfeed.errors import StoreError
from policyfeed.store import Store, articles
from tests import releases
store = Store(pathlib.Path(sys.argv[1]))
with store.write() as tx:
    articles.insert(tx, releases.article(1))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
failed = 0
for number in range(2, 12):
    try:
        with store.write() as tx:
            articles.insert(tx, releases.article(number, content="가" * 60_000))
    except StoreError as problem:
        failed += 1
        assert problem.remedy
assert failed, "the limit was never reached"
"""


def test_a_full_disk_loses_nothing_that_was_stored(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FILL, str(tmp_path)],
        capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    store = Store(tmp_path)
    with store.write() as tx:
        kept = articles.count(tx)["articles"]
        assert 1 <= kept < 11
        articles.insert(tx, releases.article(99))
    assert store.verify() == []
    store.close()


@pytest.fixture
def full(store: Store) -> Store:
    """A store whose file may not grow any more, as on a full disk."""
    with store.write() as tx:
        articles.insert(tx, releases.article(1))
        pages = tx.execute(text("PRAGMA page_count")).scalar()
        tx.execute(text(f"PRAGMA max_page_count = {pages}"))
    return store


def test_a_full_disk_is_named_and_work_goes_on_when_there_is_space(full: Store) -> None:
    big = releases.article(2, content="가" * 500_000)
    with pytest.raises(StoreError, match="Free some space"), full.write() as tx:
        articles.insert(tx, big)
    with full.read() as tx:
        assert articles.count(tx)["articles"] == 1
    again = reopened(full)
    with again.write() as tx:
        articles.insert(tx, big)
    again.close()


def test_a_full_disk_is_named_to_all_that_were_to_be_flushed_together_and_none_is_stored(full: Store) -> None:
    def work(number: int, characters: int) -> None:
        with full.write() as tx:
            articles.insert_all(tx, [releases.article(number, content="가" * characters)])

    outcomes = full.together([partial(work, 2, 1), partial(work, 3, 500_000), partial(work, 4, 1)])
    assert [(result, str(error)) for result, error in outcomes] == [(None, str(outcomes[0][1]))] * 3
    assert "disk is full" in str(outcomes[0][1])
    assert "Free some space" in str(outcomes[0][1])
    with full.read() as tx:
        assert articles.count(tx)["articles"] == 1
    assert full.together([partial(work, 5, 1)]) == [(None, None)]


def test_a_backup_is_a_whole_database(tmp_path: Path) -> None:
    store = releases.stored(tmp_path / "data", releases.many(5))
    store.backup(tmp_path / "copy.db")
    store.close()
    with closing(raw(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT count(*) FROM articles").fetchone() == (5,)


@pytest.mark.parametrize("name", ["policyfeed.db", "policyfeed.db-wal", "policyfeed.db-journal", "backfill.lock"])
def test_a_backup_never_takes_the_place_of_the_database(tmp_path: Path, name: str) -> None:
    store = Store(tmp_path / "data")
    (tmp_path / "linked").symlink_to("data")
    (tmp_path / "link.db").symlink_to(tmp_path / "data" / name)
    for to in (tmp_path / "linked" / name, tmp_path / "data" / ".." / "data" / name, tmp_path / "link.db"):
        with pytest.raises(UsageError):
            store.backup(to)
    store.backup(tmp_path / name)
    assert store.verify() == []
    store.close()


def test_files_beside_a_database_that_is_a_link_are_its_own_too(tmp_path: Path) -> None:
    Store(tmp_path / "disk").close()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "policyfeed.db").symlink_to(tmp_path / "disk" / "policyfeed.db")
    store = Store(tmp_path / "data")
    with pytest.raises(UsageError):
        store.backup(tmp_path / "disk" / "policyfeed.db-wal")
    store.close()


def test_a_backup_that_cannot_be_written_is_said(store: Store, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"nowhere.* Its folder must be there"):
        store.backup(tmp_path / "nowhere" / "copy.db")


def test_a_backup_to_a_folder_wants_a_files_name_and_leaves_nothing(store: Store, tmp_path: Path) -> None:
    (tmp_path / "copies").mkdir()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(UsageError, match="Name the file in it"):
        store.backup(tmp_path / "copies")
    assert sorted(tmp_path.iterdir()) == before


# Working alone --------------------------------------------------------------------------------------------------------

HOLD = (
    "import sys, pathlib; from policyfeed.store import working_alone\n"
    "with working_alone(pathlib.Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
)


@contextmanager
def _another_at_work(folder: Path) -> Iterator[int]:
    """A process that holds the folder, by its id."""
    command = [sys.executable, "-c", HOLD, str(folder)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield holder.pid
    finally:
        holder.kill()
        holder.communicate()


def test_a_second_process_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    with _another_at_work(tmp_path) as pid:
        with pytest.raises(AlreadyRunning, match=f"process {pid}"), working_alone(tmp_path):
            pass
        with closing(Store(tmp_path)) as opened, opened.read() as tx:
            assert articles.count(tx)["articles"] == 0
    with working_alone(tmp_path):
        assert (tmp_path / "daemon.lock").read_text().strip() == str(os.getpid())


def test_a_database_is_not_migrated_while_another_process_works_on_it(store: Store) -> None:
    """An older daemon would write on what has another meaning since: it closed channels like that."""
    store.close()
    _make_older(store)
    with _another_at_work(store.folder) as pid:
        with pytest.raises(AlreadyRunning, match=rf"process {pid}.*Restart that"):
            Store(store.folder)
        (store.folder / "daemon.lock").write_text(f"{os.getpid()}\n")  # in a container of its own it has our id
        with pytest.raises(AlreadyRunning):
            Store(store.folder)
    assert sorted(file.name for file in store.folder.glob("*.db*")) == [database.FILE]
    with working_alone(store.folder):  # as the daemon itself
        migrated = Store(store.folder)
    assert migrated.version() == schema.HEAD
    migrated.close()


def test_a_killed_holder_blocks_nobody(tmp_path: Path) -> None:
    (tmp_path / "daemon.lock").write_text("1\n")
    with working_alone(tmp_path), pytest.raises(AlreadyRunning), working_alone(tmp_path):
        pass
    with working_alone(tmp_path):
        pass


def test_an_explanation_leads_to_the_release_that_it_names(store: Store) -> None:
    named = article(1, title="하천 유역 탄소중립 시범사업 3곳 선정", origins=())
    old = article(2, title="하천 유역 탄소중립 시범사업 3곳 선정", origins=(), published=NOW - timedelta(days=300))
    text = "일부 언론은 '하천 유역 탄소중립 시범사업 3곳 선정' 보도자료에 오류가 있다고 보도했으나 사실이 아닙니다."
    explains = article(3, title="시범사업 선정은 공정했습니다", summary=text, kind=Kind.EXPLANATION, origins=())
    with store.write() as tx:
        numbers = [insert(tx, one) for one in (named, old)]
        numbers.append(articles.reserve(tx))
        articles.insert_all(tx, [replace(explains, number=numbers[2])])
        articles.insert_verdicts(tx, {numbers[2]: Verdict(kept=True)}, NOW)
        found = articles.get(tx, numbers)
        assert [(one.number, one.title) for one in found[numbers[2]].answers] == [(numbers[0], named.title)]
        assert found[numbers[0]].answers == ()
        assert [one.number for one in answers.to(tx, numbers[0])] == [numbers[2]]
        assert answers.to(tx, numbers[1]) == ()


def test_an_explanation_that_was_seen_before_the_release_leads_to_it_too(store: Store) -> None:
    text = "일부 언론은 '하천 유역 탄소중립 시범사업 3곳 선정' 보도자료에 오류가 있다고 보도했으나 사실이 아닙니다."
    explains = article(1, title="시범사업 선정은 공정했습니다", summary=text, kind=Kind.EXPLANATION, origins=())
    named = article(2, title="하천 유역 탄소중립 시범사업 3곳 선정", origins=(), published=NOW - timedelta(days=2))
    later = replace(named, published=NOW + timedelta(days=1))
    old = replace(named, published=NOW - timedelta(days=300))
    other = replace(named, title="상수원 수질 개선 사업 2곳 선정")
    with store.write() as tx:
        first, *numbers = (
            insert(tx, replace(one, id=f"urn:{n}")) for n, one in enumerate((explains, named, later, old, other))
        )
        assert [one.number for one in articles.get(tx, [first])[first].answers] == [numbers[0]]
        assert [one.number for one in answers.to(tx, numbers[0])] == [first]


def test_what_an_explanation_names_only_in_its_text_is_found_when_the_text_comes(store: Store) -> None:
    named = article(1, title="하천 유역 탄소중립 시범사업 3곳 선정", origins=())
    explains = article(2, title="시범사업 선정은 공정했습니다", kind=Kind.EXPLANATION, origins=())
    with store.write() as tx:
        first, second = (insert(tx, one) for one in (named, explains))
        assert articles.get(tx, [second])[second].answers == ()
        whole = replace(explains, number=second, content=f"<p>「{named.title}」 자료(5.19)를 설명드립니다.</p>")
        for _ in range(2):
            articles.complete(tx, whole)
        assert [one.number for one in articles.get(tx, [second])[second].answers] == [first]


def test_a_database_without_a_column_is_not_sound(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with closing(sqlite3.connect(store.file)) as damaging:
        damaging.execute("ALTER TABLE articles DROP COLUMN licence")
    assert store.verify() == ["articles has no column licence"]
    store.close()
