"""The process that polls loads no parser: what it asked for is read in a worker. Counted in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from policyfeed.normalize import parsers
from tests.fakes import Item, rss

POLLS = """
import asyncio, json, sys
from pathlib import Path
from policyfeed.app import opened
from policyfeed.clock import now
from policyfeed.config import load
from policyfeed.types import Document
config, feed = load(Path(sys.argv[1]), {}), Path(sys.argv[2]).read_bytes()

class Server:
    async def fetch(self, request, manner):
        return Document(url=request.url, status=200, body=feed, fetched=now())

async def main():
    async with opened(config, Path(sys.argv[3]), client=Server(), environ={}) as app:
        report = await app.poll(app.enabled()[0])
    print(json.dumps([report.state, report.new, sorted(sys.modules)]))

asyncio.run(main())
"""
SOURCE = """
[[source]]
id = "f"
kind = "feed"
url = "http://127.0.0.1:9/rss"
ministry = "mcee"
"""


def run(script: str, *arguments: object) -> str:
    call = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(call, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": ""}).stdout


def test_who_polls_loads_no_parser(tmp_path: Path) -> None:
    folder, feed = tmp_path / "config", tmp_path / "feed.xml"
    (folder / "sources").mkdir(parents=True)
    (folder / "policyfeed.toml").write_text("")
    (folder / "sources" / "own.toml").write_text(SOURCE)
    feed.write_text(rss(Item(number=7)), encoding="utf-8")
    said = run(POLLS, folder, feed, tmp_path / "data")
    assert said.startswith('["ok", 1, ')
    assert [name for name in parsers.PRELOAD if f'"{name}"' in said] == []


def test_the_shipped_configuration_loads_what_checks_its_selectors_alone() -> None:
    script = "import sys; from policyfeed.config import load, shipped; load(shipped(), {}); print(*sys.modules)"
    found = set(run(script).split())
    assert {name for name in parsers.PRELOAD if name in found} == {"selectolax.lexbor"}


@pytest.mark.parametrize("name", parsers.LIBRARIES)
def test_a_parser_that_is_named_is_there(name: str) -> None:
    run(f"import {name}")
