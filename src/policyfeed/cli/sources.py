"""sources: list them with what is known of them."""

from __future__ import annotations

from typing import Any

import typer
from rich.text import Text

from policyfeed.article_json import time
from policyfeed.cli.given import Json, configuration
from policyfeed.cli.say import _, brief, err, json_line, say, show, table
from policyfeed.cli.stored import opened_store
from policyfeed.clock import now
from policyfeed.errors import told
from policyfeed.health import Condition, conditions
from policyfeed.normalize.dates import Moment
from policyfeed.store import SourceState
from policyfeed.store import sources as stored

app = typer.Typer()


@app.command()
def health(
    context: typer.Context,
    as_json: Json = False,
) -> None:
    config = configuration(context)
    with opened_store() as store:
        found = conditions(store, config.sources, now())
    shown = table("source", "condition", "since", "last success", "newest", "silent days")
    for one in found:
        if as_json:
            json_line(_condition(one))
            continue
        named = Text(_(one.name.value), style="green" if one.well else "red")
        moments = (brief(one.since), brief(one.state.last_success), _newest(one.newest))
        shown.add_row(one.source.id, named, *moments, str(one.silent) if one.newest else "")
    if as_json:
        return
    show(shown)
    for one in found:
        if one.detail:
            err.print(f"{one.source.id}: {told(one.detail, _)}", style="red")
        if one.state.remarks:
            err.print(f"{one.source.id}: {told(one.state.remarks, _)}", style="yellow")


def _newest(found: Moment | None) -> str:
    return brief(found.at, dated=found.dated) if found else brief(None)


def _condition(one: Condition) -> dict[str, Any]:
    state = one.state
    moments = {
        "since": one.since,
        "last_poll": state.last_poll,
        "last_success": state.last_success,
        "newest": one.newest.at if one.newest else None,
    }
    counted = {"silent_working_days": one.silent, "failures": state.failures, "entries": state.listed}
    named = {"source": one.source.id, "condition": one.name.value, "well": one.well, "detail": told(one.detail)}
    named["remarks"] = told(state.remarks)
    return named | {name: time(moment) for name, moment in moments.items()} | counted


@app.command("list")
def list_(
    context: typer.Context,
    as_json: Json = False,
) -> None:
    config = configuration(context)
    with opened_store() as store, store.read() as tx:
        states = stored.every(tx)
    shown = table("source", "ministry", "state", "last success", "next", "entries", wide="ministry")
    for source in config.sources:
        state = states.get(source.id, SourceState(id=source.id))
        said = state.state if source.enabled else "off"
        if as_json:
            line = {"id": source.id, "kind": source.kind, "url": source.url, "ministry": source.ministry, "state": said}
            names = ("since", "last_poll", "last_success", "last_new", "due")
            moments_ = {name: time(getattr(state, name)) for name in names}
            counted = {"entries": state.listed, "failures": state.failures}
            json_line(line | moments_ | counted | {"error": told(state.error)})
            continue
        if source.enabled:
            ministry = config.ministries.get(source.ministry) if source.ministry else None
            moments = brief(state.last_success), brief(state.due)
            shown.add_row(source.id, ministry.name if ministry else "", _(said), *moments, str(state.listed))
    if as_json:
        return
    show(shown)
    if off := [source.id for source in config.sources if not source.enabled]:
        say("Off: {sources}", sources=", ".join(off))
