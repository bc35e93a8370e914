"""Labels, training, evaluation, suggestions."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from policyfeed.errors import UsageError
from policyfeed.relevance import Judge, load_topics
from policyfeed.relevance.evaluate import (
    Bin,
    Counts,
    average_precision,
    calibration_error,
    rate,
    recall_at_precision,
    reliability,
    reliability_text,
    report,
)
from policyfeed.relevance.fitting import Row, fit
from policyfeed.relevance.labels import Label, read_labels, samples
from policyfeed.relevance.rules import Model, Rules
from policyfeed.relevance.suggest import suggest, suggest_against
from policyfeed.relevance.train import model_toml, train

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "ai-regulation"


def label(title: str, relevant: bool, ministry: str = "") -> Label:
    return Label(id=title, title=title, relevant=relevant, ministry=ministry)


def world() -> list[Label]:
    """Here every release on 가명정보 is wanted and every one on 유출 is not, whatever the files say."""
    wanted = [label(f"가명정보 결합 {n}호 승인", True) for n in range(12)]
    unwanted = [label(f"자료 유출 소식 {n}보", False, ministry="국방부") for n in range(12)]
    return wanted + unwanted


def rules() -> Rules:
    return load_topics(EXAMPLE)


def test_average_precision_by_hand() -> None:
    assert average_precision([True, False, True], [0.9, 0.8, 0.7]) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision([True, False], [0.5, 0.5]) == 0.5
    assert average_precision([False], [0.5]) == 0.0


def test_recall_at_precision_by_hand() -> None:
    truth, scores = [True, False, True, True], [0.9, 0.8, 0.7, 0.6]
    assert recall_at_precision(truth, scores, 0.75) == 1.0
    assert recall_at_precision(truth, scores, 0.8) == pytest.approx(1 / 3)


def test_calibration_by_hand() -> None:
    bins = reliability([True, True, False, False], [0.9, 0.9, 0.1, 0.3], bins=2)
    assert bins == (Bin(size=2, score=0.2, relevant=0.0), Bin(size=2, score=0.9, relevant=1.0))
    assert calibration_error(bins) == pytest.approx(0.15)
    assert reliability_text(bins).count("\n") == 1


def test_a_report_counts_and_shows_the_worst_first() -> None:
    labels = [
        label("개인정보 유출 제재", True, ministry="개인정보보호위원회"),
        label("개인정보 캠페인", False),
        label("회의 소식", True),
        label("날씨", False),
    ]
    found = report(rate(Judge(rules()), [replace(labels[0], pillars=("D",)), *labels[1:]]))
    assert (found.counts.both, found.counts.kept, found.counts.relevant, found.counts.all) == (1, 2, 2, 4)
    assert (found.counts.precision, found.counts.recall, found.counts.f1) == (0.5, 0.5, 0.5)
    assert [one.label.title for one in found.false_keeps] == ["개인정보 캠페인"]
    assert [one.label.title for one in found.misses] == ["회의 소식"]
    assert found.pillars["D"].recall == found.attributed["D"].recall == 1.0
    assert found.ministries["개인정보보호위원회"].all == 1
    assert "" not in found.ministries


def test_labels_without_articles_give_zeros() -> None:
    assert report(()).counts.f1 == report(()).ece == 0.0


def test_fitting_finds_what_the_prior_does_not_say() -> None:
    rows = [Row(prior=0.0, features={"a": 1.0}, relevant=True)] * 9 + [
        Row(prior=0.0, features={"b": 1.0}, relevant=False)
    ] * 9
    found = fit(rows, lambda _: 0.1)
    assert found["a"] > 1.0
    assert found["b"] < -1.0
    assert fit(rows, lambda _: 1e6)["a"] == pytest.approx(0.0, abs=1e-3)


def test_training_is_deterministic_and_learns() -> None:
    own = rules()
    forth, back = (train(own, samples(own, order)) for order in (world(), world()[::-1]))
    assert forth == back
    assert forth.corrections["term/가명정보"] > 0 > forth.corrections["term/유출"]


def test_a_model_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    own = rules()
    for path in EXAMPLE.glob("*.toml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    model = train(own, samples(own, world()))
    (tmp_path / "_model.toml").write_text(model_toml(model, "of a test"), encoding="utf-8")
    again = load_topics(tmp_path)
    assert again.model == model
    assert again.version != own.version


def test_calibration_stays_sane_when_all_is_separable() -> None:
    own = rules()
    model = train(own, samples(own, world()))
    assert 0.1 <= model.slope < 10
    assert isinstance(model, Model)


def test_suggestions_weigh_fixes_against_costs() -> None:
    labels = [
        *(label(f"합성데이터 지침 {n}판 공개", True) for n in range(4)),
        *(label(f"공개 행사 {n}일차", False) for n in range(6)),
    ]
    judge = Judge(rules())
    found = suggest(judge, rate(judge, labels), corpus=[label("합성데이터 세미나", False)])
    assert found[0].term.startswith("합성")
    assert (found[0].fixes, found[0].costs, found[0].gains) == (4, 0, 1)
    assert all(one.term != "공개" for one in found)


def test_suggestions_against_wrong_keeps_count_what_they_would_drop() -> None:
    labels = [
        *(label(f"가명정보 산책대회 {n}회", False) for n in range(3)),
        *(label(f"가명정보 결합 {n}건", True) for n in range(4)),
    ]
    judge = Judge(rules())
    (found, *others) = suggest_against(judge, rate(judge, labels), corpus=[label("가명정보 산책대회 소식", False)])
    assert found.against
    assert (found.term, found.fixes, found.costs, found.gains) == ("산책대회", 3, 0, 1)
    assert all("가명" not in one.term for one in others)


def test_a_pillars_precision_asks_what_was_attributed_to_it() -> None:
    labels = [replace(label("가명정보 결합", True), pillars=("D",)), label("가명정보 산책대회", False)]
    counts = report(rate(Judge(rules()), labels)).attributed["D"]
    assert (counts.precision, counts.recall) == (0.5, 1.0)


def test_a_label_that_names_topics_counts_for_their_pillars() -> None:
    named = replace(label("가명정보 결합", True), topics=("D1",))
    unnamed, unknown = label("가명정보 결합 승인", True), replace(label("가명정보 활용", True), topics=("E99",))
    unwanted = replace(label("가명정보 산책대회", False), topics=("D1",))
    found = report(rate(Judge(rules()), [named, unnamed, unknown, unwanted]))
    assert found.attributed == {"D": Counts(both=1, kept=2, relevant=1, all=2)}
    assert found.pillars["D"].all == 1


def test_labels_may_name_known_releases(tmp_path: Path) -> None:
    labels, texts = tmp_path / "labels.jsonl", tmp_path / "releases.jsonl.gz"
    labels.write_text('{"newsId": "7", "relevant": true, "topics": ["D1"], "pillars": ["D"]}\n\n', encoding="utf-8")
    release = {
        "newsId": 7,
        "title": "가명정보 소식",
        "subtitles": ["- 첫 결합"],
        "ministry": "개인정보보호위원회",
        "body": "본문",
    }
    texts.write_bytes(gzip.compress(json.dumps(release).encode()))
    (found,) = read_labels([labels], [texts])
    assert (found.id, found.title, found.lead, found.topics) == ("7", "가명정보 소식", "- 첫 결합 본문", ("D1",))


@pytest.mark.parametrize(
    "line",
    [
        '{"newsId": "8", "relevant": true}',
        '{"title": "제목", "relevant": "yes"}',
        '{"title": 5, "relevant": true}',
        "no json",
        "[]",
        "[" * 5000,
    ],
)
def test_labels_that_cannot_be_used_are_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(f'{{"title": "날씨", "relevant": false}}\n{line}\n', encoding="utf-8")
    with pytest.raises(UsageError, match=r"labels\.jsonl, line 2"):
        read_labels([path])


def test_labels_as_editors_and_programs_write_them(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    ministry = '{"id": "pipc", "name": "개인정보보호위원회"}'
    text = f'{{"title": "가명\u2028정보", "ministry": {ministry}, "relevant": true, "topics": "D1"}}\r\n'
    path.write_text(f"\ufeff{text}\n", encoding="utf-8")
    (found,) = read_labels([path])
    assert (found.title, found.ministry, found.topics) == ("가명\u2028정보", "개인정보보호위원회", ("D1",))


def test_a_broken_collection_is_named(tmp_path: Path) -> None:
    texts = tmp_path / "texts.jsonl.gz"
    texts.write_bytes(gzip.compress(b'{"title": "without a number"}\n' * 9)[:-12])
    with pytest.raises(UsageError, match=r"texts\.jsonl\.gz"):
        read_labels([], [texts])


def test_a_label_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="absent"):
        read_labels([tmp_path / "absent.jsonl"])


def test_a_term_that_one_article_alone_shows_teaches_nothing() -> None:
    own = rules()
    lone = [label("합성데이터 지침 가명정보", True), *(label(f"음악회 {n}일차", False) for n in range(12))]
    assert "term/가명정보" not in train(own, samples(own, lone)).corrections
    many = [*lone, label("가명정보 결합", True), label("가명정보 활용", True)]
    assert train(own, samples(own, many)).corrections["term/가명정보"] > 0
