"""How many of an editor's picks are among our best of the same days: does the order serve who curates a board?

    python -m benchmarks.board --picked PICKED.jsonl --texts RELEASES.jsonl.gz … --from DATE --until DATE [--best 100]

PICKED names releases (``url`` with a newsId), RELEASES are all there were (newsId, title, ministry, approved, body). Of
releases that differ by marks in their titles alone, as joint ones do, one is ranked: a picked one if there is one.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz

from policyfeed.relevance import Judge, judge_text, load_topics

ROOT = Path(__file__).parent.parent
LEADS = (0, 150, 250, 400)
ALIKE = 88
MARKS = re.compile(r"\[[^\]]*\]|\([^)]*\)|[^0-9a-zA-Z가-힣]")

Release = dict[str, Any]


def main() -> None:
    options = _options()
    picked = {_news_id(line["url"]) for line in _lines(options.picked) if line.get("url")}
    first, last = options.since.isoformat(), options.until.isoformat()
    week = [one for file in options.texts for one in _lines(file) if first <= one["approved"][:10] <= last]
    ranked = _once(sorted(week, key=lambda one: one["newsId"] not in picked))
    among = [one for one in ranked if one["newsId"] in picked]
    judge = Judge(load_topics(options.topics))
    print(f"{len(week)} releases, {len(ranked)} with joint ones once; {len(among)} of them picked")
    for lead in LEADS:
        best = _best(judge, ranked, lead, options.best)
        print(f"title and {lead:3} characters: {len(picked & best)} picks among the {options.best} best")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picked", type=Path, required=True)
    parser.add_argument("--texts", nargs="+", type=Path, required=True)
    parser.add_argument("--from", dest="since", type=date.fromisoformat, required=True, help="first day")
    parser.add_argument("--until", type=date.fromisoformat, required=True, help="last day, included")
    parser.add_argument("--best", type=int, default=100)
    parser.add_argument("--topics", type=Path, default=ROOT / "config" / "topics")
    return parser.parse_args()


def _lines(file: Path) -> Iterable[Release]:
    opened = gzip.open if file.suffix == ".gz" else open
    with opened(file, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _news_id(url: str) -> str:
    return url.rpartition("newsId=")[2]


def _once(releases: Iterable[Release]) -> list[Release]:
    found: dict[str, Release] = {}
    for one in releases:
        title = MARKS.sub("", one["title"])
        if not any(fuzz.ratio(title, other) >= ALIKE for other in found):
            found[title] = one
    return list(found.values())


def _best(judge: Judge, releases: Sequence[Release], lead: int, count: int) -> set[str]:
    """The newsIds of the highest scores, where the first ``lead`` characters of the text are known."""

    def rank(one: Release) -> tuple[float, str]:
        verdict = judge_text(judge, title=one["title"], lead=one["body"][:lead], ministry=one["ministry"])
        return -verdict.score, one["newsId"]

    return {news_id for _, news_id in sorted(map(rank, releases))[:count]}


if __name__ == "__main__":
    main()
