"""outbox: what is owed, what was given up; retry or drop it."""

from __future__ import annotations

from typing import Annotated

import typer

from policyfeed.article_json import time
from policyfeed.cli.given import Json, configuration
from policyfeed.cli.say import _, brief, json_line, say, show, table
from policyfeed.cli.stored import opened_store
from policyfeed.clock import now
from policyfeed.deliver import BY_OPERATOR, detail_in
from policyfeed.errors import UsageError
from policyfeed.store import outbox as stored
from policyfeed.types import DeliveryState

app = typer.Typer()
Channel = Annotated[str | None, typer.Option("--channel", help=_("Only of this channel."))]
Keys = Annotated[list[str] | None, typer.Argument(metavar=_("KEY"), help=_("Keys of deliveries."))]


@app.command("list")
def list_(
    channel: Channel = None,
    all_: Annotated[bool, typer.Option("--all", help=_("Delivered ones too."))] = False,
    as_json: Json = False,
) -> None:
    states = () if all_ else (DeliveryState.PENDING, DeliveryState.DEAD)
    with opened_store() as store, store.read() as tx:
        found = stored.listing(tx, states, channel)
    shown = table("key", "channel", "article", "state", "attempts", "due", "error", wide="error")
    for one in found:
        if as_json:
            line = {"key": one.key, "channel": one.channel, "number": one.number, "revision": one.revision}
            moments = {name: time(getattr(one, name)) for name in ("created", "due", "delivered")}
            json_line(line | {"state": one.state.value, "attempts": one.attempts, "error": one.error} | moments)
        else:
            attempts, state, error = str(one.attempts), _(one.state.value), detail_in(one.error, _)
            shown.add_row(one.key, one.channel, str(one.number), state, attempts, brief(one.due), error)
    if not as_json:
        show(shown)


@app.command()
def retry(context: typer.Context, keys: Keys = None, channel: Channel = None) -> None:
    _need(context, keys, channel)
    with opened_store() as store, store.write() as tx:
        number = stored.revive(tx, now(), channel=channel, keys=keys or ())
        if channel:
            stored.reopen(tx, channel)
    say("{number} deliveries will be sent again.", number=number)


@app.command()
def drop(context: typer.Context, keys: Keys = None, channel: Channel = None) -> None:
    _need(context, keys, channel)
    with opened_store() as store, store.write() as tx:
        number = stored.drop(tx, BY_OPERATOR, channel=channel, keys=keys or ())
    say("{number} deliveries were given up.", number=number)


def _need(context: typer.Context, keys: list[str] | None, channel: str | None) -> None:
    """Raises UsageError when nothing is named, or what nobody knows."""
    if not keys and not channel:
        raise UsageError("Which deliveries?", remedy="Give keys (`policyfeed outbox list`) or --channel NAME.")
    config = configuration(context)
    with opened_store() as store, store.read() as tx:
        owed = stored.listing(tx)
    if strange := set(keys or ()) - {one.key for one in owed}:
        remedy = "`policyfeed outbox list --all` shows them."
        raise UsageError("No delivery has the key {key}.", remedy=remedy, key=min(strange))
    known = {*config.silent, *(one.name for one in config.channels), *(one.channel for one in owed)}
    if channel and channel not in known:
        remedy = "`policyfeed channels list` shows them."
        raise UsageError("No channel is called {name!r}.", remedy=remedy, name=channel)
