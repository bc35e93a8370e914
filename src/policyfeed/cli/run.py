"""run: the daemon."""

from __future__ import annotations

import asyncio
import contextlib

import typer

from policyfeed import daemon
from policyfeed.cli.given import configuration
from policyfeed.config import data_folder

app = typer.Typer()


@app.command()
def run(context: typer.Context) -> None:
    config = configuration(context)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(daemon.run(config, data_folder()))
