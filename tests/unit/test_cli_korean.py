"""The command line in Korean: also what the installed typer and pydantic say of a call."""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import typer
from typer import _click

from policyfeed import route
from policyfeed.channels import Channel
from policyfeed.cli.usage import TEMPLATES
from policyfeed.deliver import detail_in
from policyfeed.i18n import retold, translator
from policyfeed.store import outbox
from policyfeed.types import Secret
from tests import releases

HANGUL = re.compile("[가-힣]")
ENGLISH = re.compile(r"(?<![\w`-])[A-Za-z]{2,} [a-z]{2,}")
"""Two words of English: names of commands and types apart."""
EVERY_HELP = """
from policyfeed.cli import app
from policyfeed.cli.commands import COMMANDS, GROUPS

for name in ("", *GROUPS, *COMMANDS):
    app([*name.split(), "--help"], standalone_mode=False, prog_name="policyfeed")
"""
SAMPLES = {"param_type": "argument", "param_hint": " 'X'", "msg": "an argument.", "label": "path"}
"""For the facts of typer's messages that stand in the sentence; any other fact is a word between quotes."""


def korean(*call: str, language: str = "ko", **environ: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "POLICYFEED_LANG": language, "LANGUAGE": "en", "COLUMNS": "120", **environ}
    return subprocess.run([sys.executable, *call], capture_output=True, text=True, check=False, env=environ)


def test_every_help_is_korean() -> None:
    shown = korean("-c", EVERY_HELP).stdout
    assert shown.count("사용법: policyfeed") > 35
    lines = [re.sub(r"policyfeed [a-z ]+|<[^>]+>|`[^`]+`", "", line) for line in shown.splitlines()]
    assert [line for line in lines if ENGLISH.search(line)] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("poll --nope", "그런 옵션은 없습니다: --nope"),
        ("articles --limi 3", "그런 옵션은 없습니다: --limi (비슷한 옵션: --limit)"),
        ("nope", "그런 명령은 없습니다: 'nope'."),
        ("sources lst", "그런 명령은 없습니다: 'lst'. 혹시 'list'인가요?"),
        ("backfill", "'출처' 인자가 빠졌습니다."),
        ("backfill mcee-press --from 2026-01-01", "'--to' 옵션이 빠졌습니다."),
        ("articles --limit", "'--limit' 옵션에는 값이 필요합니다."),
        ("articles --kept=1", "'--kept' 옵션은 값을 받지 않습니다."),
        ("articles --limit x", "'--limit' 값이 올바르지 않습니다. 정수를 쓰세요."),
        (f"articles --limit {'9' * 5000}", "'--limit' 값이 올바르지 않습니다. 수가 너무 큽니다."),
        ("articles --limit -1", "'--limit' 값이 올바르지 않습니다. 0 이상이어야 합니다."),
        ("review --count 999", "'--count' 값이 올바르지 않습니다. 20 이하여야 합니다."),
        ("coverage --pace x", "'--pace' 값이 올바르지 않습니다. 숫자를 쓰세요."),
        ("label 1 no", "'표시' 값이 올바르지 않습니다. 'no' 대신 'relevant', 'irrelevant' 가운데 하나를 쓰세요."),
        ("label 1", "'표시' 인자가 빠졌습니다. 다음 가운데 하나를 쓰세요."),
        ("deliver a b", "받지 않는 인자입니다: a b"),
    ],
)
def test_a_wrong_call_is_told_in_korean(arguments: str, said: str) -> None:
    done = korean("-m", "policyfeed", *arguments.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert not ENGLISH.search(done.stderr.replace(f"policyfeed {arguments.split()[0]}", ""))


def test_in_english_it_is_told_as_typer_says_it() -> None:
    done = korean("-m", "policyfeed", "backfill", language="en")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Usage: python -m policyfeed backfill [OPTIONS] {SOURCE}\nMissing argument 'SOURCE'.\n"


def test_without_a_command_the_help_is_shown_once() -> None:
    done = korean("-m", "policyfeed")
    assert (done.returncode, done.stderr) == (2, "")
    assert done.stdout.count("사용법:") == 1


def test_whatever_typer_may_say_is_known() -> None:
    strange = [said for said in _sayings() if not HANGUL.search(retold(said, TEMPLATES, translator("ko")))]
    assert strange == [], "typer says what cli/usage.py has no template for"


def test_what_a_fact_says_is_translated_and_other_text_stays() -> None:
    templates = ("{said}; given up after {attempts} attempts", "No such option: {name}")
    korean = translator("ko")
    assert retold("No such option: -; given up after 3 attempts", templates, korean).startswith(
        "그런 옵션은 없습니다: -"
    )
    assert retold("something else", templates, korean) == "something else"


def test_details_of_deliveries_are_korean_and_in_json_as_stored(tmp_path: Path) -> None:
    channel = Channel(name="slack-team", kind="slack", url=Secret("https://hooks.example/1", origin="env:X"))
    store = releases.stored(tmp_path, [releases.judged()])
    with closing(store), store.write() as tx:
        owed = route.owed(releases.judged(), [channel], releases.NOW, quiet=False)
        outbox.owe(tx, owed)
        outbox.drop(tx, "HTTP 503; given up after 10 attempts")
    call = ("-m", "policyfeed", "outbox", "list")
    assert "HTTP 503(10번 시도한 뒤 포기)" in korean(*call, POLICYFEED_DATA=str(tmp_path)).stdout
    told = korean(*call, "--json", POLICYFEED_DATA=str(tmp_path)).stdout
    assert json.loads(told)["error"] == "HTTP 503; given up after 10 attempts"


def test_a_label_is_repeated_in_korean(tmp_path: Path) -> None:
    releases.stored(tmp_path, [releases.judged()]).close()
    said = korean("-m", "policyfeed", "label", "1", "irrelevant", POLICYFEED_DATA=str(tmp_path)).stdout
    assert said.endswith("· 관련 없음\n")


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        ("over the day's cap of 30", "하루 한도 30건 초과"),
        ("the article was withdrawn upstream", "발행처에서 삭제함"),
        ("article 7 is not stored", "글 7번이 저장되어 있지 않음"),
        ("dropped by the operator", "운영자가 포기함"),
        ("Unreachable; given up after 10 attempts", "접속 불가(10번 시도한 뒤 포기)"),
        ("Refused HTTP 403", "거부됨 HTTP 403"),
        (
            "Forbidden by us: an inner host must be in [network] allow",
            "접근 금지: 내부망 주소라면 [network] allow에 적으세요",
        ),
        ("KeyError in policyfeed.channels.slack", "policyfeed.channels.slack 오류: KeyError"),
        (
            "the address redirects: give the channel the one it leads to",
            "주소가 다른 곳으로 넘어감: 넘어간 주소를 채널에 적으세요",
        ),
        ("HTTP 404 no_service", "HTTP 404 no_service"),
    ],
)
def test_every_detail_of_a_delivery_has_its_korean(detail: str, said: str) -> None:
    assert detail_in(detail, translator("ko")) == said
    assert detail_in(detail, translator("en")) == detail


def _sayings() -> Iterator[str]:
    """The errors of calls as typer's source makes them, with samples for their facts."""
    for path in Path(typer.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for text in _texts(node):
                if re.search("[a-z]{2}", text) and not text.startswith("DeprecationWarning"):  # we deprecate nothing
                    yield text


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name == "fail" or name in _usage_errors():
            yield from map(_filled, node.args)
    elif isinstance(node, ast.FunctionDef) and node.name in ("format_message", "get_missing_message"):
        yield from (_filled(one.value) for one in ast.walk(node) if isinstance(one, ast.Return) and one.value)
    elif (
        isinstance(node, ast.Assign)
        and getattr(node.targets[0], "attr", getattr(node.targets[0], "id", "")) == "message"
    ):
        yield _filled(node.value)
    elif isinstance(node, ast.FunctionDef) and node.name == "coerce_cli_choice":
        yield from ("Invalid value for X: Value error, " + _filled(one.exc.args[0]) for one in ast.walk(node)
                    if isinstance(one, ast.Raise) and isinstance(one.exc, ast.Call))  # fmt: skip


def _usage_errors() -> set[str]:
    """The names of the errors that are a caller's; the others are a programmer's."""
    found = vars(_click.exceptions).items()
    return {name for name, one in found if inspect.isclass(one) and issubclass(one, _click.exceptions.UsageError)}


def _filled(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if not isinstance(node, ast.JoinedStr):
        return ""
    pieces = (_filled(one) if isinstance(one, ast.Constant) else _sample(one) for one in node.values)
    return "".join(pieces)


def _sample(node: ast.expr) -> str:
    assert isinstance(node, ast.FormattedValue)
    return SAMPLES.get(ast.unparse(node.value), "'X'")
