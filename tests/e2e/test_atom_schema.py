"""Every Atom feed is valid by the grammar of RFC 4287, as Debian's jing reads it; ids are unique."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from lxml import etree

from policyfeed import publish
from policyfeed.types import Judged
from tests import releases
from tests.needs import needs

GRAMMAR = Path(__file__).parents[1] / "cases" / "schemas" / "atom.rnc"
ATOM = "{http://www.w3.org/2005/Atom}"


def _valid(*files: Path) -> bool:
    command = (needs("jing"), "-c", str(GRAMMAR), *map(str, files))
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode == 0


def _awkward() -> list[Judged]:
    """Releases that lack something, or have too much of it."""
    return [
        releases.judged(101, published=None, summary="", content=""),
        releases.judged(102, title="", attachments=(), url=""),
        releases.judged(103, title='<b>탄소중립</b> & 제3차 "기본계획" ]]> 확정', content="<p>가나다</p>" * 500),
        releases.judged(104, withdrawn=releases.NOW + timedelta(hours=2), revision=3),
        releases.judged(105, url="https://www.moel.go.kr/news/view.do?a=1&b=고용 노동\u0001", department=""),
        releases.joint(106),
    ]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The Atom files of a store: full, titles only, and empty."""
    folder = tmp_path_factory.mktemp("atom")
    store = releases.stored(folder / "var", [*releases.many(30), *_awkward()])
    empty = replace(releases.EVERYTHING.selection, words=("그런 낱말은 없다",))
    feeds = (
        releases.feed(),
        releases.EVERYTHING,
        releases.feed(name="titles", id="tag:policyfeed.example,2026:feeds/titles", content=False, language="en"),
        releases.feed(name="empty", id="tag:policyfeed.example,2026:feeds/empty", selection=empty),
    )
    publish.publish(store, feeds, folder / "out", releases.NOW)
    store.close()
    return sorted((folder / "out").rglob("*.atom"))


def test_every_feed_is_valid(published: list[Path]) -> None:
    assert len(published) == 4
    assert _valid(*published)


def test_ids_are_unique_and_entries_are_there(published: list[Path]) -> None:
    entries = {path.stem: etree.parse(path).getroot().findall(f"{ATOM}entry") for path in published}
    for name, found in entries.items():
        ids = Counter(entry.findtext(f"{ATOM}id") for entry in found)
        assert set(ids.values()) <= {1}, name
    assert len(entries["all"]) > len(entries["esg"]) > 20
    assert entries["empty"] == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda body: body.replace(b"<updated>", b"<updated>on ", 1),
        lambda body: body.replace(b"<title>", b"<title>x</title><title>", 1),
        lambda body: body.replace(b"<entry>", b"<entry><published>2026-05-20</published>", 1),
        lambda body: body.replace(b' rel="self"', b' relation="self"', 1),
    ],
    ids=["a date that is none", "two titles", "a day for a time", "an unknown attribute"],
)
def test_an_invalid_feed_would_be_noticed(
    published: list[Path], tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    good = next(path for path in published if path.stem == "esg").read_bytes()
    damaged = tmp_path / "damaged.atom"
    damaged.write_bytes(damage(good))
    assert damaged.read_bytes() != good
    assert not _valid(damaged)
