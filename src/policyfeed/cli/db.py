"""db: migrate, back up, verify the database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from policyfeed.cli.say import FAILED, _, err, say
from policyfeed.cli.stored import opened_store
from policyfeed.store import articles

app = typer.Typer()


@app.command()
def migrate() -> None:
    with opened_store() as store:
        say("{file} has schema {version}.", file=store.file, version=store.version())


@app.command()
def backup(to: Annotated[Path, typer.Argument(metavar=_("FILE"), help=_("The file to write."))]) -> None:
    with opened_store(create=False) as store:
        store.backup(to)
    say("Copied to {file}.", file=to)


@app.command()
def verify() -> None:
    with opened_store(create=False) as store:
        found = store.verify()
        with store.read() as tx:
            counts = articles.count(tx)
    for problem in found:
        err.print(problem, style="red")
    if found:
        raise typer.Exit(FAILED)
    say("The database is sound: {articles} articles, {kept} kept.", **counts)
