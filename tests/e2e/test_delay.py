"""``benchmarks/delay.py`` as it is called: any files, one JSON document, each ministry by itself."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
HEAD = "approved_kst,ministry\n"
FIRST, TEST, LAST = datetime(2026, 1, 5), datetime(2026, 3, 2), datetime(2026, 4, 13)  # noqa: DTZ001 - Korean time


def lines(ministry: str, start: datetime, end: datetime, *hours: float) -> str:
    """A ministry that releases at these hours of every day but Saturday and Sunday."""
    days = (start + timedelta(days=day) for day in range((end - start).days))
    times = [day + timedelta(hours=hour) for day in days if day.weekday() < 5 for hour in hours]
    return "".join(f"{time.isoformat()},{ministry}\n" for time in times)


def called(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "benchmarks/delay.py"), "--json", "--polls", "12", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


def table(folder: Path, *texts: str) -> dict[str, Any]:
    """The benchmark's document for these files' releases at 12 polls, tested from TEST on."""
    names = [f"{number}.csv" for number, _ in enumerate(texts)]
    for name, text in zip(names, texts, strict=True):
        (folder / name).write_text(text, encoding="utf-8")
    told = called(folder, "--train-until", "2026-03-01", "--times", *names)
    assert told.returncode == 0, told.stderr
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def test_a_body_that_was_renamed_keeps_its_past(tmp_path: Path) -> None:
    past, hours = lines("기획재정부", FIRST, TEST, 9.1, 13.35, 15.21, 17.6), (9.1, 13.35, 15.21, 17.6)
    means = {}
    for name in ("재정경제부", "새로운부"):
        found = table(tmp_path, HEAD + past + lines(name, TEST, LAST, *hours))
        assert (found["ministries"], found["releases"]) == (1, 120)
        means[name] = found["rows"][0]["mean"]
    assert means["재정경제부"] < means["새로운부"] / 1.5


def test_any_files_give_the_table_as_json(tmp_path: Path) -> None:
    past, later = tmp_path / "past.csv", tmp_path / "later.csv.gz"
    past.write_text(HEAD + lines("기획재정부", FIRST, TEST, 9, 12, 15.21, 17), encoding="utf-8")
    with gzip.open(later, "wt", encoding="utf-8") as file:
        file.write(HEAD + lines("기획재정부", TEST, LAST, 9, 12, 15.21, 17))
        file.write(lines("재정경제부", TEST, LAST, 0, 9, 11, 12) + lines("작은청", TEST, LAST, 10))
    told = called(tmp_path, "--train-until", "2026-03-01", "--times", str(past), str(later))
    found = json.loads(told.stdout)
    assert (found["ministries"], found["releases"]) == (2, 240), "with less than 100 releases it is left out"
    assert (found["from"], found["until"]) == ("2026-03-02", "2026-04-10")
    plans = {row["plan"]: row for row in found["rows"]}
    ours = plans["policyfeed"]
    assert ours["made"] <= 12
    assert ours["most_on_a_day"] <= 18
    assert ours["mean_ratio"] > 3.5
    assert min(ours["mean_ratio_to_miniflux"], ours["mean_ratio_to_commafeed"]) > 2
    assert plans["fixed interval"]["mean_ratio"] == 1


def test_files_written_otherwise_give_the_same_table(tmp_path: Path) -> None:
    past, later = (lines("기획재정부", *days, 9, 12, 15.21, 17) for days in ((FIRST, TEST), (TEST, LAST)))
    usual = table(tmp_path, HEAD + past, HEAD + later + later)
    assert usual["releases"] == 240, "two at one moment are two"
    rows = [line.split(",") for line in later.splitlines() * 2]
    utc = [f"{datetime.fromisoformat(time) - timedelta(hours=9)}Z,{name}\n" for time, name in rows]
    turned = "".join(f"{name},{time}\n" for time, name in rows)
    for file in ("\ufeff" + HEAD + "".join(reversed(utc)), "ministry,approved_kst\n" + turned):
        assert table(tmp_path, file, HEAD + past, HEAD + later) == usual, "what another file has again is no other"


def on_the_dot() -> str:
    return "".join(lines(f"{n}청", FIRST - timedelta(days=90), LAST, 9, 12, 15, 17) for n in range(20))


def off_the_dot_and_on_sundays() -> str:
    others = "".join(lines(f"{n}청", FIRST - timedelta(days=90), TEST, 10.37, 13.81) for n in range(20))
    return others + "".join(
        f"{(FIRST - timedelta(days=7 * week + 1, hours=-hour)).isoformat()},{week % 20}청\n"
        for week in range(12)
        for hour in (6, 6, 6, 10.37, 10.37, 10.37)
    )


def learned_until(folder: Path, text: str, *words: str) -> str:
    """The last day that the prior knows which is learned from these releases."""
    (folder / "times.csv").write_text(HEAD + text, encoding="utf-8")
    told = called(folder, "--times", "times.csv", "--write-prior", "prior.json", *words)
    assert told.returncode == 0, told.stderr
    return str(json.loads((folder / "prior.json").read_text())["until"])


def test_releases_all_on_the_dot_are_learned_from(tmp_path: Path) -> None:
    many, train = on_the_dot(), ("--train-until", "2026-03-01")
    assert learned_until(tmp_path, many, *train) == "2024-12-31", "the shipped prior's: too little else"
    assert learned_until(tmp_path, many + off_the_dot_and_on_sundays(), *train) == "2026-03-01"


@pytest.mark.parametrize("train", ["2026-03-02", "2026-04-01"])
def test_what_is_tested_is_not_trained_on(tmp_path: Path, train: str) -> None:
    times = on_the_dot() + off_the_dot_and_on_sundays()
    assert learned_until(tmp_path, times, "--train-until", train, "--test-from", "2026-03-02") == "2026-03-01"


def test_what_cannot_be_read_or_tested_is_said(tmp_path: Path) -> None:
    def said(text: str, *words: str) -> str:
        (tmp_path / "times.csv").write_text(text, encoding="utf-8")
        told = called(tmp_path, "--times", "times.csv", *words)
        assert (told.returncode != 0, told.stdout) == (True, "")
        return told.stderr.splitlines()[-1]

    columns = "times.csv cannot be read: its first line does not name the columns approved_kst and ministry"
    assert said("") == said("time,ministry\n") == columns
    assert said(HEAD) == "The files hold no release."
    good = lines("기획재정부", FIRST, FIRST + timedelta(days=1), 9)
    assert (
        said(HEAD + good + "어제,기획재정부\n") == "times.csv cannot be read: line 3: Invalid isoformat string: '어제'"
    )
    assert said(HEAD + good + "2026-01-05T09:00:00\n") == "times.csv cannot be read: line 3: no ministry"
    assert said(HEAD + good, "--times", "none.csv").startswith("none.csv cannot be read: ")
    assert said(HEAD + good) == "No ministry has 100 releases from 2025-01-01 to 2026-01-05."
    assert "whole numbers from 1 to 288" in said(HEAD + good, "--polls", "12,0")
