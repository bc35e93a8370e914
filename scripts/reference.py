"""Writes docs/reference from the code: commands, settings, adapters, HTTP, metrics, errors.

``make docs`` writes; ``--check`` changes nothing and fails when a page is behind. What a setting means stands in
``meanings.toml`` beside this file.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

os.environ["POLICYFEED_LANG"] = "en"  # before the commands are imported: their help is translated at import

import typer.main
from prometheus_client.metrics import MetricWrapperBase
from pydantic import BaseModel
from starlette.routing import Mount, Route

from policyfeed import errors, metrics, registry
from policyfeed.cli import app as commands
from policyfeed.cli.commands import COMMANDS, load
from policyfeed.config import models
from policyfeed.web.app import routes

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "reference"
MADE = "<!-- Made by `make docs`: do not edit. -->\n\n"
FILES = {
    "policyfeed.toml": (models.Service, models.Web, models.Polling, models.Network, models.Parsing, models.Bodies),
    "sources/*.toml": (models.SourceTable,),
    "ministries.toml": (models.MinistryTable, models.NameTable),
    "feeds.toml": (models.FeedTable,),
    "channels.toml": (models.ChannelTable,),
    "Selection": (models.SelectionTable,),
}
"""The configuration's files and the shapes of their tables. topics/*.toml is described in docs/topics.md."""
_TYPES = {
    "string": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "true or false",
    "object": "table",
}
HEADINGS = {"NameTable": "[[ministry.names]]", "SelectionTable": "select = { … }"}


class Parameter(Protocol):
    """What typer's commands tell of a parameter."""

    name: str
    opts: Sequence[str]
    secondary_opts: Sequence[str]
    param_type_name: str
    required: bool
    nargs: int
    multiple: bool
    hidden: bool
    help: str | None
    metavar: str | None


class Command(Protocol):
    """What typer tells of a command; a group has ``commands``."""

    help: str | None
    params: Sequence[Parameter]


def meanings() -> dict[str, dict[str, str]]:
    """Table → key → what it means."""
    return tomllib.loads(Path(__file__).with_name("meanings.toml").read_text(encoding="utf-8"))


def _meaning(told: Mapping[str, Mapping[str, str]], table: str, key: str) -> str:
    if key not in told.get(table, {}):
        raise SystemExit(f"scripts/meanings.toml does not say what {key} means: add it under [{table}].")
    return told[table][key]


def root_command() -> Command:
    """The whole command line."""
    return cast("Command", typer.main.get_command(commands))


def every_command() -> Iterator[tuple[str, Command]]:
    """(full name, command) of everything that can be called."""
    return ((f"policyfeed {name}", load(name)) for name in sorted(COMMANDS))


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headers, ["---"] * len(headers), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def _option(parameter: Parameter) -> str:
    return ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))


def _argument(parameter: Parameter) -> str:
    shown = parameter.metavar or (parameter.name or "").upper()
    shown = shown if parameter.nargs == 1 else f"{shown}…"
    return shown if parameter.required else f"[{shown}]"


def _usage(name: str, command: Command) -> str:
    own = _own(command)
    options = ["[OPTIONS]"] if any(one.param_type_name == "option" for one in own) else []
    return " ".join([name, *options, *(_argument(one) for one in own if one.param_type_name == "argument")])


def _own(command: Command) -> list[Parameter]:
    hidden = {"help", "install_completion", "show_completion"}
    return [one for one in command.params if one.name not in hidden and not one.hidden]


def _parameters(command: Command) -> str:
    rows = [
        (_option(one) if one.param_type_name == "option" else f"`{_argument(one).strip('[]')}`", one.help or "")
        for one in _own(command)
    ]
    return "\n" + _table(("", "meaning"), rows) if rows else ""


def commands_page() -> str:
    parts = [_parameters(root_command())]
    for name, command in every_command():
        parts.append(f"\n## {name}\n\n{(command.help or '').strip()}\n\n    {_usage(name, command)}\n")
        parts.append(_parameters(command))
    return "".join(parts)


def _type(schema: Mapping[str, Any], shapes: Mapping[str, Any]) -> str:
    """A JSON schema in words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return "[Selection](#selection)" if name == "SelectionTable" else _type(shapes[name], shapes)
    if "anyOf" in schema:
        return _type(next(one for one in schema["anyOf"] if one.get("type") != "null"), shapes)
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema["type"] == "array":
        return f"list of {_type(schema['items'], shapes)}"
    return _TYPES[schema["type"]] + _bounds(schema)


def _bounds(schema: Mapping[str, Any]) -> str:
    if "maximum" not in schema:
        return ""
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    return (
        f", {low:g} to {schema['maximum']:g}" if "minimum" in schema else f", above {low:g}, to {schema['maximum']:g}"
    )


def _default(schema: Mapping[str, Any], needed: bool) -> str:
    value = schema.get("default")
    if needed:
        return "**needed**"
    if value in (None, "", [], {}) or isinstance(value, dict):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _heading(model: type[BaseModel], file: str) -> str:
    if model.__name__ in HEADINGS:
        return HEADINGS[model.__name__]
    name = model.__name__.removesuffix("Table").lower()
    return f"[{name}]" if file == "policyfeed.toml" else f"[[{name}]]"


def settings_page() -> str:
    told = meanings()
    variables = [(f"`{name}`", meaning) for name, meaning in told["environment"].items()]
    parts = ["## Environment\n\n", _table(("variable", "meaning"), variables)]
    for file, shapes in FILES.items():
        parts.append(f"\n## {file}\n")
        for model in shapes:
            schema = model.model_json_schema()
            shaped, needed = schema.get("$defs", {}), schema.get("required", ())
            rows = [
                (f"`{key}`", _type(one, shaped), _default(one, key in needed), _meaning(told, model.__name__, key))
                for key, one in schema["properties"].items()
            ]
            parts.append(f"\n`{_heading(model, file)}`\n\n{_table(('key', 'type', 'default', 'meaning'), rows)}")
    parts.append("\n## topics/*.toml\n\nDescribed in [topics](../topics.md).\n")
    return "".join(parts)


def adapters_page() -> str:
    said = {"sources": "source", "formats": "feed", "channels": "channel"}
    parts = []
    for group, of in said.items():
        how = f" How to use and add one: [{group}](../{group}.md)." if group != "formats" else ""
        parts.append(f"\n## {group}\n\nKinds of {of}.{how}\n\n")
        rows = []
        for name in registry.names(group):
            module = registry.load(group, name)
            shown = f"`{name}`" if group != "formats" else f"`{name}`: `/feeds/NAME.{module.EXTENSION}`"
            rows.append((shown, _first(module)))
        parts.append(_table(("kind", "what it is"), rows))
    return "".join(parts)


def _first(documented: object) -> str:
    return " ".join((inspect.getdoc(documented) or "").split("\n\n")[0].split()).replace("``", "`")


def every_address() -> list[str]:
    """The addresses that the web application knows."""
    return [re.sub(r":[a-z]+", "", one.path) for one in routes() if isinstance(one, Route | Mount)]


def http_page() -> str:
    told = meanings()
    return _table(
        ("address", "what it is"), [(f"`{address}`", _meaning(told, "http", address)) for address in every_address()]
    )


def every_metric() -> Iterator[MetricWrapperBase]:
    """Our own metrics, in the order of the module."""
    return (one for one in vars(metrics).values() if isinstance(one, MetricWrapperBase))


def metric_name(metric: MetricWrapperBase) -> str:
    """The name as /metrics shows it."""
    shown = next(iter(metric.describe()))
    return f"{shown.name}_total" if shown.type == "counter" else shown.name


def metrics_page() -> str:
    rows = []
    for metric in every_metric():
        shown, labels = next(iter(metric.describe())), (f"`{name}`" for name in metric._labelnames)
        rows.append((f"`{metric_name(metric)}`", shown.type, ", ".join(labels), shown.documentation))
    return _table(("name", "type", "labels", "meaning"), rows)


def every_error() -> Iterator[type[errors.PolicyfeedError]]:
    """The classes of the tree that tell something, in the order of the module."""
    trunk = {errors.PolicyfeedError, errors.UpstreamError, errors.ConfigErrors}
    for one in vars(errors).values():
        if isinstance(one, type) and issubclass(one, errors.PolicyfeedError) and one not in trunk:
            yield one


def errors_page() -> str:
    upstream = [(f"`{one.__name__}`", _first(one)) for one in every_error() if issubclass(one, errors.UpstreamError)]
    ours = [(f"`{one.__name__}`", _first(one)) for one in every_error() if not issubclass(one, errors.UpstreamError)]
    states = "## States of a source\n\n" + _table(("state", "what happened"), upstream)
    return states + "\n## Errors of this side\n\n" + _table(("error", "what happened"), ours)


def pages() -> dict[Path, str]:
    """Every page of the reference and what it must hold."""
    made = {
        "commands": commands_page,
        "settings": settings_page,
        "adapters": adapters_page,
        "http": http_page,
        "metrics": metrics_page,
        "errors": errors_page,
    }
    said = meanings()["pages"]
    titles = {"http": "HTTP"}
    return {
        FOLDER / f"{name}.md": f"# {titles.get(name, name.capitalize())}\n\n{MADE}{said[name]}\n{page().lstrip()}"
        for name, page in made.items()
    }


def behind() -> list[Path]:
    """The pages that do not hold what the code says."""
    return [path for path, text in pages().items() if not path.is_file() or path.read_text(encoding="utf-8") != text]


def main(arguments: list[str]) -> int:
    if "--check" in arguments:
        late = behind()
        for path in late:
            sys.stderr.write(f"{path.relative_to(ROOT)} is behind the code: run `make docs`.\n")
        return 1 if late else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
