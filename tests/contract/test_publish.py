"""Publishing to a folder: whole files, only what changed, and nothing lost when a file cannot be written."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import feedparser
import pytest

from policyfeed import formats, laid_out, metrics, publish, store
from policyfeed.errors import OutputError
from policyfeed.publish import PublishReport
from policyfeed.store import Store
from policyfeed.types import Judged, Reason
from tests import releases
from tests.releases import NOW

LATER = NOW + timedelta(hours=2)
FEEDS = (releases.feed(), releases.EVERYTHING)
FILES = ("feeds/esg.atom", "feeds/esg.json", "feeds/esg.rss", "feeds/all.atom", "feeds/all.json", "feeds/all.rss")


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Store]:
    opened = releases.stored(tmp_path / "var", releases.many(12))
    yield opened
    opened.close()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def _state(out: Path) -> dict[str, tuple[bytes, int, int]]:
    files = (file for file in out.rglob("*") if file.is_file())
    return {
        str(file.relative_to(out)): (file.read_bytes(), file.stat().st_mtime_ns, file.stat().st_ino) for file in files
    }


def _add(opened: Store, number: int, **changes: object) -> None:
    with opened.write() as tx:
        kept = store.articles.insert(tx, releases.article(number, **changes))
        store.articles.save_verdict(tx, kept.number, releases.verdict(), NOW)


def test_every_feed_is_written_in_every_format(opened: Store, out: Path) -> None:
    report = publish.publish(opened, FEEDS, out, NOW)
    assert report == PublishReport(written=FILES)
    assert sorted(_state(out)) == sorted(FILES)
    kept = [entry.id for entry in feedparser.parse((out / "feeds/esg.atom").read_bytes()).entries]
    assert kept == [releases.article(number).id for number in (12, 11, 9, 8, 7, 6, 4, 3, 2, 1)]


def test_a_file_is_as_old_as_its_last_change(opened: Store, out: Path) -> None:
    publish.publish(opened, FEEDS, out, NOW)
    assert (out / "feeds/esg.atom").stat().st_mtime == NOW.timestamp()
    with opened.read() as tx:
        state = store.feeds.published(tx, "esg", "atom")
    assert state
    assert state.changed == NOW
    assert state.sha256 == hashlib.sha256((out / "feeds/esg.atom").read_bytes()).hexdigest()


def test_no_file_stays_open(opened: Store, out: Path) -> None:
    """A daemon publishes for years."""
    publish.publish(opened, FEEDS, out, NOW)
    before = len(list(Path("/proc/self/fd").iterdir()))
    _add(opened, 99)
    assert publish.publish(opened, FEEDS, out, LATER).written == FILES
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_nothing_is_touched_while_nothing_changed(opened: Store, out: Path) -> None:
    publish.publish(opened, FEEDS, out, NOW)
    before = _state(out)
    for hours in range(20):
        report = publish.publish(opened, FEEDS, out, LATER + timedelta(hours=hours))
        assert report == PublishReport(unchanged=FILES)
    assert _state(out) == before


def test_only_feeds_that_take_the_new_article_are_written(opened: Store, out: Path) -> None:
    publish.publish(opened, FEEDS, out, NOW)
    with opened.write() as tx:
        kept = store.articles.insert(tx, releases.article(15))
        store.articles.save_verdict(tx, kept.number, releases.DROPPED, NOW)
    report = publish.publish(opened, FEEDS, out, LATER)
    assert report.written == ("feeds/all.atom", "feeds/all.json", "feeds/all.rss")
    assert (out / "feeds/esg.atom").stat().st_mtime == NOW.timestamp()
    assert (out / "feeds/all.atom").stat().st_mtime == LATER.timestamp()


def _laid_out() -> dict[str, float]:
    return {extension: metrics.ENTRIES_LAID_OUT.labels(extension)._value.get() for extension in publish.formats()}


def test_only_entries_of_new_and_changed_articles_are_laid_out(opened: Store, out: Path) -> None:
    publish.publish(opened, FEEDS, out, NOW)
    before = _laid_out()
    _add(opened, 16, title="탄소중립 이행 점검, 처음 보는 제목")
    with opened.write() as tx:
        one = store.articles.get(tx, [3])[3]
        store.articles.update(tx, replace(one, title="고친 제목, 처음 보는", revision=2, changed=LATER), revised=True)
    publish.publish(opened, FEEDS, out, LATER)
    assert {extension: count - before[extension] for extension, count in _laid_out().items()} == dict.fromkeys(
        before, 2
    )
    formats.ENTRIES.clear()
    publish.publish(opened, FEEDS, out / "anew", LATER)
    assert all((out / "anew" / file).read_bytes() == (out / file).read_bytes() for file in FILES)


def test_what_no_feed_holds_any_more_is_forgotten(opened: Store, out: Path) -> None:
    """A daemon publishes for years."""
    formats.ENTRIES.clear()
    for revision in range(2, 12):
        with opened.write() as tx:
            one = replace(store.articles.get(tx, [3])[3], title=f"고친 제목 {revision:02}", revision=revision)
            store.articles.update(tx, replace(one, changed=LATER + timedelta(hours=revision)), revised=True)
        publish.publish(opened, FEEDS, out, LATER)
    after = formats.ENTRIES.size
    formats.ENTRIES.clear()
    publish.publish(opened, FEEDS, out / "anew", LATER)
    assert after == formats.ENTRIES.size > 0


def test_entries_that_are_kept_have_a_bound(opened: Store, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laid_out, "MOST", 20_000)
    formats.ENTRIES.clear()
    publish.publish(opened, FEEDS, out, NOW)
    assert 0 < formats.ENTRIES.size <= 20_000
    before = {file: (out / file).read_bytes() for file in FILES}
    formats.ENTRIES.clear()
    publish.publish(opened, FEEDS, out / "anew", NOW)
    assert {file: (out / "anew" / file).read_bytes() for file in FILES} == before


def test_numbers_that_python_hashes_alike_are_told_apart() -> None:
    pages = set()
    for points in (-1.0, -2.0):
        reasons = (Reason(rule="term", points=points, term="탄소중립", field="title", offset=0),)
        judged = Judged(article=releases.article(3), verdict=replace(releases.verdict(), reasons=reasons))
        pages.add(publish.formats()["json"].render(releases.feed(), [judged]).body)
    assert len(pages) == 2


@pytest.mark.parametrize("what", ["revised", "judged anew", "renamed", "another origin"])
def test_whatever_a_feed_shows_changes_it(opened: Store, out: Path, what: str) -> None:
    feed = releases.feed()
    publish.publish(opened, [feed], out, NOW)
    with opened.write() as tx:
        if what == "revised":
            one = store.articles.get(tx, [3])[3]
            store.articles.update(tx, replace(one, title="고친 제목", revision=2, changed=LATER), revised=True)
        elif what == "judged anew":
            store.articles.save_verdict(tx, 3, releases.verdict(score=40.0), LATER)
        elif what == "another origin":
            origin = replace(releases.article(3).origins[0], source="mcee", url="https://mcee.example/3")
            store.articles.add_origin(tx, 3, origin)
        else:
            feed = releases.feed(title="새 이름")
    report = publish.publish(opened, [feed], out, LATER)
    assert "feeds/esg.atom" in report.written


def test_settings_that_do_not_show_leave_the_file_alone(opened: Store, out: Path) -> None:
    publish.publish(opened, [releases.feed()], out, NOW)
    before = _state(out)
    report = publish.publish(opened, [releases.feed(limit=100)], out, LATER)
    assert report.unchanged == ("feeds/esg.atom", "feeds/esg.json", "feeds/esg.rss")
    assert _state(out) == before


def test_a_lost_or_damaged_file_is_written_again_with_its_old_time(opened: Store, out: Path) -> None:
    publish.publish(opened, FEEDS, out, NOW)
    before = _state(out)
    (out / "feeds/esg.atom").unlink()
    (out / "feeds/all.atom").write_bytes(b"<feed>")
    report = publish.publish(opened, FEEDS, out, LATER)
    assert report.written == ("feeds/esg.atom", "feeds/all.atom")
    assert {name: state[:2] for name, state in _state(out).items()} == {
        name: state[:2] for name, state in before.items()
    }


def test_readers_of_the_old_file_are_not_disturbed(opened: Store, out: Path) -> None:
    publish.publish(opened, FEEDS, out, NOW)
    old = (out / "feeds/esg.atom").read_bytes()
    with (out / "feeds/esg.atom").open("rb") as reader:
        _add(opened, 20)
        publish.publish(opened, FEEDS, out, LATER)
        assert reader.read() == old
    assert (out / "feeds/esg.atom").read_bytes() != old


def test_a_poisoned_article_is_named_and_the_rest_is_published(opened: Store, out: Path) -> None:
    _add(opened, 20, url="javascript:alert(1)")
    report = publish.publish(opened, [releases.feed(base_url="")], out, NOW)
    assert ("feeds/esg.atom", 13, "it has no http(s) link") in report.left_out
    assert len(feedparser.parse((out / "feeds/esg.atom").read_bytes()).entries) == 10


def test_a_file_that_cannot_be_written_is_an_error_and_the_others_are_written(opened: Store, out: Path) -> None:
    (out / "feeds/esg.rss").mkdir(parents=True)
    with pytest.raises(OutputError) as caught:
        publish.publish(opened, FEEDS, out, NOW)
    assert str(out / "feeds/esg.rss") in str(caught.value)
    assert "write access" in caught.value.remedy
    files = set(_state(out))
    assert files == set(FILES) - {"feeds/esg.rss"}
    with opened.read() as tx:
        assert store.feeds.published(tx, "all", "rss")
        assert store.feeds.published(tx, "esg", "rss") is None


def test_a_folder_that_cannot_be_made_is_an_error(opened: Store, out: Path) -> None:
    out.write_text("a file where a folder should be")
    with pytest.raises(OutputError, match="could not be written"):
        publish.publish(opened, FEEDS, out, NOW)


_CUT = """
import resource, sys
from pathlib import Path
from policyfeed.errors import OutputError
from policyfeed.publish import publish
from policyfeed.store import Store
from tests import releases
opened = Store(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (3_000, 3_000))
try:
    publish(opened, [releases.feed(title="다른 이름")], Path(sys.argv[2]), releases.NOW)
except OutputError as problem:
    print(problem)
    sys.exit(3)
"""


def test_a_write_that_is_cut_off_leaves_the_old_file(opened: Store, out: Path, tmp_path: Path) -> None:
    publish.publish(opened, [releases.feed()], out, NOW)
    before = _state(out)
    command = [sys.executable, "-c", _CUT, str(tmp_path / "var"), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": "."})
    assert done.returncode == 3, done.stderr
    assert f"{out / 'feeds/esg.atom'} could not be written: File too large." in done.stdout
    assert _state(out) == before


def test_what_a_killed_publisher_left_is_swept(opened: Store, out: Path) -> None:
    (out / "feeds").mkdir(parents=True)
    old, fresh = out / "feeds/.esg.atom.abc.part", out / "feeds/.esg.atom.def.part"
    for file, time in ((old, NOW - timedelta(hours=2)), (fresh, NOW)):
        file.write_bytes(b"half")
        os.utime(file, (time.timestamp(), time.timestamp()))
    publish.publish(opened, FEEDS, out, NOW)
    assert not old.exists()
    assert fresh.exists()


def test_pages_lie_beside_the_feeds(opened: Store, out: Path) -> None:
    pages: dict[str, publish.Page] = {"index.html": lambda tx: f"{store.articles.count(tx)['kept']}건".encode()}
    assert "index.html" in publish.publish(opened, FEEDS, out, NOW, pages).written
    assert (out / "index.html").read_text() == "10건"
    assert "index.html" in publish.publish(opened, FEEDS, out, LATER, pages).unchanged


def test_files_for_another_server_and_our_own_leave_each_other_alone(opened: Store, out: Path) -> None:
    """They differ: files lead to no pages of ours."""
    files = [replace(feed, pages=False) for feed in FEEDS]
    for hours in range(3):
        publish.publish(opened, FEEDS, out / "own", NOW + timedelta(hours=hours))
        publish.publish(opened, files, out / "files", NOW + timedelta(hours=hours))
    own, there = _state(out / "own"), _state(out / "files")
    assert {name: time for name, (_, time, _) in (own | there).items()} == dict.fromkeys(FILES, NOW.timestamp() * 1e9)
    assert b"/articles/" in own["feeds/esg.atom"][0]
    assert b"/articles/" not in there["feeds/esg.atom"][0]
