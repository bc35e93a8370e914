"""The command line: a mistake is one sentence with a remedy, a table fits, JSON is JSON whatever the terminal."""

from __future__ import annotations

import io
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import certifi
import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from policyfeed import route
from policyfeed.channels import Channel
from policyfeed.cli import app
from policyfeed.cli.say import Plain, show, table
from policyfeed.config import shipped
from policyfeed.errors import PolicyfeedError, StoreError, UsageError
from policyfeed.relevance import load_topics
from policyfeed.store import Store, articles, outbox
from policyfeed.types import Secret
from tests import releases


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, and no configuration but the shipped one."""
    monkeypatch.setenv("POLICYFEED_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


pytestmark = pytest.mark.usefixtures("logging_as_before")


def run(*arguments: str, given: bytes = b"") -> Result:
    return CliRunner().invoke(app, arguments, input=given)


def program(*arguments: str, given: bytes = b"", **environ: str) -> subprocess.CompletedProcess[bytes]:
    call = [sys.executable, "-m", "policyfeed", *arguments]
    return subprocess.run(call, input=given, capture_output=True, check=False, env={**os.environ, **environ})


def test_an_old_readers_list_is_read_whatever_else_stands_in_it(folder: Path) -> None:
    odd = ("https://a.go.kr:99999/", "http://[::1", "javascript:x", "https://u:p@a.go.kr/")
    outlines = "".join(f'<outline xmlUrl="{url}"/>' for url in (*odd, "https://b.go.kr/rss?a=1&b=2"))
    text = f'<?xml version="1.0" encoding="euc-kr"?><opml><body><outline text="똠방"/>{outlines}</body></opml>'
    (folder / "old.opml").write_bytes(text.encode("cp949"))
    done = run("sources", "import", "old.opml")
    assert done.exit_code == 0, done.output
    assert 'url = "https://b.go.kr/rss?a=1&b=2"' in done.stdout
    assert done.stdout.count("[[source]]") == 1
    assert all(f"{url} is no web address" in done.stderr for url in odd)


def test_check_warns_of_a_ministry_that_is_mistyped(folder: Path) -> None:
    topics = Path(shutil.copytree(shipped() / "topics", folder / "config" / "topics"))
    (folder / "config" / "policyfeed.toml").touch()
    assert "ministries" not in run("check").stdout, "nothing that is shipped is in doubt"
    for file, old, new in (("E1", "기후에너지환경부", "기후에너지환경뷰"), ("_rules", "외교부", "외교뷰")):
        text = (topics / f"{file}.toml").read_text(encoding="utf-8")
        (topics / f"{file}.toml").write_text(text.replace(f'"{old}" =', f'"{new}" ='), encoding="utf-8")
    done = run("check")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-2:] == [
        "warning: _rules.toml: ministries '외교뷰' is not known. Did you mean '외교부'?",
        "warning: E1.toml: ministries '기후에너지환경뷰' is not known. Did you mean '기후에너지환경부'?",
    ]


def test_check_warns_of_certificates_that_cannot_be_read(folder: Path) -> None:
    sources = folder / "config" / "sources"
    sources.mkdir(parents=True)
    (folder / "config" / "policyfeed.toml").touch()
    (folder / "good.pem").write_text(Path(certifi.where()).read_text())
    files = ("/nowhere/ca.pem", "config/sources/own.toml", "config", "good.pem")
    tables = (
        f'[[source]]\nid = "s{number}"\nkind = "feed"\nurl = "https://a.example.go.kr/{number}"\nca_bundle = "{file}"\n'
        for number, file in enumerate(files)
    )
    (sources / "own.toml").write_text("".join(tables), encoding="utf-8")
    done = run("check")
    assert done.exit_code == 0, done.output
    said = re.findall(r"warning: The certificates of source (\w+) cannot be read: (\S+)\. ", done.stdout)
    assert said == [("s0", files[0]), ("s1", files[1]), ("s2", files[2])]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("articles --ministry 환경보건부", "No ministry is called '환경보건부'. Known: 보건복지부"),
        ("articles --topic E99", "No topic is called 'E99'. Known: E1,"),
        ("articles --since yesterday", "'yesterday' is no date. Write 2026-05-20"),
        ("articles --all --kept", "exclude each other. Give one of them."),
        ("explain 999", "No stored article has the number"),
        ("explain ", "There is nothing to explain. Give an article's number"),
        ("coverage --day 2999-01-01", "2999-01-01 is yet to come. Give a day until today."),
        ("coverage --day 2026-05-02 --to 2026-05-01", "2026-05-02 is after 2026-05-01."),
        ("coverage --source mcee-press", "cannot be compared"),
        ("backfill nosuch --from 2026-01-01 --to 2026-01-02", "`policyfeed sources list` shows them."),
        ("outbox retry", "Which deliveries? Give keys"),
        ("outbox retry nosuch", "No delivery has the key nosuch."),
        ("outbox drop --channel slak", "No channel is called 'slak'. `policyfeed channels list` shows them."),
        ("sources test nosuch", "No source is called 'nosuch'."),
        ("sources discover https://", "is no web address. Give one that begins with https://."),
        ("sources test http://www.korea.kr/rss/policy.xml", "Use the source korea-press"),
        ("sources test http://[::1", "http://[::1 has no usable host and port."),
        ("sources discover https://example.kr:0/", "has no usable host and port."),
        ("db backup /dev/null", "/dev/null is no ordinary file. Name another file for the copy."),
        ("db backup policyfeed.db", "policyfeed.db belongs to the live database."),
        ("db backup policyfeed.db-wal", "policyfeed.db-wal belongs to the live database."),
        ("db backup ./policyfeed.db-shm", "policyfeed.db-shm belongs to the live database."),
        ("db backup policyfeed.db-journal", "policyfeed.db-journal belongs to the live database."),
        ("db backup daemon.lock", "daemon.lock belongs to the live database."),
        ("--log-level loud check", "Use debug, info, warning or error."),
    ],
)
def test_a_mistake_is_a_sentence_with_a_remedy(folder: Path, arguments: str, said: str) -> None:
    Store(folder).close()
    result = run(*arguments.split(" "))
    assert isinstance(result.exception, UsageError)
    assert said in str(result.exception)
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["check"], 0), (["db", "backup", "/nonexistent/copy.db"], 1), (["explain", "99"], 2), (["articles", "--no"], 2)],
)
def test_exit_codes(folder: Path, arguments: list[str], code: int) -> None:
    Store(folder).close()
    done = program(*arguments)
    assert done.returncode == code
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value"), [("HTTPS_PROXY", "socks5://127.0.0.1:1"), ("SSL_CERT_FILE", "/nonexistent/authorities.pem")]
)
@pytest.mark.parametrize("command", ["check", "poll", "run"])
def test_a_mistake_in_the_environment_is_one_of_configuration(
    command: str, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon's supervisor does not try it again."""
    monkeypatch.setenv(name, value)
    done = program(command, POLICYFEED_HTTP="127.0.0.1:0")
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


def test_an_address_that_is_none_is_named_before_the_daemon_starts(folder: Path) -> None:
    done = program("check", POLICYFEED_HTTP="8000")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"host:port" in done.stderr


@pytest.mark.parametrize("arguments", ["db backup copy.db", "db verify"])
def test_a_database_that_is_not_there_is_neither_copied_nor_sound(folder: Path, arguments: str) -> None:
    result = run(*arguments.split())
    assert isinstance(result.exception, StoreError)
    assert "There is no database" in str(result.exception)
    assert result.stdout == ""
    assert list(folder.iterdir()) == []


def test_an_article_that_has_only_a_day_is_told_by_its_day(folder: Path) -> None:
    midnight = datetime(2026, 5, 20, 15, tzinfo=UTC)
    origins = (replace(releases.article().origins[0], source="korea-press"),)
    releases.stored(folder, [releases.judged(published=midnight, dated=True, origins=origins)]).close()
    lines = [line.split() for line in run("sources", "health").stdout.splitlines()]
    assert [line[4] for line in lines if line[0] == "korea-press"] == ["2026-05-21"]
    assert "00:00" not in {word for line in lines for word in line}
    listed, explained = run("articles", "--all").stdout.splitlines()[1], run("explain", "1").stdout.splitlines()[1]
    assert "2026-05-21" in listed.split()
    assert " · 2026-05-21 · " in explained
    assert "00:00" not in listed + explained


@pytest.mark.parametrize(
    "title", ["[/] 단독", "[e-나라도움] 안내", "[red]x[/red] :warning: [link=https://x.example]y[/link]"]
)
def test_a_title_is_shown_as_it_stands_whatever_is_in_brackets(folder: Path, title: str) -> None:
    """rich would take what is in square brackets for its markup, fail at what closes nothing, and draw pictures."""
    releases.stored(folder, [releases.judged(title=title)]).close()
    assert title in run("articles").stdout
    assert title in run("explain", "1").stdout


def test_a_sources_condition_is_coloured_by_no_markup(folder: Path) -> None:
    rows = [line.split() for line in run("sources", "health").stdout.splitlines()]
    assert ["korea-press", "new"] in [row[:2] for row in rows]


def test_what_upstream_or_a_user_wrote_commands_no_terminal() -> None:
    """Colours of our own do, on a terminal."""
    written = io.StringIO()
    there = Plain(file=written, force_terminal=True, color_system="standard")
    there.print("a\x1b[2J\x1b]0;b\x07\x9b31mc\u202ed\r\ne", style="red")
    assert written.getvalue() == "\x1b[31ma[2J]0;b31mcd\x1b[0m\n\x1b[31me\x1b[0m\n"


def test_what_a_channel_is_owed_is_shown_though_it_is_off_or_gone(folder: Path) -> None:
    with closing(releases.stored(folder, [releases.judged()])) as store, store.write() as tx:
        for name in ("slack", "renamed"):
            channel = Channel(name=name, kind="slack", url=Secret("https://hooks.example/1", origin="env:X"))
            outbox.owe(tx, route.owed(releases.judged(), [channel], releases.NOW, quiet=False))
    rows = [line.split() for line in run("channels", "list").stdout.splitlines()]
    assert ["slack", "off", "1", "0", "0"] in rows
    assert ["renamed", "not", "configured", "1", "0", "0"] in rows


def test_a_copy_that_cannot_be_made_leaves_the_earlier_one(folder: Path) -> None:
    Store(folder).close()
    (folder / "copy.db").write_bytes(b"an earlier copy")
    (folder / "copy.db.part").mkdir()  # nothing can be written there
    assert isinstance(run("db", "backup", "copy.db").exception, PolicyfeedError)
    assert (folder / "copy.db").read_bytes() == b"an earlier copy"
    (folder / "copy.db.part").rmdir()
    assert run("db", "backup", "copy.db").exit_code == 0
    assert (folder / "copy.db").read_bytes().startswith(b"SQLite format 3")
    assert not (folder / "copy.db.part").exists()


KILLED = """
import os, sqlite3, sys
ours, theirs = (sqlite3.connect(file) for file in sys.argv[1:])
ours.backup(theirs, pages=3, progress=lambda *_: os._exit(9))
"""


def test_the_next_backup_takes_over_what_a_killed_one_left(folder: Path) -> None:
    releases.stored(folder, [releases.judged()]).close()
    left = folder / "copy.db.part"
    assert subprocess.run([sys.executable, "-c", KILLED, folder / "policyfeed.db", left], check=False).returncode == 9
    assert left.exists()
    assert run("db", "backup", "copy.db").exit_code == 0
    assert [file.name for file in folder.glob("copy.db*")] == ["copy.db"]
    (folder / "copy.db").rename(folder / "policyfeed.db")
    assert run("db", "verify").exit_code == 0


def test_a_backup_that_does_not_fit_leaves_the_disk_no_fuller(folder: Path) -> None:
    releases.stored(folder, [releases.judged()]).close()
    call = [sys.executable, "-m", "policyfeed", "db", "backup", "copy.db"]
    size = (folder / "policyfeed.db").stat().st_size // 2
    full = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))  # noqa: E731
    done = subprocess.run(call, capture_output=True, check=False, preexec_fn=full)
    assert (done.returncode, b"copy.db could not be written" in done.stderr) == (1, True), done.stderr
    assert list(folder.glob("copy.db*")) == []


def test_what_cannot_be_written_to_stdout_is_said() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with Path("/dev/full").open("wb") as full:
        call = [sys.executable, "-m", "policyfeed", "sources", "export"]
        done = subprocess.run(call, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert done.stderr.decode().startswith("The output could not be written: No space left on device.")


@pytest.mark.parametrize("command", ["articles --all", "poll --all", "once --json"])
def test_who_reads_only_the_beginning_of_a_list_ends_the_command_as_any_other(folder: Path, command: str) -> None:
    """Also where the command had a network open, and connections that break must not end it."""
    (folder / "config/sources").mkdir(parents=True)
    nobody = '[[source]]\nid = "nobody"\nkind = "feed"\nurl = "http://127.0.0.1:1/rss"\nallow_private = true\n'
    (folder / "config/sources/own.toml").write_text(nobody)
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as hung_up:
        call = [sys.executable, "-m", "policyfeed", *command.split()]
        done = subprocess.run(call, stdout=hung_up, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (-signal.SIGPIPE, b"")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_the_caller_closed_stops_nothing_and_is_no_database(folder: Path, closed: str) -> None:
    releases.stored(folder, [releases.judged()]).close()
    call = f'"{sys.executable}" -m policyfeed articles --all --json {closed}'
    done = subprocess.run(["sh", "-c", call], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(done.stdout.splitlines()) == (0 if " >" in f" {closed}" else 1)
    with closing(Store(folder)) as store:
        assert store.verify() == []


def test_more_articles_than_there_can_be_are_all(folder: Path) -> None:
    releases.stored(folder, [releases.judged()]).close()
    assert len(run("articles", "--all", "--json", "--limit", "9" * 30).stdout.splitlines()) == 1


def test_json_is_utf_8_whatever_the_locale() -> None:
    given = '{"title": "온실가스 배출권 할당계획"}\n'.encode()
    done = program("classify", "--json", given=given, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert done.returncode == 0
    assert json.loads(done.stdout)["title"] == "온실가스 배출권 할당계획"
    assert "온실가스".encode() in done.stdout


def test_half_a_character_is_judged_and_given_back_as_it_came() -> None:
    given = b'{"title": "\\ud800 ' + "온실가스".encode() + b'"}'
    (line,) = run("classify", "--json", given=given).stdout.splitlines()
    assert json.loads(line)["title"] == "\ud800 온실가스"
    assert json.loads(line)["topics"] == ["E1"]


@pytest.mark.parametrize(
    "given", [b'{"title": NaN}', b'{"title": "x", "y": NaN}', b"\xff\xfe", b"[1]", b'{"title": 5}', b"[" * 100_000]
)
def test_what_is_no_json_object_with_a_title_is_refused(given: bytes) -> None:
    result = run("classify", "--json", given=b'{"title": "first"}\n\n' + given)
    assert "Line 3 of the input is not a JSON object with a title." in str(result.exception)
    assert len(result.stdout.splitlines()) == 1


# Tables ----------------------------------------------------------------------------------------------------------

ROWS = [
    ("unikorea-press", "개성공단지원재단 해산 절차와 입주기업 지원 방안을 알려 드립니다", "11-25 17:46"),
    ("mcee-press", "짧은 제목", "11-25 17:45"),
]


def shown(*, width: int, terminal: bool) -> list[str]:
    made = table("source", "title", "next")
    for row in ROWS:
        made.add_row(*row)
    console = Console(file=io.StringIO(), width=width, force_terminal=terminal, color_system=None, soft_wrap=True)
    show(made, console)
    text = console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
    return [line.rstrip() for line in text.splitlines()]


def test_only_the_wide_column_is_folded_on_a_terminal() -> None:
    lines = shown(width=60, terminal=True)
    assert len(lines) > 3
    assert sum("unikorea-press" in line for line in lines) == 1
    assert sum("11-25 17:46" in line for line in lines) == 1
    assert all("개성공단지원재단" in line for line in lines if "unikorea-press" in line)


def test_a_row_is_a_line_where_there_is_no_terminal() -> None:
    lines = shown(width=40, terminal=False)
    assert len(lines) == 3
    assert all(cell in lines[1] for cell in ROWS[0])


def test_a_terminal_too_narrow_for_the_rest_breaks_no_word() -> None:
    lines = shown(width=20, terminal=True)
    assert any("unikorea-press" in line and "11-25 17:46" in line for line in lines)


def test_explain_says_when_the_topics_are_others_than_those_that_judged(folder: Path) -> None:
    rules = load_topics(shipped() / "topics")
    store = releases.stored(folder, [releases.judged(1)])
    assert f"({rules.version}): `policyfeed rescore`" in run("explain", "1").stdout
    with store.write() as tx:
        articles.save_verdict(tx, 1, releases.verdict(rule_version=rules.version), releases.NOW)
    assert "rescore" not in run("explain", "1").stdout
    store.close()
