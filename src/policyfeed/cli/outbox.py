"""outbox: what is owed, what was given up; retry or drop it."""

from __future__ import annotations

from typing import Annotated

import typer

from policyfeed.article_json import time
from policyfeed.cli.say import _, json_line, out, say, table, when
from policyfeed.cli.stored import opened_store
from policyfeed.clock import now
from policyfeed.errors import UsageError
from policyfeed.store import outbox as stored
from policyfeed.types import DeliveryState

app = typer.Typer()
Channel = Annotated[str | None, typer.Option("--channel", help=_("Only of this channel."))]
Keys = Annotated[list[str] | None, typer.Argument(help=_("Keys of deliveries."))]


@app.command("list")
def list_(
    channel: Channel = None,
    all_: Annotated[bool, typer.Option("--all", help=_("Delivered ones too."))] = False,
    as_json: Annotated[bool, typer.Option("--json", help=_("JSON lines on stdout, nothing else."))] = False,
) -> None:
    states = () if all_ else (DeliveryState.PENDING, DeliveryState.DEAD)
    with opened_store() as store, store.read() as tx:
        found = stored.listing(tx, states, channel)
    shown = table("key", "channel", "article", "state", "attempts", "due", "error")
    for one in found:
        if as_json:
            line = {"key": one.key, "channel": one.channel, "number": one.number, "revision": one.revision}
            moments = {name: time(getattr(one, name)) for name in ("created", "due", "delivered")}
            json_line(line | {"state": one.state.value, "attempts": one.attempts, "error": one.error} | moments)
        else:
            attempts, state = str(one.attempts), _(one.state.value)
            shown.add_row(one.key, one.channel, str(one.number), state, attempts, when(one.due), one.error)
    if not as_json:
        out.print(shown)


@app.command()
def retry(keys: Keys = None, channel: Channel = None) -> None:
    _need(keys, channel)
    with opened_store() as store, store.write() as tx:
        number = stored.revive(tx, now(), channel=channel, keys=keys or ())
        if channel:
            stored.reopen(tx, channel)
    say("{number} deliveries will be sent again.", number=number)


@app.command()
def drop(keys: Keys = None, channel: Channel = None) -> None:
    _need(keys, channel)
    with opened_store() as store, store.write() as tx:
        number = stored.drop(tx, "dropped by the operator", channel=channel, keys=keys or ())
    say("{number} deliveries were given up.", number=number)


def _need(keys: list[str] | None, channel: str | None) -> None:
    if not keys and not channel:
        raise UsageError("Which deliveries?", remedy="Give keys (`policyfeed outbox list`) or --channel NAME.")
