"""fill: ask for the texts that articles still want, now."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from itertools import chain, count, islice
from typing import Annotated, Any

import typer

from policyfeed.app import App, opened
from policyfeed.article_json import time
from policyfeed.cli.given import Json, configuration
from policyfeed.cli.say import FAILED, _, err, json_line, progress, say
from policyfeed.config import data_folder
from policyfeed.errors import told
from policyfeed.fill import FillReport
from policyfeed.store import bodies, working_alone
from policyfeed.store.bodies import BodyState

app = typer.Typer()
Sleep = Callable[[float], Awaitable[None]]


@app.command()
def fill(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=0, help=_("At most so many; 0 = all that are due."))] = 0,
    retry: Annotated[
        bool, typer.Option("--retry", help=_("Also what was given up or waits for its next try."))
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help=_("Until every text is there or given up: wait for what is tried again."))
    ] = False,
    as_json: Json = False,
) -> None:
    async def work() -> list[FillReport]:
        async with opened(configuration(context), data_folder()) as opened_app:
            if retry:
                await opened_app.db(_retry, opened_app)
            return await filled(opened_app, limit, wait=wait, quiet=as_json)

    with working_alone(data_folder()):
        reports = asyncio.run(work())
    conclude(reports, as_json=as_json)


def conclude(reports: list[FillReport], *, as_json: bool) -> None:
    """Say how it ended; the exit code is 1 when a text is still missing."""
    for report in reports if as_json else ():
        json_line(_as_json(report))
    last = {report.number: report for report in reports}.values()
    if not as_json:
        _show(last, sum(report.requests for report in reports))
    if any(report.state is not BodyState.DONE for report in last):
        raise typer.Exit(FAILED)


def _retry(opened_app: App) -> None:
    with opened_app.store.write() as tx:
        bodies.retry(tx, opened_app.clock())


async def filled(
    opened_app: App, limit: int = 0, *, wait: bool, quiet: bool, sleep: Sleep = asyncio.sleep
) -> list[FillReport]:
    """Fill the hosts side by side until nothing is due (``wait``: until nothing is owed) or ``limit`` is reached."""

    def shares() -> Counter[str]:
        """Host → how many of its bodies are next; what one host does not use of the limit is the others'."""
        unread = {host: number for host, (number, _) in opened_app.unread_bodies().items()}
        return _shares(unread if wait else opened_app.bodies_due(), limit - len(reports) if limit else None)

    reports: list[FillReport] = []
    pause = sleep if wait else None
    with progress("Filling in texts", shares().total(), quiet=quiet) as step:
        while share := shares():
            places = {host: range(number) if limit else count() for host, number in share.items()}
            found = await asyncio.gather(*(_fill_host(opened_app, *one, step, pause) for one in places.items()))
            if not any(found):
                break
            reports += chain.from_iterable(found)
    return reports


def _shares(hosts: Mapping[str, int], most: int | None) -> Counter[str]:
    """Host → its share of ``most`` (None = no limit) by turns, at most as many as it has."""
    turns = (host for turn in range(max(hosts.values(), default=0)) for host in hosts if turn < hosts[host])
    return Counter(islice(turns, most))


async def _fill_host(
    opened_app: App, host: str, places: Iterable[int], step: Callable[[str], None], pause: Sleep | None
) -> list[FillReport]:
    """One host's bodies, as long as it has places. ``pause``: waits for those that are tried again later."""
    reports: list[FillReport] = []
    for _place in places:
        report = await opened_app.fill(host)
        while report is None and pause and (owed := opened_app.unread_bodies().get(host)):
            await pause(max(1.0, (owed[1] - opened_app.clock()).total_seconds()))
            report = await opened_app.fill(host)
        if report is None:
            break
        reports.append(report)
        if not pause or report.state is not BodyState.PENDING:
            step(report.source)
    return reports


def _show(reports: Collection[FillReport], requests: int) -> None:
    counted = Counter(report.state for report in reports)
    say(
        "{done} texts filled in, {pending} to be tried again, {failed} given up, {requests} requests",
        done=counted[BodyState.DONE],
        pending=counted[BodyState.PENDING],
        failed=counted[BodyState.FAILED],
        requests=requests,
    )
    for why, times in Counter(report.error for report in reports if report.error).most_common(5):
        err.print(f"{times} × {told(why, _)}", style="yellow")


def _as_json(report: FillReport) -> dict[str, Any]:
    names = ("number", "source", "requests", "characters", "changed", "owed")
    values = {name: getattr(report, name) for name in names}
    return values | {"error": told(report.error), "state": report.state.value, "due": time(report.due)}
