"""coverage: what a list says it has of a day against what is stored, ministry by ministry."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from policyfeed import registry
from policyfeed.app import opened
from policyfeed.cli.backfill import PACE, day, paced
from policyfeed.cli.given import Json, configuration, named_source
from policyfeed.cli.say import FAILED, _, json_line, progress, say, show, table
from policyfeed.clock import KST
from policyfeed.config import data_folder
from policyfeed.coverage import Coverage, Day, Row
from policyfeed.errors import UsageError
from policyfeed.types import Source

app = typer.Typer()


@app.command()
def coverage(
    context: typer.Context,
    first: Annotated[str, typer.Option("--day", help=_("The day, YYYY-MM-DD (in Korea); default yesterday."))] = "",
    last: Annotated[str, typer.Option("--to", help=_("The last one of several days."))] = "",
    source: Annotated[
        str, typer.Option(help=_("The source to compare with; default the first of kind korea_kr."))
    ] = "",
    pace: Annotated[float, typer.Option(min=0, help=_("Seconds between two requests to a site."))] = PACE,
    quick: Annotated[bool, typer.Option("--quick", help=_("Without asking for each ministry's own total."))] = False,
    as_json: Json = False,
) -> None:
    config = configuration(context)
    chosen = named_source(config.sources, source) if source else _default(config.sources)
    _check(chosen)

    async def work() -> list[Day]:
        async with opened(config, data_folder()) as app:
            yesterday = app.clock().astimezone(KST).date() - timedelta(days=1)
            start = day(first) if first else yesterday
            end = day(last) if last else start
            _check_days(start, end, yesterday + timedelta(days=1))
            poller = replace(app.poller, fetch=paced(app, pace))
            compared = Coverage(poller=poller, source=chosen, ministries=config.ministries, quick=quick)
            with progress("Comparing", (end - start).days + 1, quiet=as_json) as step:
                found = []
                async for one in compared.days(start, end):
                    found.append(one)
                    step(one.day.isoformat())
                return found

    found = asyncio.run(work())
    _show(found, as_json=as_json)
    if not all(one.whole for one in found):
        raise typer.Exit(FAILED)


def _default(sources: tuple[Source, ...]) -> Source:
    named = [one for one in sources if one.kind == "korea_kr" and one.enabled and not one.options.get("rep_code")]
    if not named:
        raise UsageError(
            "No source of kind korea_kr is configured.",
            remedy="Name another list that can be asked for days: --source.",
        )
    return named[0]


def _check(source: Source) -> None:
    if not hasattr(registry.load("sources", source.kind), "days"):
        raise UsageError(
            "The source {source} cannot be compared: its kind {kind} tells no totals of days.",
            remedy="Name a source of kind korea_kr.",
            source=source.id,
            kind=source.kind,
        )


def _check_days(first: date, last: date, today: date) -> None:
    if first > last:
        raise UsageError("{first} is after {last}.", remedy="Give --day the earlier one.", first=first, last=last)
    if last > today:
        raise UsageError("{day} is yet to come.", remedy="Give a day until today.", day=last)


def _show(found: list[Day], *, as_json: bool) -> None:
    shown = table("day", "ministry", "listed", "its own total", "stored", "missing", wide="missing")
    for one in found:
        for row in one.rows:
            if as_json:
                json_line(_json(one, row))
            else:
                own = "–" if row.own is None else str(row.own)
                numbers = (str(row.listed), own, str(row.stored), _ids(row.missing))
                shown.add_row(one.day.isoformat(), row.ministry.name, *numbers)
        if as_json:
            json_line(_summary(one))
        else:
            _sum(shown, one)
    if as_json:
        return
    show(shown)
    for one in found:
        _conclude(one)


def _sum(shown: Table, one: Day) -> None:
    own = "–" if one.own is None else str(one.own)
    numbers = (str(one.listed), own, str(one.stored), str(len(one.missing)))
    shown.add_row(one.day.isoformat(), _("all of {total}").format(total=one.total), *numbers, style="bold")


def _conclude(one: Day) -> None:
    if one.whole:
        say("{day}: all {total} are stored ({requests} requests).", day=one.day, total=one.total, requests=one.requests)
    elif one.missing:
        say("{day}: {count} of {total} are missing.", day=one.day, count=len(one.missing), total=one.total)
        say("`policyfeed backfill` reads past days again; of the last three days polls do.")
    else:
        say("{day}: the list does not show what it says that it has; ask again later.", day=one.day)
    if one.gone:
        say("{day}: stored, but listed no more: {ids}", day=one.day, ids=_ids(one.gone))


def _ids(keys: tuple[str, ...]) -> str:
    return " ".join(key.removeprefix("korea.kr/") for key in keys)


def _json(one: Day, row: Row) -> dict[str, Any]:
    ministry = {"id": row.ministry.id, "name": row.ministry.name}
    counted = {"listed": row.listed, "own": row.own, "stored": row.stored, "missing": list(row.missing)}
    return {"day": one.day.isoformat(), "ministry": ministry} | counted


def _summary(one: Day) -> dict[str, Any]:
    counted = {"total": one.total, "listed": one.listed, "own": one.own, "stored": one.stored}
    lists = {"missing": list(one.missing), "gone": list(one.gone)}
    return {"day": one.day.isoformat()} | counted | lists | {"requests": one.requests, "whole": one.whole}
