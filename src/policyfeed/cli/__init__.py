"""The command line: one file a command group. ``main`` is the installed ``policyfeed`` command."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from policyfeed import __version__
from policyfeed.cli.commands import Commands
from policyfeed.cli.say import FAILED, USAGE, _, complain
from policyfeed.cli.usage import complain_of_usage
from policyfeed.errors import ConfigError, ConfigErrors, OutputError, PolicyfeedError, UsageError

app = typer.Typer(
    cls=Commands,
    help=_("Gives Korean government policy news its feed back."),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"policyfeed {__version__}")
        raise typer.Exit


@app.callback()
def start(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option("--config", help=_("Configuration folder or file; default ./config, else shipped."))
    ] = None,
    log_level: Annotated[str, typer.Option(help=_("debug, info, warning or error."))] = "",
    version: Annotated[  # noqa: ARG001 - typer handles it by its callback
        bool, typer.Option("--version", callback=_version, is_eager=True, help=_("Show the version."))
    ] = False,
) -> None:
    """Options of every command."""
    from policyfeed import logs  # not for --help

    level = log_level or ("info" if context.invoked_subcommand in ("run", "demo") else "error")
    if level not in logs.LEVELS:
        raise UsageError("No log level is called {level!r}.", remedy="Use debug, info, warning or error.", level=level)
    logs.configure(level)
    context.obj = config


def main() -> None:
    """Run the command; a user's mistake is a message and an exit code, never a traceback."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    _open_streams()
    try:
        sys.exit(app(standalone_mode=False))
    except typer.TyperException as problem:
        complain_of_usage(problem)
        sys.exit(problem.exit_code)
    except ConfigErrors as problems:
        for mistake in problems.mistakes:
            complain(mistake)
        sys.exit(USAGE)
    except PolicyfeedError as problem:
        complain(problem)
        sys.exit(USAGE if isinstance(problem, ConfigError | UsageError) else FAILED)
    except UnicodeEncodeError:
        if (unreadable := _unreadable(sys.argv[1:])) is None:
            raise
        complain(unreadable)
        sys.exit(USAGE)
    except OSError as problem:
        if problem.filename is not None or problem.errno not in (errno.ENOSPC, errno.EIO, errno.EDQUOT):
            raise
        complain(OutputError("The output could not be written: {problem}.", problem=problem.strerror))
        os._exit(FAILED)  # leaving as usual would try to write the rest once more


def _unreadable(arguments: list[str]) -> UsageError | None:
    """For the first with bytes that are no UTF-8 (of a terminal in cp949): Python makes lone surrogates of them."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            remedy = "Set the terminal to UTF-8."
            return UsageError("The argument {argument!r} is no text in UTF-8.", remedy=remedy, argument=argument)
    return None


def _open_streams() -> None:
    """The three standard streams as commands need them, whatever the caller closed."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:  # else a database would be opened as stdout
        os.set_inheritable(number, True)
    os.close(number)
    sys.stdin = sys.stdin or os.fdopen(0)
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Korean letters shows the others
