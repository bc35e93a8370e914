"""``benchmarks/delay.py`` as it is called: any files, one JSON document, each ministry by itself."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
HEAD = "approved_kst,ministry\n"
FIRST, TEST, LAST = datetime(2026, 1, 5), datetime(2026, 3, 2), datetime(2026, 4, 13)  # noqa: DTZ001 - Korean time


def lines(ministry: str, start: datetime, end: datetime, *hours: float) -> str:
    """A ministry that releases at these hours of every day but Saturday and Sunday."""
    days = (start + timedelta(days=day) for day in range((end - start).days))
    times = [day + timedelta(hours=hour) for day in days if day.weekday() < 5 for hour in hours]
    return "".join(f"{time.isoformat()},{ministry}\n" for time in times)


def table(folder: Path, text: str) -> dict[str, Any]:
    """The benchmark's document for these releases at 12 polls, tested from TEST on."""
    (folder / "times.csv").write_text(HEAD + text, encoding="utf-8")
    command = [sys.executable, str(ROOT / "benchmarks/delay.py"), "--times", "times.csv", "--json", "--polls", "12"]
    command += ["--train-until", "2026-03-01"]
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def test_a_body_that_was_renamed_keeps_its_past(tmp_path: Path) -> None:
    past, hours = lines("기획재정부", FIRST, TEST, 9.1, 13.35, 15.21, 17.6), (9.1, 13.35, 15.21, 17.6)
    means = {}
    for name in ("재정경제부", "새로운부"):
        found = table(tmp_path, past + lines(name, TEST, LAST, *hours))
        assert (found["ministries"], found["releases"]) == (1, 120)
        means[name] = found["rows"][0]["mean"]
    assert means["재정경제부"] < means["새로운부"] / 1.5


def test_any_files_give_the_table_as_json(tmp_path: Path) -> None:
    past, later = tmp_path / "past.csv", tmp_path / "later.csv.gz"
    past.write_text(HEAD + lines("기획재정부", FIRST, TEST, 9, 12, 15.21, 17), encoding="utf-8")
    with gzip.open(later, "wt", encoding="utf-8") as file:
        file.write(HEAD + lines("기획재정부", TEST, LAST, 9, 12, 15.21, 17))
        file.write(lines("재정경제부", TEST, LAST, 0, 9, 11, 12) + lines("작은청", TEST, LAST, 10))
    command = [sys.executable, str(ROOT / "benchmarks/delay.py"), "--times", str(past), str(later), "--json"]
    told = subprocess.run(
        [*command, "--train-until", "2026-03-01", "--polls", "12"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
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
