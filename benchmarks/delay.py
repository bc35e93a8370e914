"""From publication to first sight: how long releases wait for a poll, at equal numbers of requests.

    python benchmarks/delay.py [--times FILE.csv.gz …] [--train-until DATE] [--test-from DATE]
                                [--polls 12,24,48] [--daily] [--floor MINUTES] [--known DAYS] [--json]

Replays real approval times (columns ``approved_kst``, ``ministry``; gzipped or not, in any order; a time without a zone
is Korean; what several files hold counts once) ministry by ministry. The planner is the daemon's own ``next_poll``; at
every poll it is told what a poll there would have shown, and nothing else. A body that was renamed goes on in its feed,
so its releases under earlier names are seen there, too (``ministries.toml``). docs/rhythm.md describes the rules it is
measured against.
"""

from __future__ import annotations

import argparse
import bisect
import csv
import gzip
import json
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import fmean, median
from typing import Any

from delay_picture import draw
from delay_prior import as_text, learn
from delay_rules import DAY, LEAST, clairvoyant, commafeed, fixed, miniflux

from policyfeed import rhythm
from policyfeed.config import load, shipped
from policyfeed.rhythm import Bounds, Prior, Profile, next_poll, with_plan
from policyfeed.rhythm.calendar import KST
from policyfeed.rhythm.profile import MEMORY
from policyfeed.rhythm.views import day_of

Times = dict[str, list[float]]
"""Per ministry the approval times, seconds since the epoch, in order."""

SHIPPED = Path(rhythm.__file__).with_name("prior.json")
LEAST_RELEASES = 100
PHASES = 8
OURS, DAILY, UNTOLD = "policyfeed", "policyfeed, day by day", "policyfeed, floor untold"
KNEW, MINIFLUX, COMMAFEED, FIXED = (
    "knew the test weeks",
    "miniflux entry_frequency",
    "CommaFeed empirical",
    "fixed interval",
)


@dataclass(frozen=True, slots=True)
class Case:
    """One ministry's part of the test: ``test`` is what counts of what its feed shows (``past``, then ``shown``)."""

    ministry: str
    past: list[float]
    shown: list[float]
    test: list[float]
    start: float
    end: float
    floor: float
    """Seconds that its server wants between two polls."""

    @property
    def days(self) -> float:
        return (self.end - self.start) / 86400


@dataclass(frozen=True, slots=True)
class Row:
    """What a plan did: requests ``made`` a day and source, ``most`` on any one day of a source, and when."""

    polls: int
    plan: str
    made: float
    most: int
    delays: list[float]
    moments: list[float]

    def figures(self) -> dict[str, Any]:
        ordered = sorted(self.delays)
        return {
            "polls": self.polls,
            "plan": self.plan,
            "made": round(self.made, 2),
            "most_on_a_day": self.most,
            "mean": round(fmean(ordered), 1),
            "median": round(median(ordered), 1),
            **{f"p{percent}": round(ordered[len(ordered) * percent // 100], 1) for percent in (75, 90, 99)},
        }


def read_times(files: Iterable[Path]) -> Times:
    """All files' releases. A ministry may have several at one moment, but what another file has again is the same."""
    found = Counter[tuple[str, float]]()
    for file in files:
        try:
            found |= Counter(_releases(file))
        except (OSError, EOFError, ValueError, csv.Error, zlib.error) as problem:
            sys.exit(f"{file} cannot be read: {problem}")
    times: Times = {}
    for ministry, time in sorted(found.elements()):
        times.setdefault(ministry, []).append(time)
    return times


def _releases(file: Path) -> Iterator[tuple[str, float]]:
    opened = gzip.open if file.suffix == ".gz" else open
    with opened(file, "rt", encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines)
        if not {"approved_kst", "ministry"} <= set(rows.fieldnames or ()):
            raise ValueError("its first line does not name the columns approved_kst and ministry")
        for row in rows:
            try:
                moment = datetime.fromisoformat(row["approved_kst"])
            except ValueError as problem:
                raise ValueError(f"line {rows.line_num}: {problem}") from None
            if not row["ministry"]:
                raise ValueError(f"line {rows.line_num}: no ministry")
            yield row["ministry"], (moment if moment.tzinfo else moment.replace(tzinfo=KST)).timestamp()


def feeds_of(times: Times) -> Times:
    """By name, what the body so named published under any of its names: its feed is the same one."""
    bodies = load(shipped(), {}).ministries
    names: dict[str, list[str]] = {}
    for name in times:
        names.setdefault(bodies.named(name).id, []).append(name)
    merged = {body: sorted(time for name in of for time in times[name]) for body, of in names.items()}
    return {name: merged[body] for body, of in names.items() for name in of}


def cases_of(times: Times, start: float, end: float, wish: argparse.Namespace) -> list[Case]:
    feeds, known, floor = feeds_of(times), start - wish.known * DAY, wish.floor * 60.0
    found = []
    for ministry, releases in sorted(times.items()):
        test = _between(releases, start, end)
        if len(test) >= wish.least:
            past, shown = (_between(feeds[ministry], *part) for part in ((known, start), (start, end)))
            found.append(Case(ministry, past, shown, test, start, end, floor))
    return found


def _between(times: list[float], start: float, end: float) -> list[float]:
    return times[bisect.bisect_left(times, start) : bisect.bisect_left(times, end)]


def planned(case: Case, bounds: Bounds, prior: Prior, *, told: bool) -> list[float]:
    """The polls of the daemon's planner over the test, told only what its polls have seen. ``told``: and what time its
    server wants between them, which is kept in any case."""
    now = case.start - 3600
    profile = Profile().seen(_moments(case.past), _moment(now), prior)
    profile = replace(profile, day=0, used=0, week=0, spent=0, first=0)
    polls: list[float] = []
    known, found = 0, False
    while now < case.end:
        floor = _moment(now + case.floor)
        profile = with_plan(profile, prior, _moment(now), bounds, floor=floor if told else None, seed=case.ministry)
        due = next_poll(profile, prior, _moment(now), bounds, found_new=found, floor=floor, seed=case.ministry)
        now = max(due.timestamp(), case.start)
        polls.append(now)
        new = bisect.bisect_right(case.shown, now, known)
        profile = profile.seen(_moments(case.shown[known:new]), _moment(now), prior)
        known, found = new, new > known
    return polls


def delays_of(polls: list[float], releases: list[float]) -> list[float]:
    """A release counts as seen at the first poll at or after it; what no poll saw any more is left out."""
    seen = ((bisect.bisect_left(polls, release), release) for release in releases)
    return [polls[index] - release for index, release in seen if index < len(polls)]


def _row(polls: int, name: str, cases: list[Case], make: Callable[[Case], list[float]]) -> Row:
    delays: list[float] = []
    moments: list[float] = []
    most = 0
    for case in cases:
        made = make(case)
        delays += delays_of(made, case.test)
        inside = [poll for poll in made if poll < case.end]
        most = max(most, *Counter(map(day_of, inside)).values())
        moments += inside
    return Row(polls, name, len(moments) / sum(case.days for case in cases), most, delays, moments)


def _scaled(polls: int, name: str, cases: list[Case], make: Callable[[Case, float], list[float]]) -> Row:
    """The rule with its one setting chosen so that over all sources it makes the budget's number of requests."""
    low, high = 0.01, 10_000.0
    for _ in range(13):
        middle = (low * high) ** 0.5
        made = _row(polls, name, cases, _set(make, middle)).made
        low, high = (low, middle) if made > polls else (middle, high)
    return _row(polls, name, cases, _set(make, low))


def _set(make: Callable[[Case, float], list[float]], setting: float) -> Callable[[Case], list[float]]:
    return lambda case: make(case, setting)


def _fixed(polls: int, cases: list[Case]) -> Row:
    """The fixed interval, over several places of it in the hour: where it falls must not decide."""
    parts = [_row(polls, FIXED, cases, partial(fixed, polls=polls, shift=n / PHASES)) for n in range(PHASES)]
    return _joined(parts)


def row_of(polls: int, plan: str, cases: list[Case], prior: Prior) -> Row:
    match plan:
        case "fixed interval":
            return _fixed(polls, cases)
        case "miniflux entry_frequency":
            return _scaled(polls, plan, cases, miniflux)
        case "CommaFeed empirical":
            return _scaled(polls, plan, cases, commafeed)
        case "knew the test weeks":
            return _row(polls, plan, cases, partial(clairvoyant, polls=polls))
    most = polls if plan == DAILY else -(-3 * polls // 2)
    bounds = Bounds(polls_per_day=most, usual_per_day=polls)
    return _row(polls, plan, cases, partial(planned, bounds=bounds, prior=prior, told=plan != UNTOLD))


def measured(cases: list[Case], budgets: list[int], plans: list[str], prior: Prior) -> list[Row]:
    """Every plan at every budget, on all processors. Ours is split by ministry, being the dearest."""
    with ProcessPoolExecutor() as pool:
        jobs = {
            (polls, plan): [
                pool.submit(row_of, polls, plan, part, prior)
                for part in ([[case] for case in cases] if plan.startswith(OURS) else [cases])
            ]
            for polls in budgets
            for plan in plans
        }
        return [_joined([job.result() for job in parts]) for parts in jobs.values()]


def _joined(parts: list[Row]) -> Row:
    return replace(
        parts[0],
        made=fmean(part.made for part in parts),
        most=max(part.most for part in parts),
        delays=[delay for part in parts for delay in part.delays],
        moments=[moment for part in parts for moment in part.moments],
    )


def report(rows: list[Row]) -> list[dict[str, Any]]:
    """The figures of every row; with how many times those of the fixed interval and of both rules are as long."""
    lines = [row.figures() for row in rows]
    by = {(line["polls"], line["plan"]): line for line in lines}
    for line in lines:
        fixed = by[line["polls"], FIXED]
        line["mean_ratio"] = round(fixed["mean"] / line["mean"], 2)
        line["median_ratio"] = round(fixed["median"] / line["median"], 1)
        for name, rule in (("miniflux", MINIFLUX), ("commafeed", COMMAFEED)):
            line[f"mean_ratio_to_{name}"] = round(by[line["polls"], rule]["mean"] / line["mean"], 2)
    return lines


def table(lines: list[dict[str, Any]]) -> str:
    head = (
        f"{'budget':>6}  {'made':>5} {'most':>5}  {'plan':26} {'mean s':>8} {'median s':>8} {'p90 s':>8}"
        "   of fixed: mean, median   of miniflux, CommaFeed"
    )
    body = [
        f"{x['polls']:>6}  {x['made']:>5.1f} {x['most_on_a_day']:>5}  {x['plan']:26} {x['mean']:>8.0f}"
        f" {x['median']:>8.0f} {x['p90']:>8.0f}             1/{x['mean_ratio']:.2f}  1/{x['median_ratio']:<5.1f}"
        f"            1/{x['mean_ratio_to_miniflux']:.2f}  1/{x['mean_ratio_to_commafeed']:.2f}"
        for x in lines
    ]
    return "\n".join([head, *body])


def _midnight(day: date) -> float:
    return datetime.combine(day, datetime.min.time(), KST).timestamp()


def _moment(time: float) -> datetime:
    return datetime.fromtimestamp(time, UTC)


def _moments(times: list[float]) -> list[datetime]:
    return [_moment(time) for time in times]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=Path, nargs="+", action="extend", help="CSV, gzipped or not")
    parser.add_argument(
        "--train-until",
        type=date.fromisoformat,
        default=date(2024, 12, 31),
        help="last day, included; the day before the test's first where that is earlier",
    )
    parser.add_argument("--test-from", type=date.fromisoformat, help="first day; default: the day after --train-until")
    parser.add_argument("--test-until", type=date.fromisoformat, help="last day; default: the last release's")
    parser.add_argument("--polls", type=_budgets, default="12,24,48", help="budgets, requests a day and source")
    parser.add_argument("--daily", action="store_true", help="also the plan held to its budget on every single day")
    parser.add_argument(
        "--floor", type=int, default=0, help="minutes that servers want between two polls of ours; 24 h at most count"
    )
    parser.add_argument("--known", type=int, default=MEMORY, help="days before the test that are known; 0 = none")
    parser.add_argument("--least", type=int, default=LEAST_RELEASES, help="releases that a ministry has in the test")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--picture", type=Path, help="draw the picture there (SVG)")
    parser.add_argument("--write-prior", type=Path, help="only learn the prior from the training days, and write it")
    wish = parser.parse_args()
    wish.times = wish.times or [Path("release-times.csv.gz")]
    wish.test_from = wish.test_from or wish.train_until + timedelta(days=1)
    wish.train_until = min(wish.train_until, wish.test_from - timedelta(days=1))  # what is tested must not be known
    return wish


def _budgets(text: str) -> list[int]:
    budgets = [int(polls) if polls.strip().isdecimal() else 0 for polls in text.split(",")]
    if not all(1 <= polls <= DAY / LEAST for polls in budgets):
        raise argparse.ArgumentTypeError(f"whole numbers from 1 to {DAY / LEAST:.0f} with commas between them")
    return budgets


def main() -> None:
    wish = arguments()
    times = read_times(wish.times)
    if not times:
        sys.exit("The files hold no release.")
    learned = learn(times, _midnight(wish.train_until + timedelta(days=1)))
    if not learned:
        learned = json.loads(SHIPPED.read_text("utf-8"))
        said = f"Too few releases until {wish.train_until} to learn a prior from: the shipped one knows them"
        print(f"{said} until {learned['until']}.", file=sys.stderr)
    if wish.write_prior:
        wish.write_prior.write_text(as_text(learned), encoding="utf-8")
        return
    last = max(releases[-1] for releases in times.values())
    until = wish.test_until or _moment(last).astimezone(KST).date()
    cases = cases_of(times, _midnight(wish.test_from), _midnight(until + timedelta(days=1)), wish)
    if not cases:
        sys.exit(f"No ministry has {wish.least} releases from {wish.test_from} to {until}.")
    ours = [OURS, *([DAILY] if wish.daily else []), *([UNTOLD] if wish.floor else [])]
    plans = [*ours, KNEW, MINIFLUX, COMMAFEED, FIXED]
    rows = measured(cases, wish.polls, plans, Prior.from_json(learned))
    _show(rows, cases, learned["until"], wish)


def _show(rows: list[Row], cases: list[Case], learned: str, wish: argparse.Namespace) -> None:
    lines = report(rows)
    what = {
        "learned_until": learned,
        "ministries": len(cases),
        "releases": sum(len(case.test) for case in cases),
        "from": _moment(cases[0].start).astimezone(KST).date().isoformat(),
        "until": _moment(cases[0].end - 1).astimezone(KST).date().isoformat(),
    }
    if wish.json:
        print(json.dumps({**what, "rows": lines}, ensure_ascii=False))
    else:
        print("{releases} releases of {ministries} ministries, {from} to {until}".format(**what))
        print(table(lines))
    if wish.picture:
        releases = [release for case in cases for release in case.test]
        wish.picture.write_text(draw(rows, releases), encoding="utf-8")


if __name__ == "__main__":
    main()
