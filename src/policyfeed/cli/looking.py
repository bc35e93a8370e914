"""sources test, sources discover: look at a source or a site; nothing is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import typer

from policyfeed.app import App, opened
from policyfeed.article_json import time
from policyfeed.backfill import way
from policyfeed.cli.given import Json, configuration
from policyfeed.cli.say import FAILED, _, brief, complain, err, json_line, out, say, show, table, when
from policyfeed.config import Config, data_folder
from policyfeed.config.writing import source_table
from policyfeed.errors import Forbidden, Unreadable, UpstreamError, UsageError, told
from policyfeed.normalize.links import canonical
from policyfeed.normalize.text import shorten
from policyfeed.probe import Discoverer, Discovery, Feed, Looked, Probe, Seen, guess_of, look
from policyfeed.retired import retired
from policyfeed.transport.urls import take_apart
from policyfeed.types import Article, Document, Source, Verdict

app = typer.Typer()
T = TypeVar("T")
ENTRIES = 20
HOW = {"announced": _("announced"), "linked": _("linked"), "guessed": _("guessed")}


@dataclass(frozen=True, slots=True)
class _Line:
    """An entry with its verdict (None: it becomes no article)."""

    seen: Seen
    verdict: Verdict | None


@app.command("test")
def try_(
    context: typer.Context,
    wanted: Annotated[str, typer.Argument(metavar="URL|ID", help=_("A source's id, or any address."))],
    limit: Annotated[int, typer.Option(min=0, help=_("Entries that are shown."))] = ENTRIES,
    as_json: Json = False,
) -> None:
    config = configuration(context)
    source = _chosen(config, wanted)

    async def work(app: App) -> tuple[Probe, list[_Line], Discovery | None]:
        cursor = {"all": True} if way(source) == "pages" else {}
        probe = await look(source, cursor, poller=app.poller, read=app.workers.look, clock=app.clock)
        found = await _offered(app, probe) if source not in config.sources else None
        judge = app.poller.judge
        lines = [_Line(one, judge(one.article) if one.article else None) for one in _seen(probe.looked)]
        return probe, lines, found

    probe, lines, found = _run(config, work)
    if found is not None:
        _show_discovery(found, as_json=as_json)
        _need_anything(found)
        return
    _show_document(probe, as_json=as_json)
    if probe.error is not None:
        if not as_json:
            complain(probe.error)
        raise typer.Exit(FAILED)
    _show_entries(lines[:limit], as_json=as_json)
    if len(lines) > limit and not as_json:
        say("{count} more entries: --limit shows them.", count=len(lines) - limit)


@app.command()
def discover(
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help=_("A page of the site; best its list of press releases."))],
    as_json: Json = False,
) -> None:
    config, address = configuration(context), _address(url)

    async def work(app: App) -> Discovery:
        return await _discoverer(app).discover(address)

    found = _run(config, work)
    _show_discovery(found, as_json=as_json)
    for one in () if as_json else config.sources:
        if canonical(one.url) in {canonical(found.url), *(canonical(feed.candidate.url) for feed in found.feeds)}:
            say("{url} is configured already: {source}.", url=one.url, source=one.id)
    _need_anything(found)


def _need_anything(found: Discovery) -> None:
    """Fail when nothing was found that can be read."""
    if found.board is None and not any(feed.looked for feed in found.feeds):
        raise typer.Exit(FAILED)


def _run(config: Config, work: Callable[[App], Awaitable[T]]) -> T:
    async def run() -> T:
        async with opened(config, data_folder()) as app:
            return await work(app)

    return asyncio.run(run())


def _chosen(config: Config, wanted: str) -> Source:
    """The configured source of that id or address, else the address as a feed. Raises UsageError, ConfigError."""
    for one in config.sources:
        if wanted in (one.id, one.url):
            return one
    if "://" not in wanted and "." not in wanted:
        raise UsageError("No source is called {name!r}.", remedy="`policyfeed sources list` shows them.", name=wanted)
    return guess_of(_address(wanted))


def _address(url: str) -> str:
    """Raises UsageError, and ConfigError for an address that is known to be dead."""
    address = url if "://" in url else f"https://{url}"
    if not address.startswith(("http://", "https://")) or not address.partition("://")[2].strip():
        raise UsageError("{url} is no web address.", remedy="Give one that begins with https://.", url=url)
    if notice := retired(address):
        raise UsageError(notice.template, remedy=notice.remedy, **notice.facts)
    try:
        take_apart(address)
    except Forbidden as problem:
        facts: dict[str, Any] = problem.facts
        raise UsageError(problem.template, remedy=problem.remedy, **facts) from None
    return address


def _discoverer(app: App) -> Discoverer:
    return Discoverer(poller=app.poller, read=app.workers.look, take_stock=app.workers.survey)


async def _offered(app: App, probe: Probe) -> Discovery | None:
    """What an address that turned out to be a page offers."""
    if not isinstance(probe.error, Unreadable) or probe.document is None or not _is_page(probe.document):
        return None
    return await _discoverer(app).discover(probe.document.url, probe.document)


def _is_page(document: Document) -> bool:
    return "html" in document.headers.get("content-type", "").lower() or b"<html" in document.body[:2000].lower()


def _seen(looked: Looked | None) -> tuple[Seen, ...]:
    return looked.seen if looked is not None else ()


def _show_document(probe: Probe, *, as_json: bool) -> None:
    document, looked = probe.document, probe.looked
    facts = {
        "url": document.url if document else probe.source.url,
        "status": document.status if document else getattr(probe.error, "status", None),
        "type": document.headers.get("content-type", "") if document else "",
        "bytes": len(document.body) if document else 0,
        "seconds": round(probe.seconds, 2),
        "encoding": looked.encoding if looked else "",
        "format": looked.format if looked else "",
        "title": looked.title if looked else "",
    }
    more = {"entries": len(looked.seen), "total": looked.total, "next": looked.next} if looked else {"entries": 0}
    warnings = list(looked.warnings) if looked else []
    if as_json:
        error = {"name": probe.error.name, "message": str(probe.error)} if probe.error else None
        named = {"source": probe.source.id, "kind": probe.source.kind}
        json_line(named | facts | more | {"warnings": warnings, "error": error})
        return
    if document is not None:
        say("{url}: {status}, {type}, {bytes} bytes in {seconds} s", **facts)
    if looked is not None:
        _show_reading(looked)


def _show_reading(looked: Looked) -> None:
    form = f"{looked.encoding} {looked.format}".strip()
    say("Read as {form}: {count} entries", form=form, count=len(looked.seen))
    if looked.total is not None:
        say("The list says that it has {total}.", total=looked.total)
    if looked.next:
        say("Next page: {url}", url=looked.next)
    for warning in looked.warnings:
        err.print(told(warning, _), style="yellow")


def _show_entries(lines: list[_Line], *, as_json: bool) -> None:
    for number, line in enumerate(lines, 1):
        if as_json:
            json_line(_entry_json(line))
            continue
        _show_entry(number, line)
        for warning in line.seen.warnings:
            err.print(f"{number}: {told(warning, _)}", style="yellow")


def _show_entry(number: int, line: _Line) -> None:
    article, printed = line.seen.article, line.seen.entry.published.strip()
    if article is None or line.verdict is None:
        say("{number}. nothing", number=number)
        return
    mark = _("kept") if line.verdict.kept else _("dropped")
    out.print(f"{number}. {article.title}", style="bold")
    facts = (f"{when(article.published, dated=article.dated)} ({printed})", article.ministry.name, article.kind.value)
    out.print("   " + " · ".join((*facts, f"{mark} {line.verdict.score:.0f}", *line.verdict.topics)))
    if more := _more(article):
        out.print(f"   {more}")
    out.print(f"   {article.url}")
    out.print(f"   {article.origins[0].key}", style="dim")


def _more(article: Article) -> str:
    """What a table reads besides, so that a place that finds nothing is seen: department, lead, files."""
    files = (one.name or one.url for one in article.attachments)
    return " · ".join(filter(None, (article.department, shorten(article.summary, 160), *files)))


def _entry_json(line: _Line) -> dict[str, Any]:
    entry, article, verdict = line.seen.entry, line.seen.article, line.verdict
    raw = {
        "raw_title": entry.title,
        "raw_date": entry.published,
        "raw_link": entry.url,
        "warnings": [*line.seen.warnings],
    }
    if article is None or verdict is None:
        return {"title": None} | raw
    ministry = {"id": article.ministry.id, "name": article.ministry.name}
    return {
        "title": article.title,
        "ministry": ministry,
        "published": time(article.published),
        "dated": article.dated,
        "url": article.url,
        "key": article.origins[0].key,
        "kind": article.kind.value,
        "kept": verdict.kept,
        "score": verdict.score,
        "topics": list(verdict.topics),
        "department": article.department,
        "summary": article.summary,
        "characters": len(article.content),
        "attachments": [{"name": one.name, "url": one.url, "type": one.type} for one in article.attachments],
    } | raw


# What a site offers -----------------------------------------------------------------------------------------------


def _show_discovery(found: Discovery, *, as_json: bool) -> None:
    if as_json:
        for feed in found.feeds:
            json_line(_feed_json(feed))
        json_line(_board_json(found))
        return
    if found.feeds:
        _show_feeds(found.feeds)
    if found.board is not None:
        _show_board(found, found.board)
    elif not any(feed.looked for feed in found.feeds):
        say("Neither a feed nor a list of links with dates was found at {url}.", url=found.url)
        say("Give the address of the list itself. A list that a script fills is read as kind json: docs/sources.md.")
    for note in found.notes:
        err.print(told(note, _), style="yellow")
    say("{requests} requests", requests=found.requests)


def _show_feeds(feeds: tuple[Feed, ...]) -> None:
    shown = table("format", "entries", "newest", "how", "title", "address")
    for feed in feeds:
        if feed.looked is not None:
            title = feed.looked.title or feed.candidate.title
            cells = (feed.looked.format, str(len(feed.looked.seen)), brief(feed.newest))
            shown.add_row(*cells, HOW[feed.candidate.how], title, feed.candidate.url)
    show(shown)
    for feed in feeds:
        if feed.error is not None:
            err.print(f"{feed.candidate.url}: {feed.error.text(_)}", style="red")


def _show_board(found: Discovery, board: Source) -> None:
    say("A list of {count} rows, read with this table:", count=len(found.entries))
    out.print()
    out.print(source_table(board))
    shown = table("date", "title", "link")
    for entry in found.entries[:5]:
        shown.add_row(entry.published, " ".join(entry.title.split()), entry.url)
    show(shown)
    if found.proven:
        say("The first item's address leads to its text.")


def _feed_json(feed: Feed) -> dict[str, Any]:
    looked = feed.looked
    known = {"format": looked.format, "title": looked.title, "entries": len(looked.seen)} if looked else {}
    error = {"name": feed.error.name, "message": str(feed.error)} if isinstance(feed.error, UpstreamError) else None
    return {"feed": feed.candidate.url, "how": feed.candidate.how, **known, "newest": time(feed.newest), "error": error}


def _board_json(found: Discovery) -> dict[str, Any]:
    board = found.board
    named = {"page": found.url, "requests": found.requests, "notes": list(found.notes)}
    if board is None:
        return named | {"table": None}
    table_ = {"table": dict(board.options), "toml": source_table(board), "proven": found.proven}
    return (
        named
        | table_
        | {"entries": [{"title": one.title, "date": one.published, "url": one.url} for one in found.entries]}
    )
