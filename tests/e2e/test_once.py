"""The commands as a user runs them, against a small upstream world on loopback."""

from __future__ import annotations

import json
import re
import shutil
import threading
from contextlib import closing
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from policyfeed.store import Store, outbox
from tests.e2e.program import Program
from tests.e2e.upstream import Upstream, moment

ATOM = "{http://www.w3.org/2005/Atom}"


def feed_titles(program: Program) -> list[str]:
    root = ElementTree.parse(program.data / "public/feeds/esg.atom").getroot()
    return [entry.findtext(f"{ATOM}title") or "" for entry in root.iter(f"{ATOM}entry")]


def test_first_contact_is_quiet_then_each_new_release_is_told_once(program: Program, upstream: Upstream) -> None:
    for number in range(1, 46):
        upstream.publish(number, moment(minutes_ago=60 - number))
    first = program.run("once", "--json")
    assert first.returncode == 0, first.stderr
    assert {json.loads(line)["state"] for line in first.stdout.splitlines()} == {"ok"}
    stored = program.articles()
    assert len(stored) == 45, "both places' copies of a release are one article"
    assert sum(len(article["origins"]) == 2 for article in stored) == 30, "the feed shows the newest thirty"
    assert upstream.webhooks == []
    new = [upstream.publish(number, moment()) for number in (101, 102, 103)]
    assert program.run("poll", "--all").returncode == 0
    assert program.run("deliver").returncode == 0
    kept = {one["title"] for one in program.articles() if one["kept"]}
    expected = sorted(one.title for one in new if one.title in kept)
    assert sorted(upstream.told()) == expected
    assert len(expected) == 2, "the cultural event is dropped"
    assert len(upstream.slack) == 2
    assert program.run("publish").returncode == 0
    assert set(feed_titles(program)) == kept


def test_alerts_go_out_though_nothing_can_be_published(program: Program, upstream: Upstream) -> None:
    upstream.publish(1, moment(minutes_ago=5))
    assert program.run("once").returncode == 0
    shutil.rmtree(program.data / "public")
    (program.data / "public").write_text("a file")
    upstream.publish(101, moment())
    program.extra = {"COLUMNS": "200"}
    assert program.run("poll", "--all").returncode == 0
    result = program.run("once")
    assert result.returncode == 1
    assert "webhook: 1 delivered" in result.stdout
    assert str(program.data / "public") in result.stderr
    assert "Traceback" not in result.stderr
    assert (len(upstream.webhooks), len(upstream.slack)) == (1, 1)


def test_a_channel_that_fails_or_is_closed_is_told_with_the_exit_code(program: Program, upstream: Upstream) -> None:
    upstream.publish(1, moment(minutes_ago=5))
    assert program.run("once").returncode == 0
    upstream.publish(101, moment())
    assert program.run("poll", "--all").returncode == 0
    upstream.slack_says = (404, "no_service")
    failed = program.run("once", "--json")
    assert failed.returncode == 1
    told = {one["channel"]: one for one in map(json.loads, failed.stdout.splitlines()) if "channel" in one}
    assert told["webhook"]["delivered"] == 1
    assert "no_service" in told["slack"]["error"]
    upstream.slack_says = (200, "ok")
    for command in ("deliver", "once"):
        closed = program.run(command)
        assert (closed.returncode, len(upstream.slack)) == (1, 1), command
        assert "no_service" in closed.stderr


def test_the_operator_is_told_without_a_daemon_too(program: Program, upstream: Upstream) -> None:
    operator = '[[channel]]\nname = "operator"\nkind = "slack"\noperator = true\nurl = "env:POLICYFEED_SLACK_URL"\n'
    (program.folder / "config/channels.toml").write_text(operator)
    for number in range(1, 4):
        upstream.publish(number, moment(minutes_ago=60 * 24 * (60 - number)))

    def told() -> list[str]:
        assert program.run("poll", "--all").returncode == 0
        for _ in range(2):
            assert program.run("once").returncode == 0
        return [str(message["text"]) for message in upstream.slack]

    silent = told()
    assert len(silent) == 1
    assert "board" in silent[0]
    upstream.publish(101, moment())
    assert len(told()) == 2, "the recovery, once"


@pytest.mark.parametrize("command", ["deliver", "once"])
def test_what_a_process_was_sending_when_it_ended_is_sent_at_once(
    program: Program, upstream: Upstream, command: str
) -> None:
    upstream.publish(1, moment(minutes_ago=5))
    assert program.run("once").returncode == 0
    upstream.publish(101, moment())
    assert program.run("poll", "--all").returncode == 0
    with closing(Store(program.data)) as store, store.write() as tx:  # as far as the ended one came
        assert outbox.claim(tx, "webhook", moment(), timedelta(minutes=5), 1)
    result = program.run(command)
    assert "webhook: 1 delivered" in result.stdout
    assert len(upstream.webhooks) == 1


def test_a_folder_for_another_server_leads_nowhere_that_it_does_not_hold(program: Program, upstream: Upstream) -> None:
    upstream.publish(1, moment(minutes_ago=5))
    assert program.run("once").returncode == 0
    main, out = program.folder / "config/policyfeed.toml", program.folder / "out"
    settings = main.read_text()
    main.write_text(settings.replace("base_url", "# base_url"))
    told = program.run("publish", "--out", str(out))
    assert "base_url" in told.stderr
    assert (out / "feeds/esg.atom").read_text().count("127.0.0.1") == (out / "feeds/esg.atom").read_text().count(
        program.upstream.removeprefix("http://")
    )
    main.write_text(settings.replace(program.address, "policy.example.kr/esg"))
    assert program.run("publish", "--out", str(out)).stderr == ""
    text = (out / "feeds/esg.atom").read_text()
    ours = {found.rstrip("/") for found in re.findall(r'http://policy\.example\.kr/esg([^"<]*)', text)}
    assert ours == {"", "/feeds/esg.atom", "/static/icon.svg"}
    assert all((out / name[1:]).exists() for name in ours)


def test_nothing_changes_while_nothing_is_new(program: Program, upstream: Upstream) -> None:
    upstream.publish(1, moment(minutes_ago=5))
    assert program.run("once").returncode == 0
    feeds = sorted((program.data / "public").rglob("*.*"))
    before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in feeds}
    assert program.run("poll", "--all").returncode == 0
    assert program.run("publish").returncode == 0
    assert {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in feeds} == before


def test_explain_and_articles_speak_korean_and_english(program: Program, upstream: Upstream) -> None:
    release = upstream.publish(1, moment(minutes_ago=5))
    assert program.run("once").returncode == 0
    program.extra = {"LANG": "ko_KR.UTF-8"}
    korean = program.run("explain", release.title)
    assert korean.returncode == 0
    assert "100점 만점" in korean.stdout
    program.extra = {"LANG": "C.UTF-8"}
    assert "of 100 points" in program.run("explain", "1").stdout
    for page in (f"http://{program.address}/articles/1", f"http://{program.address}/articles/1?lang=en#why"):
        assert program.run("explain", page).stdout.startswith(f"1 · {release.title}")
        assert program.run("label", page, "relevant").returncode == 0
    assert program.run("explain", "http://127.0.0.2:9/articles/1").returncode == 2


def test_classify_keeps_the_order_and_the_input(program: Program) -> None:
    lines = [{"title": "온실가스 배출권 할당계획 확정", "mine": 1}, {"title": "가을 궁중문화축전 개막", "mine": 2}]
    stdin = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    result = program.run("classify", "--json", stdin=stdin)
    assert result.returncode == 0, result.stderr
    judged = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one["mine"] for one in judged] == [1, 2]
    assert [one["kept"] for one in judged] == [True, False]
    assert all(one["reasons"] and one["rule_version"] for one in judged)


def test_classify_knows_a_ministry_as_articles_name_it(program: Program) -> None:
    named = [{"title": "업무협약 체결", "ministry": one} for one in ("외교부", {"id": "mofa", "name": "외교부"}, "")]
    result = program.run("classify", "--json", stdin="\n".join(json.dumps(line, ensure_ascii=False) for line in named))
    bare, whole, none = (json.loads(line)["score"] for line in result.stdout.splitlines())
    assert bare == whole < none


def test_a_mistake_of_the_user_is_a_message_not_a_traceback(program: Program) -> None:
    wrong = [
        (("classify", "--json"), "not json\n", 2),
        (("classify", "--json"), f'{{"title": "탄소중립", "mine": {"[" * 5000}{"]" * 5000}}}\n', 2),
        (("classify", "--json"), '{"title": "탄소중립", "mine": 1e999}\n', 2),
        (("explain", "\udcb9\udcb0"), "", 2),  # 물 of a terminal in cp949
        (("poll", "nowhere"), "", 2),
        (("explain", "https://example.org/none"), "", 2),
        (("--config", "missing-folder", "check"), "", 2),
        (("channels", "test", "nobody"), "", 2),
        (("articles", "--since", "그저께"), "", 2),
        (("outbox", "retry"), "", 2),
    ]
    for arguments, stdin, code in wrong:
        result = program.run(*arguments, stdin=stdin)
        assert result.returncode == code, (arguments, result.stderr)
        assert "Traceback" not in result.stderr
        assert result.stderr.strip()
        assert result.stdout == ""


def test_tables_of_topics_and_channels_are_headed_in_korean(program: Program, tmp_path: Path) -> None:
    labels = tmp_path / "labels.jsonl"
    labels.write_text('{"title": "갯벌 소식", "relevant": true}\n', encoding="utf-8")
    program.extra = {"LANG": "ko_KR.UTF-8", "POLICYFEED_SLACK_URL": "https://hooks.slack.com/services/T/B/x"}
    suggested = program.run("topics", "suggest", str(labels)).stdout
    assert ("새로 선별" in suggested, "새로 제외" in suggested, "newly" in suggested) == (True, True, False)
    assert "자료 종류" not in program.run("channels", "list").stdout, "that is the kind of an article"


class _EmptyPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/" else 404)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<html><body><p>Nothing here.</p></body></html>")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Nothing on stderr."""


@pytest.mark.parametrize("command", ["test", "discover"])
def test_an_address_where_nothing_can_be_read_is_a_failure(program: Program, command: str) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _EmptyPage) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        result = program.run("sources", command, f"http://127.0.0.1:{server.server_address[1]}/")
        server.shutdown()
    assert "Neither a feed nor a list" in result.stdout
    assert result.returncode == 1


def test_a_folder_that_cannot_be_written_is_named(program: Program, tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("a file")
    program.extra = {"POLICYFEED_DATA": str(tmp_path / "occupied")}
    result = program.run("once")
    assert result.returncode == 1
    assert "occupied" in result.stderr
    assert "POLICYFEED_DATA" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_full_disk_loses_nothing(program: Program, upstream: Upstream) -> None:
    for number in range(1, 10):
        upstream.publish(number, moment(minutes_ago=30 - number))
    assert program.run("once").returncode == 0
    feed = (program.data / "public/feeds/esg.atom").read_bytes()
    before = len(program.articles())
    for number in range(200, 260):
        upstream.publish(number, moment())
    full = program.run("poll", "--all", largest_file=40_000)  # the write-ahead log cannot take a whole poll
    assert full.returncode == 1
    assert "Traceback" not in full.stderr
    assert (program.data / "public/feeds/esg.atom").read_bytes() == feed
    assert len(program.articles()) == before
    assert program.run("db", "verify").returncode == 0
    assert program.run("poll", "--all").returncode == 0
    assert len(program.articles()) == before + 60


def test_a_test_message_speaks_the_channels_language(program: Program, upstream: Upstream) -> None:
    program.extra = {"LANG": "C.UTF-8"}
    tested = program.run("channels", "test", "slack")
    assert (tested.returncode, tested.stdout) == (0, "slack took the test message.\n")
    (message,) = upstream.slack
    assert "시험 메시지" in message["text"]


def test_a_secret_is_shown_nowhere(program: Program, upstream: Upstream) -> None:
    upstream.publish(1, moment(minutes_ago=5))
    program.extra = {"POLICYFEED_SLACK_URL": "http://127.0.0.1:9/slack/hook-secret-part"}
    assert program.run("once").returncode == 0
    upstream.publish(4 * 25 + 1, moment())
    assert program.run("poll", "--all").returncode == 0
    failed = program.run("--log-level", "debug", "deliver")
    listed = program.run("outbox", "list")
    tested = program.run("channels", "test", "slack")
    assert tested.returncode == 1
    for result in (failed, listed, tested, program.run("channels", "list"), program.run("check")):
        assert "hook-secret-part" not in result.stdout + result.stderr
