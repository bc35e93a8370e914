"""Backfill as an operator runs it: killed in the middle, and on from there by the same command."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.e2e.program import Program
from tests.e2e.upstream import KST, Upstream

ARGUMENTS = ("backfill", "list", "--from", "2024-08-01", "--to", "2024-08-05", "--pace", "0", "--json")
DAYS, A_DAY = 5, 25


@pytest.fixture
def upstream(upstream: Upstream) -> Upstream:
    """With some days of the past."""
    for number in range(DAYS * A_DAY):
        day, nth = divmod(number, A_DAY)
        upstream.publish(1000 + number, datetime(2024, 8, 1, 9, tzinfo=KST) + timedelta(days=day, minutes=nth))
    return upstream


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def asked(upstream: Upstream) -> list[str]:
    return [path for path in upstream.requests if "pressReleaseList" in path]


def test_a_kill_loses_nothing_and_repeats_no_day(program: Program, upstream: Upstream) -> None:
    command = [sys.executable, "-m", "policyfeed", *ARGUMENTS]
    process = subprocess.Popen(command, cwd=program.folder, env=program.environ, stdout=subprocess.PIPE, text=True)
    upstream.at_request = lambda _path, _count: (
        process.kill() if len(asked(upstream)) == 6 else None
    )  # in the third day
    told, _ = process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert [line["name"] for line in lines(told)] == ["2024-08-01", "2024-08-02"]
    upstream.requests.clear()

    again = program.run(*ARGUMENTS)
    assert again.returncode == 0, again.stderr
    *days, whole = lines(again.stdout)
    assert [line["name"] for line in days] == ["2024-08-03", "2024-08-04", "2024-08-05"]
    assert (whole["entries"], whole["new"], whole["requests"]) == (125, 125, 10)
    assert len(asked(upstream)) == 6
    assert len(program.articles()) == 125

    third = program.run(*ARGUMENTS)
    assert lines(third.stdout) == [whole]
    assert "nothing is asked now; with --again" in program.run(*(one for one in ARGUMENTS if one != "--json")).stdout
    assert program.run("deliver").returncode == 0
    assert upstream.webhooks == []


def test_coverage_finds_what_is_missing_and_backfill_mends_it(program: Program, upstream: Upstream) -> None:
    assert program.run(*ARGUMENTS).returncode == 0
    covered = program.run("coverage", "--day", "2024-08-01", "--to", "2024-08-05", "--pace", "0", "--json", "--quick")
    assert covered.returncode == 0, covered.stderr
    late = upstream.publish(2000, datetime(2024, 8, 4, 18, tzinfo=KST))
    lacking = program.run("coverage", "--day", "2024-08-04", "--pace", "0", "--json")
    assert lacking.returncode == 1
    assert lines(lacking.stdout)[-1]["missing"] == [f"127.0.0.1:{program.upstream.rpartition(':')[2]}{late.url}"]
    assert program.run(*ARGUMENTS, "--again").returncode == 0
    assert program.run("coverage", "--day", "2024-08-04", "--pace", "0").returncode == 0


def test_a_daemon_works_beside_it(program: Program, upstream: Upstream) -> None:
    program.start()
    try:
        upstream.wait(lambda: "/rss" in upstream.requests)
        done = program.run(*ARGUMENTS)
    finally:
        code = program.stop()
    assert done.returncode == 0, done.stderr
    assert code == 0
    assert lines(done.stdout)[-1]["entries"] == 125


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("backfill", "board", "--from", "2024-08-01", "--to", "2024-08-02"), "cannot be backfilled"),
        (("backfill", "list", "--from", "1. August", "--to", "2024-08-02"), "is no day"),
        (("backfill", "nothing", "--from", "2024-08-01", "--to", "2024-08-02"), "No source is called"),
        (("backfill", "list", "--from", "2024-08-01", "--to", "2999-01-01"), "is too near"),
        (("coverage", "--source", "board"), "cannot be compared"),
        (("sources", "test", "nothing"), "No source is called"),
        (("sources", "test", "https://www.korea.kr/rss/policy.xml"), "switched off"),
        (("sources", "discover", "ftp://example.go.kr/"), "no web address"),
        (("sources", "import", "nothing.opml"), "cannot be read"),
    ],
)
def test_mistakes_are_named(program: Program, arguments: tuple[str, ...], said: str) -> None:
    done = program.run(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_source_is_shown_entry_by_entry(program: Program) -> None:
    done = program.run("sources", "test", "board", "--json", "--limit", "2")
    assert done.returncode == 0, done.stderr
    head, *entries = lines(done.stdout)
    assert (head["status"], head["encoding"], head["format"], head["entries"]) == (200, "utf-8", "RSS 2.0", 30)
    assert [entry["published"] for entry in entries] == ["2024-08-05T00:24:00Z", "2024-08-05T00:23:00Z"]
    assert {"kept", "score", "key", "kind", "ministry", "raw_date", "url"} <= entries[0].keys()
    lead = entries[0]["summary"]
    assert "붙임을 참고" in lead
    shown = program.run("sources", "test", "board")
    assert f"   {lead}\n" in shown.stdout
    assert "10 more entries" in shown.stdout
    assert program.articles() == []


def test_sources_go_out_and_come_in(program: Program) -> None:
    out = program.folder / "feeds.opml"
    assert program.run("sources", "export", "--out", str(out)).returncode == 0
    text = out.read_text().replace("/rss", "/other.xml")
    out.write_text(
        text.replace("<body>", '<body><outline xmlUrl="https://www.korea.kr/rss/dept_me.xml" text="환경부"/>')
    )
    done = program.run("--config", "config", "sources", "import", str(out))
    assert done.returncode == 0, done.stderr
    assert "switched off" in done.stderr
    assert "other.xml" in (program.folder / "config/sources/imported.toml").read_text()
    assert program.run("check").returncode == 0
    again = program.run("--config", "config", "sources", "import", str(out))
    assert "is configured already" in again.stderr
