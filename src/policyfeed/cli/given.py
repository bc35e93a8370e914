"""What a command is given: the configuration, or the topics alone, names and times as people write them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

import typer

from policyfeed.cli.say import _
from policyfeed.config import Config, find_folder, load, load_rules
from policyfeed.errors import UsageError
from policyfeed.normalize import dates
from policyfeed.relevance import Rules
from policyfeed.types import Source

Json = Annotated[bool, typer.Option("--json", help=_("JSON lines on stdout, nothing else."))]


def configuration(context: typer.Context) -> Config:
    """The configuration that the command works with; ``context.obj`` is --config. Raises ConfigErrors."""
    return load(find_folder(context.obj))


def topics(context: typer.Context) -> Rules:
    """The topics that the command judges by, whatever the rest of the configuration says. Raises ConfigErrors."""
    return load_rules(find_folder(context.obj))


def named_source(sources: Iterable[Source], name: str) -> Source:
    """The source of that id. Raises UsageError."""
    found = {one.id: one for one in sources}.get(name)
    if found is None:
        raise UsageError("No source is called {name!r}.", remedy="`policyfeed sources list` shows them.", name=name)
    return found


def named_topic(rules: Rules, name: str) -> str:
    """The id, where there is such a topic. Raises UsageError."""
    known = [one.id for one in rules.topics]
    if name not in known:
        raise UsageError("No topic is called {topic!r}.", remedy="Known: {known}.", topic=name, known=", ".join(known))
    return name


def pointed(context: typer.Context, wanted: str) -> str:
    """The number in the address of one of our own pages, to which alerts and feeds lead; all else as it is."""
    found = re.fullmatch(r"(https?://.+)/articles/([0-9]{1,18})(?:[?#].*)?", wanted)
    return found[2] if found and found[1] == configuration(context).address else wanted


def moment(text: str) -> datetime | None:
    """A day or time in Korea; None for an empty text. Raises UsageError."""
    if not text:
        return None
    found = dates.parse(text)
    if found is None:
        raise UsageError("{text!r} is no date.", remedy="Write 2026-05-20 or 2026-05-20T09:00.", text=text)
    return found.at
