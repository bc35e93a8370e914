"""sources: list them with what is known of them."""

from __future__ import annotations

from typing import Annotated

import typer

from policyfeed.article_json import time
from policyfeed.cli.say import _, configuration, json_line, opened_store, out, table, when
from policyfeed.store import SourceState
from policyfeed.store import sources as stored

app = typer.Typer(no_args_is_help=True)


@app.command("list", help=_("The sources, when they were polled, and how that went."))
def list_(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help=_("JSON lines on stdout, nothing else."))] = False,
) -> None:
    config = configuration(context)
    with opened_store() as store, store.read() as tx:
        states = stored.every(tx)
    shown = table("source", "kind", "ministry", "state", "last success", "next", "entries")
    for source in config.sources:
        state = states.get(source.id, SourceState(id=source.id))
        said = state.state if source.enabled else "off"
        if as_json:
            line = {"id": source.id, "kind": source.kind, "url": source.url, "ministry": source.ministry, "state": said}
            names = ("since", "last_poll", "last_success", "last_new", "due")
            moments = {name: time(getattr(state, name)) for name in names}
            json_line(line | moments | {"entries": state.listed, "failures": state.failures, "error": state.error})
            continue
        ministry = config.ministries.get(source.ministry) if source.ministry else None
        shown.add_row(
            source.id,
            source.kind,
            ministry.name if ministry else "",
            _(said),
            when(state.last_success),
            when(state.due),
            str(state.listed),
        )
    if not as_json:
        out.print(shown)
