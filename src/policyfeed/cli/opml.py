"""sources export, sources import: the configured feeds as OPML, and a reader's OPML as sources."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from policyfeed import opml
from policyfeed.cli.given import configuration
from policyfeed.cli.say import _, err, say
from policyfeed.clock import now
from policyfeed.config import Config, publication
from policyfeed.config.models import SourceTable, askable
from policyfeed.config.writing import source_table
from policyfeed.errors import OutputError, Unreadable, UsageError
from policyfeed.normalize.links import canonical
from policyfeed.normalize.text import decode, one_line
from policyfeed.normalize.xml import mended
from policyfeed.opml import Outline
from policyfeed.retired import retired
from policyfeed.types import Source

app = typer.Typer()
IMPORTED = Path("sources") / "imported.toml"


@app.command()
def export(
    context: typer.Context,
    out_: Annotated[Path | None, typer.Option("--out", help=_("The file; default stdout."))] = None,
) -> None:
    config = configuration(context)
    feeds = [(one, publication(one)) for one in config.sources if one.enabled]
    outlines = [Outline(title=to.name, url=to.feed, language=one.language) for one, to in feeds if to.feed]
    data = opml.write("policyfeed", outlines, now())
    if out_ is None:
        typer.echo(data.decode(), nl=False)
        return
    _write(out_, data.decode())
    say("{file}: written, feeds: {count}", count=len(outlines), file=out_)


@app.command("import")
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar=_("FILE"), help=_("The OPML file."))],
) -> None:
    config = configuration(context)
    made = _sources(config, opml.read(_read(file), str(file)))
    tables = "\n".join(source_table(one) for one in made)
    if not made or context.obj is None:
        typer.echo(tables, nl=False)
    elif not (config.folder / "sources").is_dir():
        typer.echo(tables, nl=False)
        _tell(
            "{folder} has no sources/ of its own; with one, only that is read. Copy the shipped files there first.",
            folder=config.folder,
        )
    else:
        target = config.folder / IMPORTED
        before = target.read_text(encoding="utf-8").rstrip("\n") + "\n\n" if target.is_file() else ""
        _write(target, before + tables)
        _tell("{count} sources were added to {file}.", count=len(made), file=target)
        return
    _tell("{count} new sources.", count=len(made))


def _sources(config: Config, outlines: tuple[Outline, ...]) -> list[Source]:
    """What is new and may live; the rest is told on stderr."""
    known, ids = {canonical(one.url) for one in config.sources}, {one.id for one in config.sources}
    made: list[Source] = []
    for one in outlines:
        if (notice := retired(one.url)) is not None:
            err.print(notice.text(_), style="yellow")
        elif not _is_address(one.url):
            err.print(_("{url} is no web address.").format(url=one.url), style="yellow")
        elif canonical(one.url) in known:
            _tell("{url} is configured already.", url=one.url)
        else:
            made.append(_source(one, ids))
            ids.add(made[-1].id)
            known.add(canonical(one.url))
    return made


def _is_address(url: str) -> bool:
    try:
        return bool(askable(url))
    except ValueError:
        return False


def _source(outline: Outline, taken: set[str]) -> Source:
    name = one_line(outline.title)
    host = (urlsplit(outline.url).hostname or "feed").removeprefix("www.").partition(".")[0]
    slug = re.sub(r"[^a-z0-9]+", "-", host.lower()).strip("-")[:50] or "feed"
    id_ = next(
        one for number in range(1, len(taken) + 3) if (one := slug if number == 1 else f"{slug}-{number}") not in taken
    )
    source = SourceTable(id=id_, kind="feed", url=outline.url, name=name).source()
    language = outline.language.lower().partition("-")[0]
    return replace(source, language=language) if language and language != "ko" else source


def _tell(template: str, **facts: object) -> None:
    err.print(_(template).format(**facts))


def _read(file: Path) -> str:
    """The file's text, with addresses whole that hold a bare ``&``; none where it is no text, and so no list."""
    try:
        return mended(decode(file.read_bytes()))
    except OSError as problem:
        raise UsageError("{file} cannot be read: {problem}.", file=file, problem=problem.strerror) from problem
    except Unreadable:
        return ""


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise OutputError("{file} could not be written: {problem}.", file=file, problem=problem.strerror) from problem
