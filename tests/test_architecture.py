"""The house keeps its shape: who may import whom, how long things are, what they are called, what adapters provide."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Protocol

import pytest

from policyfeed import registry
from policyfeed.channels import Messenger
from policyfeed.formats import Format
from policyfeed.sources import Adapter

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "policyfeed"
MODULES = sorted(PACKAGE.rglob("*.py"))
PROTOCOLS: dict[str, type] = {"sources": Adapter, "formats": Format, "channels": Messenger}
ADAPTERS = [(group, name) for group in PROTOCOLS for name in registry.names(group)]
MOST_LINES_OF_A_MODULE, MOST_LINES_OF_A_FUNCTION = 400, 40
NO_NAMES = {"utils", "util", "helpers", "helper", "core", "common", "misc", "manager", "managers", "base"}


def named(file: Path) -> str:
    return file.relative_to(PACKAGE).as_posix()


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines without the docstring: saying what a function does makes it no longer."""
    documented = ast.get_docstring(function, clean=False) is not None
    begin = function.body[0].end_lineno if documented else function.lineno - 1
    return (function.end_lineno or 0) - (begin or 0)


def test_nobody_imports_what_is_above_or_beside() -> None:
    """The contracts stand in pyproject.toml, [tool.importlinter]."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr


@pytest.mark.parametrize("file", MODULES, ids=named)
def test_a_module_is_short(file: Path) -> None:
    most = MOST_LINES_OF_A_MODULE + 100 * (named(file) == "types.py")  # the vocabulary is one list, in order
    assert len(file.read_text(encoding="utf-8").splitlines()) <= most


@pytest.mark.parametrize("file", MODULES, ids=named)
def test_functions_are_short(file: Path) -> None:
    if "migrations" in file.parts:
        return  # a migration is a list of what was done once, and is not changed any more
    long = {function.name: length(function) for function in functions(file)}
    assert {name: lines for name, lines in long.items() if lines > MOST_LINES_OF_A_FUNCTION} == {}


@pytest.mark.parametrize("file", MODULES, ids=named)
def test_a_module_is_named_after_something(file: Path) -> None:
    assert not NO_NAMES & {*file.with_suffix("").relative_to(PACKAGE).parts}


@pytest.mark.parametrize("file", MODULES, ids=named)
def test_a_module_says_what_it_is_for(file: Path) -> None:
    assert not file.read_text(encoding="utf-8").strip() or ast.get_docstring(
        ast.parse(file.read_text(encoding="utf-8"))
    )


@pytest.mark.parametrize("file", MODULES, ids=named)
def test_only_the_clock_reads_the_clock(file: Path) -> None:
    """A test with a clock of its own must be able to reach every hour of the day."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    read = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert named(file) == "clock.py" or not read & {
        "datetime.now",
        "datetime.utcnow",
        "date.today",
        "datetime.today",
        "time.time",
    }


def members(protocol: type[Protocol]) -> dict[str, inspect.Signature | None]:  # type: ignore[valid-type]
    """What a Protocol asks for: functions with their signatures (without self), and constants."""
    functions = {
        name: inspect.signature(value) for name, value in vars(protocol).items()
        if inspect.isfunction(value) and not name.startswith("_")
    }  # fmt: skip
    constants: dict[str, inspect.Signature | None] = dict.fromkeys(inspect.get_annotations(protocol))
    return {**constants, **functions}


def wrong(module: ModuleType, protocol: type) -> list[str]:
    """What the module lacks of the Protocol, or has with other parameters."""
    found = []
    for name, wanted in members(protocol).items():
        given = getattr(module, name, None)
        if given is None:
            found.append(f"has no {name}")
        elif wanted is not None:
            parameters = [one for one in wanted.parameters if one != "self"]
            if list(inspect.signature(given).parameters) != parameters:
                found.append(f"{name} takes other parameters than {parameters}")
    return found


@pytest.mark.parametrize(("group", "name"), ADAPTERS)
def test_every_adapter_is_what_its_folder_asks_for(group: str, name: str) -> None:
    assert wrong(registry.load(group, name), PROTOCOLS[group]) == []


@pytest.mark.parametrize(("group", "name"), ADAPTERS)
def test_every_adapter_says_what_it_reads_or_writes(group: str, name: str) -> None:
    assert registry.load(group, name).__doc__


@pytest.mark.parametrize("group", PROTOCOLS)
def test_a_file_in_the_folder_is_an_adapter(group: str) -> None:
    files = {file.stem for file in (PACKAGE / group).glob("*.py")} - {"__init__"}
    assert files == set(registry.names(group))


@pytest.mark.parametrize("group", PROTOCOLS)
@pytest.mark.parametrize("name", ["__init__", "", "../poll", "policyfeed.poll", "os", "Feed"])
def test_what_is_not_in_the_folder_is_not_loaded(group: str, name: str) -> None:
    with pytest.raises(KeyError):
        registry.load(group, name)


def test_the_check_of_adapters_can_fail() -> None:
    assert {"has no first", "has no read"} <= set(wrong(import_module("policyfeed.clock"), Adapter))
