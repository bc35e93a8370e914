"""backfill: what a source published in past days, quietly and politely."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from dataclasses import asdict, replace
from datetime import date
from typing import Annotated

import typer

from policyfeed.app import App, opened
from policyfeed.article_json import time
from policyfeed.backfill import Backfill, check, way
from policyfeed.cli.fill import conclude, filled
from policyfeed.cli.given import Json, configuration, named_source
from policyfeed.cli.say import _, err, json_line, progress, say, when
from policyfeed.clock import KST
from policyfeed.config import data_folder
from policyfeed.errors import UsageError, told
from policyfeed.harvest import Fetch
from policyfeed.i18n import marked
from policyfeed.store import BackfillState, working_alone
from policyfeed.transport.urls import take_apart
from policyfeed.types import Document, Request, Source

app = typer.Typer()
_DONE = marked("It was completed at {time}, and nothing is asked now; with --again it is read once more.")
PACE = 2.0
"""Seconds from one request to the next one to the same site."""


@app.command()
def backfill(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar=_("SOURCE"), help=_("The id of a source."))],
    first: Annotated[str, typer.Option("--from", help=_("The first day, YYYY-MM-DD (in Korea)."))],
    last: Annotated[str, typer.Option("--to", help=_("The last day; polls read the last three by themselves."))],
    pace: Annotated[float, typer.Option(min=0, help=_("Seconds between two requests to a site."))] = PACE,
    again: Annotated[bool, typer.Option("--again", help=_("Once more, although it was completed."))] = False,
    texts: Annotated[
        bool, typer.Option("--texts", help=_("Then ask for the texts, to the end; a running daemon does it by itself."))
    ] = False,
    as_json: Json = False,
) -> None:
    config = configuration(context)
    chosen = named_source(config.sources, source)
    days = day(first), day(last)

    async def work() -> None:
        async with opened(config, data_folder()) as opened_app:
            check(chosen, *days, opened_app.clock().astimezone(KST).date(), config.sources)
            await _run(opened_app, chosen, *days, pace=pace, again=again, as_json=as_json)
            if texts:
                conclude(await filled(opened_app, wait=True, quiet=as_json), as_json=as_json)

    with working_alone(data_folder(), "backfill.lock"), working_alone(data_folder()) if texts else nullcontext():
        asyncio.run(work())


def day(text: str) -> date:
    """Raises UsageError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError("{text!r} is no day.", remedy="Write it as in 2026-05-20.", text=text) from None


def paced(app: App, seconds: float) -> Fetch:
    """Asks as polls do, and leaves ``seconds`` between two requests to one site."""

    async def ask(source: Source, request: Request) -> Document:
        await app.pacer.wait(f"pace {take_apart(request.url).site}", seconds)
        return await app.ask(source, request)

    return ask


async def _run(app: App, source: Source, first: date, last: date, *, pace: float, again: bool, as_json: bool) -> None:
    poller = replace(app.poller, fetch=paced(app, pace))
    work = Backfill(poller=poller, source=source, first=first, last=last, pause=asyncio.sleep, again=again)
    before = work.state()
    if before.done:
        if not as_json:
            say(_DONE, time=when(before.done))
        _finish(before, as_json=as_json)
        return
    if before.requests and not as_json:
        say("Going on where the last run was broken off: {requests} requests were made.", requests=before.requests)
    days = (last - before.next_day).days + 1 if way(source) == "days" else None
    with progress("Backfilling", days, quiet=as_json) as step:
        async for one in work.run():
            step(one.name)
            if as_json:
                json_line({"source": source.id} | asdict(one))
            for warning in () if as_json else one.warnings:
                err.print(f"{source.id} {one.name}: {told(warning, _)}", style="yellow")
    _finish(replace(work, again=False).state(), as_json=as_json)


def _finish(state: BackfillState, *, as_json: bool) -> None:
    counted = {name: getattr(state, name) for name in ("entries", "new", "joined", "requests")}
    if as_json:
        days = {"from": state.first_day.isoformat(), "to": state.last_day.isoformat()}
        json_line({"source": state.source} | days | counted | {"done": time(state.done)})
        return
    say("{source}: {first} to {last} is complete.", source=state.source, first=state.first_day, last=state.last_day)
    say("{entries} entries read, {new} articles new, {joined} joined, {requests} requests.", **counted)
