"""db: migrate, back up, verify the database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from policyfeed.cli.say import FAILED, _, err, opened_store, say
from policyfeed.store import articles

app = typer.Typer(no_args_is_help=True)


@app.command(help=_("Bring the database to this version's schema (every command does so by itself)."))
def migrate() -> None:
    with opened_store() as store:
        say("{file} has schema {version}.", file=store.file, version=store.version())


@app.command(help=_("Copy the live database to a file."))
def backup(to: Annotated[Path, typer.Argument(help=_("The file to write."))]) -> None:
    with opened_store() as store:
        store.backup(to)
    say("Copied to {file}.", file=to)


@app.command(help=_("Check the database for damage."))
def verify() -> None:
    with opened_store() as store:
        found = store.verify()
        with store.read() as tx:
            counts = articles.count(tx)
    for problem in found:
        err.print(problem, style="red", markup=False)
    if found:
        raise typer.Exit(FAILED)
    say("The database is sound: {articles} articles, {kept} kept.", **counts)
