"""``policyfeed topics`` on a folder of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from policyfeed.cli.topics import app
from policyfeed.config import shipped
from policyfeed.errors import UsageError
from policyfeed.relevance import load_topics
from policyfeed.store import labels as feedback
from tests import releases

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "ai-regulation"
LINES = [
    {"title": "개인정보 유출 은행 제재", "ministry": "개인정보보호위원회", "relevant": True, "pillars": ["D"]},
    {"title": "합성데이터 지침 초판 공개", "relevant": True, "topics": ["D1"], "pillars": ["D"]},
    {"title": "합성데이터 지침 개정판 공개", "relevant": True, "topics": ["D1"], "pillars": ["D"]},
    {"title": "봄꽃 축제 소식", "ministry": "국방부", "relevant": False},
]


@pytest.fixture
def topics(tmp_path: Path) -> Path:
    folder = tmp_path / "topics"
    folder.mkdir()
    for path in EXAMPLE.glob("*.toml"):
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.jsonl"
    path.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in LINES), encoding="utf-8")
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def lines(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_check_is_silent_about_sound_topics(topics: Path) -> None:
    result = run("check", "--topics", topics, "--json")
    assert (result.exit_code, result.stdout) == (0, "")


def test_check_fails_with_file_line_and_title(topics: Path) -> None:
    path = topics / "D1.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("keep = [", 'keep = ["봄꽃 소식", '), encoding="utf-8")
    result = run("check", "--topics", topics, "--json")
    (found,) = lines(result)
    assert result.exit_code == 1
    assert (found["severity"], found["topic"], found["term"]) == ("error", "D1", "봄꽃 소식")
    assert found["place"] == {"file": "D1.toml", "line": 7}


@pytest.mark.parametrize("pattern", ["(가+)+나", r"제\s*(?:\d+\s*)+차", r"(?:[가-힣]+\s*)+보고서", "나(다|라|다라)*마"])
def test_check_warns_of_a_pattern_that_takes_for_ever(topics: Path, pattern: str) -> None:
    path = topics / "_rules.toml"
    genre = f"""\n[[genres]]\nid = "slow"\nname = {{ ko = "느림", en = "Slow" }}\npatterns = ['가+나', '{pattern}']\n"""
    path.write_text(path.read_text(encoding="utf-8") + genre, encoding="utf-8")
    result = run("check", "--topics", topics, "--json")
    (found,) = lines(result)
    assert (result.exit_code, found["severity"], found["topic"], found["term"]) == (0, "warning", "slow", pattern)
    line = path.read_text(encoding="utf-8").splitlines().index('id = "slow"') + 1
    assert found["place"] == {"file": "_rules.toml", "line": line}


def test_no_shipped_pattern_takes_long() -> None:
    result = run("check", "--topics", shipped() / "topics", "--json")
    assert (result.exit_code, result.stdout) == (0, "")


def test_eval_counts(topics: Path, labels: Path) -> None:
    (found,) = lines(run("eval", labels, "--topics", topics, "--json"))
    assert (found["articles"], found["relevant"], found["kept"], found["recall"]) == (4, 3, 1, 0.3333)
    assert "PR-AUC" in run("eval", labels, "--topics", topics).stdout


def test_eval_of_feedback_counts_a_topics_pillar(topics: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLICYFEED_DATA", str(tmp_path / "var"))
    store = releases.stored(tmp_path / "var", [releases.judged(1, title="개인정보 유출 은행 제재")])
    with store.write() as tx:
        feedback.save(tx, feedback.Feedback(number=1, relevant=True, topic="D1", said=releases.NOW))
    store.close()
    (found,) = lines(run("eval", "--feedback", "--topics", topics, "--json"))
    assert '"D": {"articles": 1, "relevant": 1, "kept": 1, "precision": 1.0' in json.dumps(found["pillars"])


def test_suggest_names_the_missing_term(topics: Path, labels: Path) -> None:
    found = lines(run("suggest", labels, "--topics", topics, "--json"))
    assert (found[0]["fixes"], found[0]["topic"]) == (2, "D1")


def test_suggest_counts_what_stored_articles_it_would_keep(
    topics: Path, labels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLICYFEED_DATA", str(tmp_path / "var"))
    releases.stored(tmp_path / "var", [releases.judged(1, title="합성데이터 지침 해설"), releases.judged(2)]).close()
    (found, *_) = lines(run("suggest", labels, "--topics", topics, "--stored", "--json"))
    assert (found["fixes"], found["gains"]) == (2, 1)


def test_train_writes_what_the_next_load_reads(topics: Path, labels: Path) -> None:
    model = topics / "_model.toml"
    assert run("train", labels, "--topics", topics, "--out", model).exit_code == 0
    assert load_topics(topics).model.corrections
    first = model.read_bytes()
    run("train", labels, "--topics", topics, "--out", model)
    assert model.read_bytes() == first


def test_a_few_labels_do_not_replace_the_model(topics: Path, labels: Path, tmp_path: Path) -> None:
    result = run("train", labels, "--topics", topics)
    assert isinstance(result.exception, UsageError)
    assert not (topics / "_model.toml").exists()
    many = tmp_path / "many.jsonl"
    many.write_text(f"{labels.read_text(encoding='utf-8')}\n" * 250, encoding="utf-8")
    assert run("train", many, "--topics", topics).exit_code == 0
    assert (topics / "_model.toml").exists()


def test_a_missing_file_is_a_mistake_of_usage(topics: Path, tmp_path: Path) -> None:
    result = run("eval", tmp_path / "absent.jsonl", "--topics", topics)
    assert isinstance(result.exception, UsageError)


def test_suggest_wants_at_least_one(topics: Path, labels: Path) -> None:
    assert run("suggest", labels, "--topics", topics, "--limit", -5).exit_code == 2
