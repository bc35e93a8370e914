"""The commands by name, each loaded when it is called, so that a light one does not wait for the heavy ones."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from policyfeed.cli.say import _
from policyfeed.cli.usage import retell, retell_lines

COMMANDS = {
    "run": ("run", _("Run the daemon: poll, publish, deliver, serve the pages.")),
    "poll": ("work", _("Poll once: the sources that are due, those named, or all.")),
    "publish": ("work", _("Write every feed to a folder; files that did not change stay as they are.")),
    "deliver": ("work", _("Send now what is owed to channels.")),
    "once": ("work", _("Poll what is due, publish and deliver, then exit: for cron and CI runners.")),
    "fill": ("fill", _("Ask articles' own pages for their texts, politely: one request every few seconds a host.")),
    "articles": ("articles", _("List stored articles, newest first.")),
    "classify": (
        "classify",
        _("Judge JSON lines from stdin ({title, lead?, body?, ministry?}) and add the verdict."),
    ),
    "explain": ("articles", _("Why an article was kept or dropped, term by term; also for any title.")),
    "backfill": ("backfill", _("Read what a source published in past days: quietly, politely, resumable.")),
    "coverage": (
        "coverage",
        _("Prove that nothing is missing: korea.kr's own total of a day against what is stored."),
    ),
    "check": ("check", _("Check the whole configuration: every mistake at once, with file, key and remedy.")),
    "label": (
        "curate",
        _("Say of an article that it is relevant or not: feedback that measures and trains the topics."),
    ),
    "split": (
        "curate",
        _("Undo a merge: one of an article's places becomes an article of its own again, for good."),
    ),
    "review": (
        "curate",
        _("Last week's random sample of dropped articles, to be labelled: it estimates what is missed."),
    ),
    "rescore": ("curate", _("Apply changed topics to stored articles; nothing is announced unless asked.")),
    "demo": ("demo", _("A self-contained example world, without any network.")),
    "sources health": ("sources", _("How each source is, since when, and what is wrong.")),
    "sources list": ("sources", _("The sources, when they were polled, and how that went.")),
    "sources test": (
        "looking",
        _("What would be read of a source or an address, entry by entry, with every warning; stores nothing."),
    ),
    "sources discover": (
        "looking",
        _("Find the feeds of a site, or propose a table that reads its list; stores nothing."),
    ),
    "sources export": ("opml", _("The configured feeds as OPML, for a feed reader.")),
    "sources import": (
        "opml",
        _("Sources from a feed reader's OPML; addresses that are configured already are skipped."),
    ),
    "channels list": ("channels", _("The channels, what they are owed and whether they are open.")),
    "channels test": ("channels", _("Send a test message now, and say truly whether it was taken.")),
    "outbox list": ("outbox", _("Deliveries that are pending or were given up; --all shows delivered ones too.")),
    "outbox retry": ("outbox", _("Send again what was given up, and open a closed channel.")),
    "outbox drop": ("outbox", _("Give up what is pending.")),
    "topics check": ("topics", _("Run the topics' own examples; name dead and doubled terms.")),
    "topics eval": ("topics", _("Measure the topics on labelled files: precision, recall, F1, calibration, mistakes.")),
    "topics suggest": ("topics", _("Terms that would fix most misses, with what they would wrongly keep.")),
    "topics train": ("topics", _("Learn corrections to the topics' weights from labelled articles.")),
    "db migrate": ("db", _("Bring the database to this version's schema (every command does so by itself).")),
    "db backup": ("db", _("Copy the live database to a file.")),
    "db verify": ("db", _("Check the database for damage.")),
}
"""Command → its module in this folder, and what it does."""

GROUPS = {
    "sources": _("The configured sources."),
    "channels": _("Where new articles are told."),
    "outbox": _("What is owed to channels."),
    "topics": _("The topics: check and measure them."),
    "db": _("The database: migrate, back up, verify."),
}


class Command(TyperCommand):
    """A command that speaks the user's language."""

    def get_usage(self, ctx: Any) -> str:
        return retell(super().get_usage(ctx))

    def get_params(self, ctx: Any) -> Any:
        return retell_lines(super().get_params(ctx))


class Commands(TyperGroup):
    """Lists commands by their names and lines; the one that is called takes its stand-in's place."""

    def __init__(self, *, of: str = "", **given: Any) -> None:
        """``of``: the group; "" = the commands of no group, and the groups."""
        super().__init__(**given)
        self.options_metavar, self.subcommand_metavar = _("[OPTIONS]"), _("COMMAND [ARGS]...")
        self.prefix = f"{of} ".lstrip()
        own = ((name.removeprefix(self.prefix), name) for name in COMMANDS if name.startswith(self.prefix))
        self.commands = {name: TyperCommand(name, help=COMMANDS[full][1]) for name, full in own if " " not in name}
        for name, line in {} if of else GROUPS.items():
            self.commands[name] = Commands(of=name, name=name, help=line, no_args_is_help=True)

    def get_usage(self, ctx: Any) -> str:
        return retell(super().get_usage(ctx))

    def get_params(self, ctx: Any) -> Any:
        return retell_lines(super().get_params(ctx))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, found, rest = super().resolve_command(ctx, args)
        return name, found if isinstance(found, Commands) or not name else load(self.prefix + name), rest


def load(name: str) -> Any:
    """The command of that full name, ready to be called."""
    module, line = COMMANDS[name]
    app = import_module(f"policyfeed.cli.{module}").app
    for one in app.registered_commands:
        one.cls = Command
    found = typer.main.get_group(app).commands[name.split()[-1]]
    found.help, found.options_metavar = line, _("[OPTIONS]")
    return found
