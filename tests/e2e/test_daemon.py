"""The daemon as an operator runs it: start, serve, reload, stop, be killed, be alone."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree

from tests.e2e.program import Program
from tests.e2e.upstream import Upstream, moment
from tests.needs import needs

KILLS = 12


class Clock:
    """The daemon's clock, moved through a file that Debian's faketime reads at every look."""

    def __init__(self, folder: Path) -> None:
        needs("faketime")
        self.file = folder / "faketime"
        self.ahead = timedelta()
        library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        self.environ = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
        }
        self.move(timedelta())

    def move(self, by: timedelta) -> None:
        self.ahead += by
        temporary = self.file.with_suffix(".new")
        temporary.write_text(f"{self.ahead.total_seconds():+.0f}\n")
        temporary.rename(self.file)


def polled(upstream: Upstream, path: str) -> int:
    return sum(one.startswith(path) for one in upstream.requests)


def started(program: Program, upstream: Upstream) -> None:
    """Start the daemon; when both sources were asked it is at work."""
    before = {path: polled(upstream, path) for path in ("/rss", "/briefing")}
    program.start()
    upstream.wait(lambda: all(polled(upstream, path) > count for path, count in before.items()))


def until_served(program: Program, path: str, wanted: int, **headers: str) -> bytes:
    """Ask until the daemon answers so: what it does takes effect a moment after upstream saw it."""
    for _ in range(2000):
        answer = program.get(path, **headers)
        if answer.status_code == wanted:
            return answer.content
    raise AssertionError(f"{path} answered {answer.status_code}: {answer.text[:300]}")


def until_contacted(program: Program) -> None:
    """Until the first contact with every source is stored: what comes out from now on is announced."""
    for _ in range(200):
        listed = program.run("sources", "list", "--json").stdout.splitlines()
        if listed and all(json.loads(line)["last_success"] for line in listed):
            return
    raise AssertionError("a source was not read")


def until_logged(program: Program, text: str) -> None:
    for _ in range(20_000):
        if text in program.log():
            return
        program.get("/healthz")
    raise AssertionError(f"{text!r} was not logged: {program.log()[-2000:]}")


def test_it_serves_reloads_and_stops(program: Program, upstream: Upstream) -> None:
    upstream.publish(1, moment(minutes_ago=5))
    started(program, upstream)
    until_served(program, "/readyz", 200)
    assert program.get("/healthz").status_code == 200
    assert "policyfeed_polls_total" in program.get("/metrics").text
    assert "중대재해" in program.get("/").text
    feed = program.get("/feeds/esg.atom")
    assert feed.status_code == 200
    assert program.get("/feeds/esg.atom", **{"If-None-Match": feed.headers["etag"]}).status_code == 304

    second = program.run("run")
    assert second.returncode == 1
    assert program.daemon is not None
    assert str(program.daemon.pid) in second.stderr

    config = program.folder / "config" / "feeds.toml"
    config.write_text('[[feed]]\nname = "extra"\ntitel = "잘못"\n')
    program.daemon.send_signal(signal.SIGHUP)
    until_logged(program, "configuration refused")
    assert program.get("/feeds/esg.atom").status_code == 200
    config.write_text('[[feed]]\nname = "extra"\ntitle = "맞음"\n')
    program.daemon.send_signal(signal.SIGHUP)
    until_served(program, "/feeds/extra.atom", 200)

    assert program.stop() == 0
    assert "Traceback" not in program.log()
    assert "hook-secret-part" not in program.log()


def test_a_reload_that_is_asked_for_during_the_start_follows_it(program: Program, upstream: Upstream) -> None:
    feeds = program.folder / "config" / "feeds.toml"
    os.mkfifo(feeds)
    program.start()
    with feeds.open("w") as read_now:  # opened when the program reads it: until it is closed, the start waits
        assert program.daemon is not None
        program.daemon.send_signal(signal.SIGHUP)
        feeds.unlink()
        feeds.write_text('[[feed]]\nname = "later"\ntitle = "나중"\n')
        read_now.write('[[feed]]\nname = "early"\ntitle = "처음"\n')
    upstream.wait(lambda: polled(upstream, "/rss") > 0)
    until_served(program, "/feeds/later.atom", 200)
    assert program.stop() == 0


def test_a_second_signal_ends_it_at_once(program: Program, upstream: Upstream) -> None:
    started(program, upstream)
    assert program.daemon is not None
    program.daemon.send_signal(signal.SIGTERM)
    program.daemon.send_signal(signal.SIGTERM)
    assert program.daemon.wait(timeout=10) in (0, 1)


def test_a_restart_polls_nothing_that_is_not_due(program: Program, upstream: Upstream) -> None:
    upstream.publish(1, moment(minutes_ago=5))
    started(program, upstream)
    until_served(program, "/readyz", 200)
    assert program.stop() == 0
    asked = len(upstream.requests)
    for _ in range(3):
        program.start()
        until_served_again(program)
        assert program.stop() == 0
    assert len(upstream.requests) == asked


def until_served_again(program: Program) -> None:
    import httpx

    while True:
        assert program.daemon is not None
        assert program.daemon.poll() is None
        try:
            if program.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            continue


def test_killed_at_any_request_it_loses_and_doubles_nothing(
    program: Program, upstream: Upstream, tmp_path: Path
) -> None:
    clock = Clock(tmp_path)
    program.extra = clock.environ
    for number in range(1, 30):
        upstream.publish(number, moment(minutes_ago=60 - number))
    started(program, upstream)
    until_contacted(program)
    assert upstream.webhooks == []
    published = []
    for round_ in range(KILLS):
        clock.move(timedelta(minutes=3))
        for n in range(3):
            number = 1000 + round_ * 3 + n
            published.append(upstream.publish(number, moment() + clock.ahead - timedelta(seconds=n)))
        target = len(upstream.requests) + 1 + round_ % 6
        upstream.wait(lambda target=target: len(upstream.requests) >= target)  # type: ignore[misc]
        program.kill()
        for file in (program.data / "public" / "feeds").glob("*.atom"):
            ElementTree.parse(file)
        program.start()
    stored = {article["title"]: article for article in program.articles()}
    clock.move(timedelta(minutes=3))
    kept = {one.title for one in published} - {one.title for one in published if one.number % 4 == 3}
    upstream.wait(lambda: kept <= set(upstream.told()) and all(title in str(upstream.slack) for title in kept), 120)
    assert program.stop() == 0
    titles = Counter(article["title"] for article in program.articles())
    assert set(titles) >= set(stored)
    assert titles == Counter({one.title for one in upstream.releases}), "each is stored once"
    assert set(upstream.told()) == kept
    ids: dict[str, set[str]] = {}
    for key, body in upstream.webhooks:
        ids.setdefault(body["data"]["title"], set()).add(key)
    assert all(len(keys) == 1 for keys in ids.values()), "a repeated alert carries the same id"
    told_in_slack = {title for title in kept for message in upstream.slack if title in str(message)}
    assert told_in_slack == kept
