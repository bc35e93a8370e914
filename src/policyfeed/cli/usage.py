"""What typer says of a call, in the user's language: what it does not ask gettext for comes as finished English."""

from __future__ import annotations

from typing import Any

import typer

from policyfeed.cli.say import _, err
from policyfeed.i18n import marked, retold

TEMPLATES = (
    marked("Usage: {usage}"),
    marked("Show this message and exit."),
    marked("Install completion for the current shell."),
    marked("Show completion for the current shell, to copy it or customize the installation."),
    marked("{said}. Did you mean {others}?"),
    marked("No such option: {name} (Possible options: {others})"),
    marked("No such option: {name}"),
    marked("Option {name} does not take a value."),
    marked("Option {name} requires an argument."),
    marked("Option {name} requires {count} arguments."),
    marked("Argument {name} takes {count} values."),
    marked("Got unexpected extra argument(s) ({given})"),
    marked("Missing argument {name}. {said}"),
    marked("Missing argument {name}."),
    marked("Missing option {name}. {said}"),
    marked("Missing option {name}."),
    marked("Choose from:{choices}"),
    marked("Invalid value for {name}: Value error, {said}"),  # of pydantic, as all that says "input"
    marked("Invalid value for {name}: {said}"),
    marked("Invalid value: {said}"),
    marked("Input should be a valid integer, unable to parse string as an integer"),
    marked("Unable to parse input string as an integer, exceeded maximum size"),
    marked("Input should be a valid number, unable to parse string as a number"),
    marked("Input should be greater than or equal to {least}"),
    marked("Input should be less than or equal to {most}"),
    marked("{value} is not one of {choices}."),
    marked("Value {value} is not a valid {kind}."),
    marked("Value must be an iterable."),
    marked("Could not open file {name}: {said}"),
    marked("path {name} does not exist."),
    marked("path {name} is a file."),
    marked("path {name} is a directory."),
    marked("path {name} is not readable."),
    marked("path {name} is not writable."),
)
"""What typer and pydantic make of their texts; where two fit, the narrower one is first."""


def retell(text: str) -> str:
    """A text of typer's in the user's language."""
    return retold(text, TEMPLATES, _)


def retell_lines(parameters: list[Any]) -> list[Any]:
    """The same for the lines of parameters: ``--help`` and the like are typer's own."""
    for one in parameters:
        one.help = retell(one.help or "")
    return parameters


def complain_of_usage(problem: typer.TyperException) -> None:
    """How the command is called, and what was wrong; nothing when typer has shown the help instead."""
    said = problem.format_message()
    if said:
        if context := getattr(problem, "ctx", None):
            err.print(context.get_usage())
        err.print(retell(said), style="red")
