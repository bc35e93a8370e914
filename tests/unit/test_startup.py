"""What a command does not need is not loaded: counted in modules, as Python itself tells of its imports."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import typer.main

from policyfeed.cli.commands import COMMANDS

HEAVY = {"apscheduler", "feedgen", "feedparser", "httpcore", "httpx", "jinja2", "sqlalchemy", "starlette", "uvicorn"}


def loaded(folder: Path, *arguments: str, given: str = "") -> set[str]:
    """The packages that ``policyfeed`` imports when it is called like this."""
    call = [sys.executable, "-X", "importtime", "-m", "policyfeed", *arguments]
    environ = {**os.environ, "POLICYFEED_DATA": str(folder)}
    done = subprocess.run(call, input=given, capture_output=True, text=True, check=True, cwd=folder, env=environ)
    lines = (line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:"))
    return {name.partition(".")[0] if not name.startswith("policyfeed") else name for name in lines}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_loads_no_command(tmp_path: Path, arguments: list[str]) -> None:
    found = loaded(tmp_path, *arguments)
    assert not found & (HEAVY | {"pydantic", "structlog"})
    assert not {f"policyfeed.cli.{module}" for module, _line in COMMANDS.values()} & found


def test_judging_text_needs_neither_database_nor_network_nor_web(tmp_path: Path) -> None:
    found = loaded(tmp_path, "classify", "--json", given='{"title": "온실가스 배출권 할당계획 확정"}')
    assert "policyfeed.relevance" in found
    assert not found & HEAVY


@pytest.mark.parametrize("arguments", [["articles"], ["explain", "온실가스"], ["outbox", "list"], ["sources", "list"]])
def test_asking_the_database_needs_neither_network_nor_web(tmp_path: Path, arguments: list[str]) -> None:
    found = loaded(tmp_path, *arguments)
    assert "sqlalchemy" in found
    assert not found & {"apscheduler", "feedgen", "httpx", "jinja2", "starlette", "uvicorn"}


def test_every_command_of_the_modules_is_listed() -> None:
    modules = {module for module, _line in COMMANDS.values()}
    groups = {name: typer.main.get_group(import_module(f"policyfeed.cli.{name}").app) for name in modules}
    there = {(module, name) for module, group in groups.items() for name in group.commands}
    assert {(module, name.split()[-1]) for name, (module, _line) in COMMANDS.items()} == there
