"""Publish: every feed in every format into a folder, only what changed, so that a file is whole at every moment.

The folder is ``feeds/{name}.{extension}`` and the pages that the caller adds (the static board). A file's time is the
moment when its bytes last changed: web servers take Last-Modified from it.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import structlog

from policyfeed import __version__, metrics, registry, store
from policyfeed.errors import OutputError
from policyfeed.formats import Feed, Format, Rendered
from policyfeed.store import Store, Transaction
from policyfeed.store.feeds import FeedState
from policyfeed.types import Judged

log = structlog.get_logger(__name__)

_ABANDONED = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishReport:
    """What a round of publishing did; names are relative to the folder (``feeds/esg.atom``).

    ``left_out`` holds (file, article number, why) of the articles that a file rendered now could not carry.
    """

    written: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    left_out: tuple[tuple[str, int, str], ...] = ()


Page = Callable[[Transaction], bytes]
"""Renders one further file of the folder from what is stored."""


@cache
def formats() -> Mapping[str, Format]:
    """Extension → format, for every module of the folder and every installed one."""
    modules = (registry.load("formats", name) for name in registry.names("formats"))
    return {module.EXTENSION: module for module in modules}


def publish(
    opened: Store, feeds: Sequence[Feed], out: Path, now: datetime, pages: Mapping[str, Page] | None = None
) -> PublishReport:
    """Write what changed. A file that cannot be written keeps its old bytes and the others are still written.

    Raises OutputError for the first file that could not be written, when all others are done.
    """
    round_ = _Round(out=out, now=now)
    round_.sweep()
    with opened.read() as tx:
        chosen = store.articles.newest_each(tx, [(feed.selection, feed.limit) for feed in feeds])
        for feed, articles in zip(feeds, chosen, strict=True):
            round_.feed(tx, feed, articles)
        for name, page in (pages or {}).items():
            round_.place(name, page(tx), now)
    if round_.states:
        with opened.write() as tx:
            for (name, extension), state in round_.states.items():
                store.feeds.save(tx, name, extension, state)
    if round_.failures:
        raise round_.failures[0]
    return PublishReport(
        written=tuple(round_.written), unchanged=tuple(round_.unchanged), left_out=tuple(round_.left_out)
    )


@dataclass(slots=True, kw_only=True)
class _Round:
    """One round in progress."""

    out: Path
    now: datetime
    written: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    left_out: list[tuple[str, int, str]] = field(default_factory=list)
    states: dict[tuple[str, str], FeedState] = field(default_factory=dict)
    failures: list[OutputError] = field(default_factory=list)

    def feed(self, tx: Transaction, feed: Feed, articles: Sequence[Judged]) -> None:
        digest = _digest(feed, articles)
        for extension, format_ in formats().items():
            name = f"feeds/{feed.name}.{extension}"
            last = store.feeds.published(tx, feed.name, extension)
            if last and last.digest == digest and _hash_of(self.out / name) == last.sha256:
                self.unchanged.append(name)
                continue
            rendered = self._render(format_, name, feed, articles)
            sha256 = hashlib.sha256(rendered.body).hexdigest()
            changed = last.changed if last and last.sha256 == sha256 else self.now
            if self.place(name, rendered.body, changed):
                self.states[feed.name, extension] = FeedState(sha256=sha256, digest=digest, changed=changed)

    def _render(self, format_: Format, name: str, feed: Feed, articles: Sequence[Judged]) -> Rendered:
        with metrics.RENDER_SECONDS.labels(format_.EXTENSION).time():
            rendered = format_.render(feed, articles)
        for number, problem in rendered.left_out:
            log.warning("article left out of a feed", file=name, article=number, why=problem)
            metrics.LEFT_OUT.labels(feed.name).inc()
            self.left_out.append((name, number, problem))
        return rendered

    def place(self, name: str, body: bytes, changed: datetime) -> bool:
        """Write a file unless it already holds these bytes; False = it could not be written."""
        target = self.out / name
        if _hash_of(target) == hashlib.sha256(body).hexdigest():
            self.unchanged.append(name)
            return True
        try:
            _replace(target, body, changed)
        except OSError as problem:
            self.failures.append(_unwritten(target, problem))
            return False
        metrics.FILES_WRITTEN.labels(name).inc()
        self.written.append(name)
        return True

    def sweep(self) -> None:
        """Remove what publishers that were killed while writing left behind."""
        for file in [*self.out.glob(".*.part"), *self.out.glob("feeds/.*.part")]:
            with suppress(OSError):
                if file.stat().st_mtime < (self.now - _ABANDONED).timestamp():
                    file.unlink()


def _digest(feed: Feed, articles: Sequence[Judged]) -> str:
    """Of everything that decides a feed's bytes: its settings, this version, and each article's state."""
    seen = hashlib.sha256(f"{__version__}\n{feed!r}".encode("utf-8", "backslashreplace"))
    for judged in articles:
        article, verdict = judged.article, judged.verdict
        state = (article.number, article.revision, article.changed.isoformat(), len(article.origins), verdict.score)
        seen.update(f"\n{state} {verdict.kept} {verdict.rule_version}".encode())
    return seen.hexdigest()


def _hash_of(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""


def _replace(target: Path, body: bytes, changed: datetime) -> None:
    """Put the bytes in the place of the old ones so that neither a reader nor a power cut sees half of them."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.utime(file.fileno(), (changed.timestamp(), changed.timestamp()))
            os.fsync(file.fileno())
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _sync(target.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unwritten(target: Path, problem: OSError) -> OutputError:
    remedy = "Give the user that runs policyfeed write access to {folder}, or publish to another folder."
    if problem.errno in (28, 122):  # ENOSPC, EDQUOT
        remedy = "Free some space on the disk; the old file is intact and the next round writes the new one."
    return OutputError(
        "{file} could not be written: {problem}.",
        remedy=remedy,
        file=target,
        folder=target.parent,
        problem=problem.strerror or problem,
    )
