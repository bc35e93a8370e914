"""The verbs, once: poll, publish, deliver, and all three."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer

from policyfeed.app import App, opened
from policyfeed.article_json import time
from policyfeed.cli.given import Json, configuration, named_source
from policyfeed.cli.say import FAILED, _, brief, err, json_line, progress, say, show, table
from policyfeed.config import data_folder
from policyfeed.deliver import DeliveryReport, detail_in
from policyfeed.engine.silence import Silence, sooner
from policyfeed.errors import OutputError, told
from policyfeed.i18n import marked
from policyfeed.poll import PollReport
from policyfeed.store import working_alone
from policyfeed.types import Source
from policyfeed.web import board_pages

app = typer.Typer()
_NO_ADDRESS = marked(
    "The feeds do not say where they are: set base_url in policyfeed.toml ([service]) to the address of the folder."
)


@app.command()
def poll(
    context: typer.Context,
    source: Annotated[list[str] | None, typer.Argument(metavar=_("SOURCE"), help=_("Ids of sources."))] = None,
    all_: Annotated[bool, typer.Option("--all", help=_("Every enabled source, due or not."))] = False,
    as_json: Json = False,
) -> None:
    async def work(app: App) -> list[PollReport]:
        if not (source or all_):
            return await poll_due(app, quiet=as_json)
        chosen = [named_source(app.config.sources, name) for name in source or ()] or app.enabled()
        return await _poll(app, chosen, quiet=as_json)

    reports = _alone(context, work)
    _show_polls(reports, as_json=as_json)
    if any(report.error for report in reports):
        raise typer.Exit(FAILED)


@app.command()
def publish(
    context: typer.Context,
    out_: Annotated[Path | None, typer.Option("--out", help=_("The folder; default POLICYFEED_DATA/public."))] = None,
) -> None:
    async def work(app: App) -> None:
        report = await app.publish(out_)
        folder = out_ or app.feeds_folder
        counted = {"written": len(report.written), "same": len(report.unchanged)}
        say("{written} files written, {same} unchanged: {folder}", **counted, folder=folder)
        if out_ is not None and not app.config.public_address:
            err.print(_(_NO_ADDRESS), style="yellow")

    asyncio.run(_with_app(context, work))


@app.command()
def deliver(context: typer.Context, as_json: Json = False) -> None:
    reports = _alone(context, _deliver)
    _show_deliveries(reports, as_json=as_json)
    if any(report.failed for report in reports):
        raise typer.Exit(FAILED)


@app.command()
def once(context: typer.Context, as_json: Json = False) -> None:
    async def work(app: App) -> tuple[list[PollReport], list[DeliveryReport], OutputError | None]:
        polled = await poll_due(app, quiet=as_json)
        await app.watch()
        unwritten = None
        try:
            await app.publish()
        except OutputError as problem:  # what is owed is told all the same
            unwritten = problem
        return polled, await _deliver(app), unwritten

    polled, delivered, unwritten = _alone(context, work)
    _show_polls(polled, as_json=as_json)
    _show_deliveries([report for report in delivered if report.news], as_json=as_json)
    if unwritten is not None:
        raise unwritten
    if any(report.error for report in polled) or any(report.failed for report in delivered):
        raise typer.Exit(FAILED)


def _alone(context: typer.Context, work: Any) -> Any:
    """Run work that no daemon may be doing at the same time."""
    with working_alone(data_folder()):
        return asyncio.run(_with_app(context, work))


async def _with_app(context: typer.Context, work: Any) -> Any:
    async with opened(configuration(context), data_folder(), pages=board_pages) as app:
        return await work(app)


async def poll_due(app: App, *, quiet: bool) -> list[PollReport]:
    """Poll the sources that are due; while nobody can be reached one more, and when one of them is read, all others."""
    silence = Silence(app.states().values(), app.enabled(), app.clock())
    if silence.cut_off(app.clock()):
        await app.db(sooner, app, [silence.turn()], timedelta())
    reports = await _poll(app, app.due(app.clock()), quiet=quiet)
    heard = [silence.heard(app.sources[one.source], one, app.clock()) for one in reports]
    if lost := list(chain.from_iterable(heard)):
        await app.db(sooner, app, lost, timedelta())
        reports += await _poll(app, app.due(app.clock()), quiet=quiet)
    return reports


async def _poll(app: App, chosen: Sequence[Source], *, quiet: bool) -> list[PollReport]:
    with progress("Polling", len(chosen), quiet=quiet) as step:

        async def one(source: Source) -> PollReport:
            report = await app.poll(source)
            step(source.id)
            return report

        return await asyncio.gather(*(one(source) for source in chosen))


async def _deliver(app: App) -> list[DeliveryReport]:
    """All that is due, also what a process was sending when it ended: nobody else delivers now."""
    await app.take_back()
    return list(await asyncio.gather(*(app.deliver(channel) for channel in app.config.channels)))


def _show_polls(reports: Sequence[PollReport], *, as_json: bool) -> None:
    if as_json:
        for report in reports:
            json_line(_as_json(report))
    elif reports:
        _print_polls(reports)
    else:
        say("No source is due.")


def _as_json(report: PollReport) -> dict[str, Any]:
    counted = ("source", "state", "entries", "new", "joined", "revised", "kept", "owed", "requests")
    error = {"name": report.error.name, "message": str(report.error)} if report.error else None
    values = {name: getattr(report, name) for name in counted}
    return values | {"due": time(report.due), "error": error, "warnings": list(report.warnings)}


def _print_polls(reports: Sequence[PollReport]) -> None:
    shown = table("source", "state", "entries", "new", "joined", "revised", "kept", "next")
    for report in reports:
        numbers = (report.entries, report.new, report.joined, report.revised, report.kept)
        shown.add_row(report.source, _(report.state), *map(str, numbers), brief(report.due))
    show(shown)
    for report in reports:
        if report.error is not None:
            err.print(f"{report.source}: {report.error.text(_)}", style="red")
        for warning in report.warnings[:5]:
            err.print(f"{report.source}: {told(warning, _)}", style="yellow")


def _show_deliveries(reports: Sequence[DeliveryReport], *, as_json: bool) -> None:
    for report in reports:
        counted = {"delivered": report.delivered, "retry": report.retried, "dead": report.dead}
        if as_json:
            json_line({"channel": report.channel, **counted, "error": report.error, "closed": report.closed})
        elif report.news:
            template = "{channel}: {delivered} delivered, {retry} to be retried, {dead} given up"
            say(template, channel=report.channel, **counted)
            if said := report.closed or report.error:
                err.print(f"{report.channel}: {detail_in(said, _)}", style="red")
