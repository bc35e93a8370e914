"""fill: ask for the texts that articles still want, now."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Annotated, Any

import typer

from policyfeed.app import App, opened
from policyfeed.article_json import time
from policyfeed.cli.given import configuration
from policyfeed.cli.say import FAILED, _, err, json_line, progress, say
from policyfeed.config import data_folder
from policyfeed.fill import FillReport
from policyfeed.store import bodies, working_alone
from policyfeed.store.bodies import BodyState

app = typer.Typer()


@app.command()
def fill(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=0, help=_("At most so many; 0 = all that are due."))] = 0,
    retry: Annotated[
        bool, typer.Option("--retry", help=_("Also what was given up or waits for its next try."))
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help=_("JSON lines on stdout, nothing else."))] = False,
) -> None:
    async def work() -> list[FillReport]:
        async with opened(configuration(context), data_folder()) as opened_app:
            if retry:
                await opened_app.db(_retry, opened_app)
            return await _fill(opened_app, limit, quiet=as_json)

    with working_alone(data_folder()):
        reports = asyncio.run(work())
    for report in reports if as_json else ():
        json_line(_as_json(report))
    if not as_json:
        _show(reports)
    if any(report.state is not BodyState.DONE for report in reports):
        raise typer.Exit(FAILED)


def _retry(opened_app: App) -> None:
    with opened_app.store.write() as tx:
        bodies.retry(tx, opened_app.clock())


async def _fill(opened_app: App, limit: int, *, quiet: bool) -> list[FillReport]:
    """Fill the hosts side by side until nothing is due or ``limit`` is reached."""
    due = opened_app.bodies_due()
    total = min(sum(due.values()), limit or sum(due.values()))
    places = iter(range(total))
    with progress("Filling in texts", total, quiet=quiet) as step:
        found = await asyncio.gather(*(_fill_host(opened_app, host, places, step) for host in due))
    return [report for reports in found for report in reports]


async def _fill_host(opened_app: App, host: str, places: Any, step: Callable[[str], None]) -> list[FillReport]:
    reports: list[FillReport] = []
    for _place in places:
        report = await opened_app.fill(host)
        if report is None:
            break
        reports.append(report)
        step(report.source)
    return reports


def _show(reports: list[FillReport]) -> None:
    counted = Counter(report.state for report in reports)
    say(
        "{done} texts filled in, {pending} to be tried again, {failed} given up, {requests} requests",
        done=counted[BodyState.DONE],
        pending=counted[BodyState.PENDING],
        failed=counted[BodyState.FAILED],
        requests=sum(report.requests for report in reports),
    )
    for why, times in Counter(report.error for report in reports if report.error).most_common(5):
        err.print(f"{times} × {why}", style="yellow", markup=False)


def _as_json(report: FillReport) -> dict[str, Any]:
    names = ("number", "source", "requests", "characters", "changed", "owed", "error")
    values = {name: getattr(report, name) for name in names}
    return values | {"state": report.state.value, "due": time(report.due)}
