"""What a command is given: the configuration, or the topics alone."""

from __future__ import annotations

import typer

from policyfeed.config import Config, find_folder, load, load_rules
from policyfeed.relevance import Rules


def configuration(context: typer.Context) -> Config:
    """The configuration that the command works with; ``context.obj`` is --config. Raises ConfigErrors."""
    return load(find_folder(context.obj))


def topics(context: typer.Context) -> Rules:
    """The topics that the command judges by, whatever the rest of the configuration says. Raises ConfigErrors."""
    return load_rules(find_folder(context.obj))
