"""Topics' folders: what is read, and every mistake at once."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from policyfeed.errors import ConfigErrors
from policyfeed.i18n import translator
from policyfeed.relevance import check_topics, load_topics
from policyfeed.relevance.checking import Severity
from policyfeed.relevance.rules import Rules

ROOT = Path(__file__).parents[2]
RULES = '[pillars]\nA = { ko = "가", en = "A" }\n'
TOPIC = 'id = "A1"\npillar = "A"\nname = { ko = "물", en = "Water" }\n'
GENRE = '[[genres]]\nid = "{}"\nname = {{ ko = "엑스", en = "X" }}\n'
TERMS = '[terms]\nstrong = ["수질"]\n'
NOT_FINITE = "it must not be infinite, and not nan"


def folder(path: Path, **files: str) -> Path:
    for name, text in files.items():
        (path / f"{name}.toml").write_text(text, encoding="utf-8")
    return path


def small(path: Path, topic: str = TOPIC + TERMS, rules: str = RULES) -> Rules:
    return load_topics(folder(path, _rules=rules, A1=topic))


def mistakes(path: Path, **files: str) -> list[dict[str, object]]:
    with pytest.raises(ConfigErrors) as caught:
        load_topics(folder(path, **files))
    assert all(mistake.remedy for mistake in caught.value.mistakes)
    return [mistake.facts for mistake in caught.value.mistakes]


def test_the_shipped_topics_are_whole() -> None:
    rules = load_topics(ROOT / "config" / "topics")
    wanted = [f"E{n}" for n in range(1, 9)] + [f"G{n}" for n in range(1, 8)] + [f"S{n}" for n in range(1, 15)]
    assert [topic.id for topic in rules.topics] == wanted
    assert [pillar.id for pillar in rules.pillars] == ["E", "S", "G"]
    assert all(topic.name_ko and topic.name_en and topic.description for topic in rules.topics)
    assert all(topic.frameworks.get("k-esg") for topic in rules.topics)


@pytest.mark.parametrize("topics", ["config/topics", "docs/examples/ai-regulation"])
def test_topics_pass_their_own_examples(topics: str) -> None:
    assert [finding.text() for finding in check_topics(load_topics(ROOT / topics))] == []


def test_rules_can_be_pickled() -> None:
    rules = load_topics(ROOT / "config" / "topics")
    assert pickle.loads(pickle.dumps(rules)) == rules  # noqa: S301 - our own bytes


def test_the_version_follows_every_file(tmp_path: Path) -> None:
    first = small(tmp_path).version
    assert small(tmp_path).version == first
    assert small(tmp_path, TOPIC + '[terms]\nstrong = ["수질", "녹조"]\n').version != first


def test_every_mistake_of_all_files_at_once(tmp_path: Path) -> None:
    found = mistakes(
        tmp_path,
        _rules=RULES + '[[genres]]\nid = "x"\nname = { ko = "엑스", en = "X" }\npatterns = ["("]\n',
        A1=TOPIC + 'stong = ["수질"]\n' + TERMS,
        A2=TOPIC.replace("A1", "A2"),
        A3="id = [",
        A4=TOPIC.replace('pillar = "A"', 'pillar = "B"') + TERMS,
    )
    assert {(fact["file"], fact["key"]) for fact in found} == {
        ("A1.toml", "stong"),
        ("A2.toml", "terms"),
        ("A3.toml", ""),
        ("A4.toml", "pillar"),
        ("_rules.toml", "patterns"),
    }
    assert next(fact["line"] for fact in found if fact["file"] == "A1.toml") == 4


@pytest.mark.parametrize(
    ("file", "text", "key", "line", "said"),
    [
        (
            "A1",
            TOPIC + 'masks = ["strong"]\n[terms]\nweak = ["물"]\nstrong = ["", "수질"]\n',
            "terms.strong.0",
            7,
            "it must not be empty",
        ),
        (
            "A1",
            TOPIC + 'keep = ["수질 개선",\n""]\ndrop = [{ title = "날씨" }]\n' + TERMS,
            "keep.1.title",
            4,
            "it must not be empty",
        ),
        ("A1", TOPIC + "weight = 0\n" + TERMS, "weight", 4, "it must be more than 0"),
        (
            "_rules",
            RULES + GENRE.format("x") + GENRE.format("y") + "points = 'much'\n",
            "genres.y.points",
            9,
            "it must be a number without quotes",
        ),
        ("A1", TOPIC + "weight = inf\n" + TERMS, "weight", 4, NOT_FINITE),
        ("A1", TOPIC + 'ministries = { "환경부" = nan }\n' + TERMS, "ministries.환경부", 4, NOT_FINITE),
        ("_rules", RULES + "[settings]\nbase = -inf\n", "settings.base", 4, NOT_FINITE),
        ("_model", '[corrections]\n"genre/x" = nan\n', "corrections.genre/x", 2, NOT_FINITE),
    ],
)
def test_a_wrong_value_is_said_with_its_line(
    tmp_path: Path, file: str, text: str, key: str, line: int, said: str
) -> None:
    (found,) = mistakes(tmp_path, **({"_rules": RULES, "A1": TOPIC + TERMS} | {file: text}))
    assert (found["file"], found["key"], found["line"], str(found["said"])) == (f"{file}.toml", key, line, said)


def test_a_wrong_value_is_said_in_korean(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors) as caught:
        small(tmp_path, TOPIC + '[terms]\nstrong = [""]\n')
    (said,) = [one.text(translator("ko")) for one in caught.value.mistakes]
    assert said == "A1.toml 5행: terms.strong.0: 비어 있으면 안 됩니다. 값을 고치세요."


def test_a_kind_that_does_not_exist(tmp_path: Path) -> None:
    (found,) = mistakes(
        tmp_path, _rules=RULES + GENRE.format("x") + 'kinds = ["notice", "press_relase"]\n', A1=TOPIC + TERMS
    )
    assert (found["key"], found["line"], found["value"]) == ("genres.x.kinds.1", 6, "press_relase")
    assert found["near"] == "press_release"


def test_an_id_used_twice(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, _rules=RULES, A1=TOPIC + TERMS, B1=TOPIC + TERMS)
    assert (found["file"], found["id"], found["other"]) == ("B1.toml", "A1", "A1.toml")


def test_a_term_of_nothing(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, _rules=RULES, A1=TOPIC + '[terms]\nstrong = ["··"]\n')
    assert (found["line"], found["term"]) == (5, "··")


@pytest.mark.parametrize("text", ['masks = ["|"]\n' + RULES, RULES + GENRE.format("x") + 'terms = ["*"]\n'])
def test_a_mask_and_a_genres_term_of_nothing(tmp_path: Path, text: str) -> None:
    (found,) = mistakes(tmp_path, _rules=text, A1=TOPIC + TERMS)
    assert (found["file"], found["term"]) == ("_rules.toml", "|" if "masks" in text else "*")


def test_two_genres_of_one_id(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, _rules=RULES + GENRE.format("x") + GENRE.format("x"), A1=TOPIC + TERMS)
    assert (found["file"], found["id"]) == ("_rules.toml", "x")


def test_a_genre_without_an_id_is_known_by_its_place(tmp_path: Path) -> None:
    nameless = GENRE.format("x").replace('id = "x"\n', "")
    (found,) = mistakes(tmp_path, _rules=RULES + nameless, A1=TOPIC + TERMS)
    assert found["key"] == "genres.0.id"


def test_a_background_term_must_be_a_term(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, _rules=RULES, A1=TOPIC + 'background = ["수질", "단속"]\n' + TERMS)
    assert (found["file"], found["line"], found["term"]) == ("A1.toml", 4, "단속")


def test_a_folder_without_rules(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, A1=TOPIC + TERMS)
    assert found["file"] == "_rules.toml"


def test_bytes_that_are_no_utf8(tmp_path: Path) -> None:
    (tmp_path / "A1.toml").write_bytes("id = '물'".encode("cp949"))
    (found,) = mistakes(tmp_path, _rules=RULES)
    assert found["file"] == "A1.toml", "and nothing is missed in what could not be read"


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    bare = small(tmp_path).version
    assert small(tmp_path, f"\ufeff{TOPIC}{TERMS}").version == bare


def test_a_file_that_is_nested_too_deeply_is_said(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, _rules=RULES, A1=f"{TOPIC}{TERMS}\nfurther = {'[' * 5000}{']' * 5000}")
    assert "recursion" in str(said["detail"])


def test_failed_examples_are_errors_with_their_place(tmp_path: Path) -> None:
    rules = small(tmp_path, TOPIC + 'keep = ["가뭄 소식"]\ndrop = ["하천 수질 개선"]\n' + TERMS)
    found = [(one.severity, one.place.line, one.term) for one in check_topics(rules)]
    assert found == [(Severity.ERROR, 4, "가뭄 소식"), (Severity.ERROR, 5, "하천 수질 개선")]


def test_dead_and_doubled_terms_are_warnings(tmp_path: Path) -> None:
    examples = 'keep = ["수질 개선"]\ndrop = ["날씨 소식"]\n'
    topic = TOPIC + 'masks = ["물가"]\n' + examples + '[terms]\nstrong = ["수질", "물가"]\nnormal = ["수 질", "녹조"]\n'
    other = (
        TOPIC.replace("A1", "A2")
        + examples.replace("수질", "녹조")
        + '[terms]\nstrong = ["수질", "녹조"]\n[shared]\n"녹조" = "둘 다"\n'
    )
    rules = load_topics(folder(tmp_path, _rules=RULES, A1=topic, A2=other))
    found = {(one.severity.value, one.topic, one.term) for one in check_topics(rules)}
    assert found == {("warning", "A1", "물가"), ("warning", "A1", "수 질"), ("warning", "A2", "수질")}


def test_a_sign_inside_a_term_is_a_warning(tmp_path: Path) -> None:
    topic = (
        TOPIC
        + 'keep = ["수질"]\ndrop = ["날씨"]\nmasks = ["수질|검사"]\n[terms]\nstrong = ["수질", "녹조 | 적조", "|댐|"]\n'
    )
    found = check_topics(small(tmp_path, topic, RULES + GENRE.format("x") + 'terms = ["전*시"]\n'))
    assert {(one.severity.value, one.topic, one.term) for one in found} == {
        ("warning", "A1", "녹조 | 적조"),
        ("warning", "A1", "수질|검사"),
        ("warning", "x", "전*시"),
    }


def test_a_failed_example_is_told_in_korean(tmp_path: Path) -> None:
    (found, *_) = check_topics(small(tmp_path, TOPIC + 'keep = ["가뭄 소식"]\ndrop = ["날씨"]\n' + TERMS))
    assert "점: 기본 점수 +" in found.text(translator("ko"))
