"""What is compared with the replica's truth: releases, joins, edits and withdrawals, alerts, coverage."""

from __future__ import annotations

import gzip
import json
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from real_world import KST, Daemon, ask

ATOM = "{http://www.w3.org/2005/Atom}"
_MARK = re.compile(r"^\s*(?:[\[(【〔][^\])】〕]{1,14}[\])】〕]\s*)+")
_POLLS = re.compile(
    r'^policyfeed_(polls|requests)_total\{(?:outcome="(\w+)",)?source="([\w-]+)"\} ([\d.]+)$', re.MULTILINE
)
_FAILED = r"^(?!new$|nothing$|unchanged$|held$)"


@dataclass(slots=True)
class Watched:
    """Problems found, with the figures."""

    problems: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    def check(self, right: bool, problem: str) -> None:
        if not right:
            self.problems.append(problem)


@dataclass
class Compared:
    """The truth and what is stored, as they are now."""

    daemon: Daemon
    watched: Watched
    begun: datetime
    """The first day whose releases are compared."""

    @cached_property
    def truth(self) -> dict[str, Any]:
        found: dict[str, Any] = self.daemon.replica.ask("/truth")
        return found

    @cached_property
    def articles(self) -> list[dict[str, Any]]:
        return self.daemon.articles()

    @cached_property
    def sites(self) -> dict[str, str]:
        """A release's address on its ministry's site → its newsId."""
        return {_plain(one["site"]): one["newsId"] for one in self.truth["items"] if one["site"]}

    def releases(self, article: Mapping[str, Any]) -> dict[str, set[str]]:
        """newsId → on which sort of place the article shows it: portal, site."""
        found: dict[str, set[str]] = {}
        for origin in article["origins"]:
            portal = re.search(r"korea\.kr/.*newsId=(\d+)", origin["url"])
            if id_ := portal[1] if portal else self.sites.get(_plain(origin["url"])):
                found.setdefault(id_, set()).add("portal" if portal else "site")
        return found

    @cached_property
    def stored(self) -> dict[str, list[dict[str, Any]]]:
        """newsId → the articles that hold it."""
        found: dict[str, list[dict[str, Any]]] = {}
        for article in self.articles:
            for id_ in self.releases(article):
                found.setdefault(id_, []).append(article)
        return found

    # Releases -------------------------------------------------------------------------------------------------

    def complete(self, label: str) -> None:
        """Every release that korea.kr listed since ``begun`` is stored once, and equals the truth."""
        begun, now = self.begun.date().isoformat(), self.truth["now"]
        withdrawn = {one["newsId"] for one in self.truth["withdrawn"]}
        edited = {one["newsId"] for one in self.daemon.replica.ask("/truth?all=1")["edits"]}  # its titles are the last
        listed = [
            one for one in self.truth["items"]
            if one["portal"] and one["portal_at"] <= now and one["approved"][:10] >= begun
        ]  # fmt: skip
        missing = [one["newsId"] for one in listed if one["newsId"] not in self.stored]
        for one in listed:
            for article in self.stored.get(one["newsId"], []):
                self._equal(one, article, titled=one["newsId"] not in edited)
        lost = set(missing) - withdrawn
        self.watched.check(not lost, f"{label}: {len(lost)} of {len(listed)} releases are missing: {sorted(lost)}")
        self.watched.figures[label] = {
            "listed": len(listed),
            "missing": sorted(lost),
            "withdrawn before they were seen": len(set(missing) & withdrawn),
            "stored": len(self.articles),
        } | self._joins(label)

    def _equal(self, one: Mapping[str, Any], article: Mapping[str, Any], *, titled: bool) -> None:
        printed = {o["title"] for o in article["origins"] if one["newsId"] in o["url"]}
        if titled and printed:
            self.watched.check(one["title"] in printed, f"title of {one['newsId']}: {printed} for {one['title']!r}")
        named = {ministry["name"] for ministry in article["ministries"]}
        self.watched.check(one["ministry"] in named, f"ministry of {one['newsId']}: {named} for {one['ministry']}")
        day = datetime.fromisoformat(article["published"]).astimezone(KST).date().isoformat()
        self.watched.check(day == one["approved"][:10], f"date of {one['newsId']}: {day} for {one['approved']}")

    def _joins(self, label: str) -> dict[str, Any]:
        """True pairs (portal, ministry's site) that were joined; articles that hold releases with different titles.

        ``joint``: articles that hold several releases whose titles are equal but for marks like [관계부처합동].
        """
        title = {one["newsId"]: _close(one["title"]) for one in self.truth["items"]}
        held = [self.releases(article) for article in self.articles]
        false = [sorted(found) for found in held if len({title[id_] for id_ in found}) > 1]
        joint = sum(len(found) > 1 for found in held) - len(false)
        places: dict[str, set[str]] = {}
        for found in held:
            for id_, kinds in found.items():
                places.setdefault(id_, set()).update(kinds)
        pairs = [id_ for id_, kinds in places.items() if len(kinds) == 2]
        apart = [id_ for id_ in pairs if len(self.stored[id_]) > 1]
        self.watched.check(len(apart) <= 0.03 * len(pairs), f"{label}: not joined: {apart}")
        self.watched.check(len(false) <= 0.005 * len(self.articles), f"{label}: falsely joined: {false}")
        return {"pairs": len(pairs), "joined": len(pairs) - len(apart), "false joins": false, "joint releases": joint}

    # Edits and withdrawals ------------------------------------------------------------------------------------

    @cached_property
    def site_only(self) -> set[str]:
        return {one["newsId"] for one in self.truth["items"] if not one["portal"]}

    def edits(self, since: datetime, until: datetime, corpus: Path) -> None:
        """Of the truth's edits in that time: which became revisions, and how soon."""
        within = [since.isoformat(), until.isoformat()]
        bodies, text = _texts(corpus), dict(self.daemon.rows("SELECT number, content FROM articles"))
        seen: dict[str, list[str]] = {"revised": [], "read after the edit": [], "missed": []}
        waits: list[timedelta] = []
        for one in self.truth["edits"]:
            for article in self.stored.get(one["newsId"], [])[:1] if within[0] <= one["at"] <= within[1] else ():
                revised = self._revised(article["number"])
                now = _now_says(one, article, _squeezed(text[article["number"]]), bodies)
                seen["revised" if revised else "read after the edit" if now else "missed"].append(one["newsId"])
                waits += [revised - datetime.fromisoformat(one["at"])] if revised else []
        self.watched.figures["edits"] = {
            "upstream": sum(map(len, seen.values())),
            **{name: len(ids) for name, ids in seen.items()},
            **self._missed(seen["missed"]),
            "hours until it was seen": _hours(waits),
        }

    def withdrawals(self, since: datetime, until: datetime) -> None:
        """Of the truth's withdrawals in that time: which were marked, and how soon; and that nothing else was."""
        within = [since.isoformat(), until.isoformat()]
        gone = [one for one in self.truth["withdrawn"] if within[0] <= one["at"] <= within[1]]
        held = [(one, self.stored[one["newsId"]][0]) for one in gone if one["newsId"] in self.stored]
        marked = [(one, article["withdrawn"]) for one, article in held if article["withdrawn"]]
        ends = [datetime.fromisoformat(at) - datetime.fromisoformat(one["at"]) for one, at in marked]
        truly = {one["newsId"] for one in self.truth["withdrawn"]}
        false = [a["number"] for a in self.articles if a["withdrawn"] and not truly & set(self.releases(a))]
        self.watched.check(not false, f"marked as withdrawn, though they are there: {false}")
        missed = [one["newsId"] for one, article in held if not article["withdrawn"]]
        self.watched.figures["withdrawals"] = {
            "upstream": len(held),
            "marked": len(marked),
            **self._missed(missed),
            "hours until it was seen": _hours(ends),
        }

    def _missed(self, ids: list[str]) -> dict[str, list[str]]:
        return {
            "missed on korea.kr": [id_ for id_ in ids if id_ not in self.site_only],
            "missed on a ministry's site only": [id_ for id_ in ids if id_ in self.site_only],
        }

    def _revised(self, number: int) -> datetime | None:
        rows = self.daemon.rows("SELECT min(seen) FROM revisions WHERE number = :n AND revision > 1", n=number)
        return datetime.fromisoformat(rows[0][0]).replace(tzinfo=UTC) if rows and rows[0][0] else None

    # Alerts ---------------------------------------------------------------------------------------------------

    def told(self, before: set[str]) -> None:
        """Kept releases that came after first contact: one Slack message, one webhook; dropped ones: none."""
        check = self.watched.check
        everything = self.daemon.replica.ask("/sent")["sent"]
        sent = [one for one in everything if one["accepted"]]
        hooks = [one for one in sent if one["host"] == "hooks.example.com"]
        slack = [json.dumps(one["payload"], ensure_ascii=False) for one in sent if one["host"] == "hooks.slack.com"]
        by_id = {article["id"]: article for article in self.articles}
        ids = Counter(one["payload"]["data"]["id"] for one in hooks)
        keys: dict[str, set[str]] = {}
        for one in hooks:
            keys.setdefault(one["payload"]["data"]["id"], set()).add(one["headers"]["webhook-id"])
        quiet = self._quiet()
        fresh = {id_ for id_ in by_id if id_ not in before}
        expected = {id_ for id_ in fresh if by_id[id_]["kept"] and by_id[id_]["number"] not in quiet}
        check(expected <= set(ids), f"not told by webhook: {[by_id[i]['title'] for i in expected - set(ids)]}")
        old = [by_id[i]["title"] for i in ids if i in before]
        check(not old, f"told, though it was there before: {old}")
        dropped = [by_id[i]["title"] for i in ids if not by_id[i]["kept"]]
        check(len(dropped) <= len(self._were_kept()), f"told, though dropped: {dropped}")
        check(all(len(found) == 1 for found in keys.values()), "a repeated alert carries another id")
        missing = [by_id[id_]["title"] for id_ in expected if not any(_names(text, by_id[id_]) for text in slack)]
        check(not missing, f"not told in Slack: {missing}")
        counted = {"expected": len(expected), "webhooks": sum(ids.values()), "slack": len(slack)}
        counted["refused"] = len(everything) - len(sent)
        self.watched.figures["told"] = counted | {"repeated webhooks": sum(ids.values()) - len(ids)}
        self._published(expected, by_id)

    def _published(self, expected: set[str], by_id: Mapping[str, Mapping[str, Any]]) -> None:
        feed = ElementTree.parse(self.daemon.data / "public/feeds/esg.atom").getroot()  # noqa: S314 - our own file
        entries = [entry.findtext(f"{ATOM}id") or "" for entry in feed.iter(f"{ATOM}entry")]
        self.watched.check(len(entries) == len(set(entries)), "the feed holds an entry twice")
        if len(entries) < 200:  # its limit: older ones have left it
            lost = [by_id[id_]["title"] for id_ in expected - set(entries)]
            self.watched.check(not lost, f"not in the feed: {lost}")
        self.watched.figures["feed entries"] = len(entries)

    def _quiet(self) -> set[int]:
        """Articles first seen at some source's first contact: stored, not announced."""
        query = (
            "SELECT o.number FROM origins o JOIN sources s ON s.id = o.source "
            "GROUP BY o.number HAVING min(o.first_seen) >= 0 AND sum(o.first_seen <= s.first_contact) > 0"
        )
        return {row[0] for row in self.daemon.rows(query)}

    def _were_kept(self) -> list[tuple[Any, ...]]:
        """Articles that were told of and are dropped now: an edit, or their text, did that."""
        query = "SELECT d.number FROM deliveries d JOIN verdicts v USING (number) WHERE NOT v.kept GROUP BY d.number"
        return self.daemon.rows(query)


def tabled(daemon: Daemon, watched: Watched) -> None:
    """What each source cost and brought since the daemon started (it must be running)."""
    polls: dict[str, Counter[str]] = {}
    for what, outcome, source, value in _POLLS.findall(ask(f"http://{daemon.http}/metrics")):
        polls.setdefault(source, Counter())["requests" if what == "requests" else outcome] += int(float(value))
    entries = dict(daemon.rows("SELECT source, count(*) FROM origins GROUP BY source"))
    first = (
        "SELECT o.source, count(*) FROM origins o WHERE NOT EXISTS (SELECT 1 FROM origins p WHERE p.number = o.number"
    )
    order = " AND (p.first_seen, p.source, p.key) < (o.first_seen, o.source, o.key)) GROUP BY o.source"
    articles = dict(daemon.rows(first + order))
    watched.figures["sources"] = {
        source: {
            "polls": sum(number for name, number in counted.items() if name != "requests"),
            "requests": counted["requests"],
            "entries": entries.get(source, 0),
            "articles first seen there": articles.get(source, 0),
            "errors": {name: n for name, n in counted.items() if re.match(_FAILED, name) and name != "requests"},
        }
        for source, counted in sorted(polls.items())
    }


def covered(daemon: Daemon, watched: Watched, first: datetime, last: datetime) -> None:
    """``policyfeed coverage`` of these days."""
    days = ("--day", first.date().isoformat(), "--to", last.date().isoformat())
    ran = daemon.run("coverage", *days, "--pace", "0", "--json")
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    sums = [row for row in rows if "total" in row]
    watched.check(bool(sums) and ran.returncode == 0, f"coverage: {ran.stderr[-500:]} {sums}")
    watched.figures["coverage"] = {
        row["day"]: f"{row['stored']} of {row['total']}" for row in sums
    } | {"bodies' own lists": sum("ministry" in row for row in rows)}  # fmt: skip


def _names(text: str, article: Mapping[str, Any]) -> bool:
    return article["url"] in text or json.dumps(article["url"].replace("&", "&amp;"))[1:-1] in text


def _plain(url: str) -> str:
    parts = urlsplit(url)
    return f"{(parts.hostname or '').removeprefix('www.')}{parts.path}?{parts.query}"


def _close(title: str) -> str:
    return re.sub(r"\W", "", _MARK.sub("", title))


def _squeezed(text: str) -> str:
    return re.sub(r"<[^>]*>|&\w+;|\W", "", text)


def _texts(corpus: Path) -> dict[str, str]:
    """newsId → the last paragraph of the corrected text."""
    found = {}
    for file in corpus.glob("releases-*.jsonl.gz"):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                found[row["newsId"]] = _squeezed(row["body"].split("\n\n")[-1])
    return found


def _now_says(edit: Mapping[str, Any], article: Mapping[str, Any], text: str, bodies: Mapping[str, str]) -> bool:
    """Whether the article says what the release says after its edit."""
    if edit["kind"] == "title":
        return any(_close(edit["title"]) == _close(one["title"]) for one in article["origins"])
    return bodies[edit["newsId"]][:200] in text


def _hours(waits: list[timedelta]) -> dict[str, float]:
    hours = sorted(one.total_seconds() / 3600 for one in waits)
    return {"median": round(median(hours), 2), "most": round(hours[-1], 2)} if hours else {}
