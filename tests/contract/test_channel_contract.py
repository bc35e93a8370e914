"""What every channel keeps, with recorded examples in ``tests/cases/channels/<kind>/``.

``messages/*.json``: a channel, its articles and the request that they become. ``answers.json``: the messenger's
answers and what each means.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from policyfeed.channels import Channel, Messenger
from policyfeed.registry import load, names
from policyfeed.types import (
    Article,
    Judged,
    Kind,
    MinistryName,
    Outcome,
    Reason,
    Request,
    Result,
    Secret,
    Verdict,
)
from tests.alerts import KEY, NOW, URL, answer, channel, delivery, explanation, judged

CASES = Path(__file__).parent.parent / "cases" / "channels"
KINDS = names("channels")
MESSAGES = [(kind, path) for kind in KINDS for path in sorted((CASES / kind / "messages").glob("*.json"))]
ANSWERS = [
    (kind, case)
    for kind in KINDS
    if (CASES / kind / "answers.json").exists()
    for case in json.loads((CASES / kind / "answers.json").read_text("utf-8"))
]
ODD = {
    "nothing but an address": judged(title="", summary="", department="", licence="", attribution="", ministries=()),
    "two megabytes everywhere": judged(
        title="환경 " * 700_000, summary="가" * 2_000_000, url=f"{URL}/{'a' * 2_000_000}"
    ),
    "markup": judged(
        title="<!channel> & <b>굵게</b> [링크](https://evil.example) `코드` *별*", summary="{{7*7}} %s {0}"
    ),
    "unprintable": judged(title="탄소\x00\x1b[31m\ud800\u202e중립\ufffe\n\n", summary="\n" * 9_000),
    "emoji": judged(title="👨‍👩‍👧‍👦" * 5_000, summary="e" + "\u0301" * 50_000),
    "right to left": judged(title="السلام والمناخ", department="שלום"),
    "a script for an address": judged(url="javascript:alert(document.cookie)"),
    "a joint release without a date": explanation(),
    "no verdict to speak of": Judged(article=judged().article, verdict=Verdict(kept=False)),
}


def messenger(kind: str) -> Messenger:
    return cast("Messenger", load("channels", kind))


def complete(kind: str, **changes: Any) -> Channel:
    """A channel with every secret that its kind needs."""
    return channel(kind, secrets=dict.fromkeys(messenger(kind).SECRETS, Secret(KEY, "env:KEY")), **changes)


def read_article(case: dict[str, Any]) -> Judged:
    plain = {name: case[name] for name in ("id", "number", "title", "department", "summary", "url", "licence")}
    several = tuple(MinistryName(id=f"m{place}", name=name) for place, name in enumerate(case["ministries"]))
    published = datetime.fromisoformat(case["published"]) if case["published"] else None
    article = Article(
        **plain,
        ministry=several[0],
        ministries=several,
        kind=Kind(case["kind"]),
        published=published,
        dated=case["dated"],
        first_seen=NOW,
        changed=NOW,
        attribution=case["attribution"],
    )
    reasons = tuple(Reason(**reason) for reason in case["reasons"])
    topics = tuple(case["topics"])
    return Judged(article=article, verdict=Verdict(kept=True, score=case["score"], topics=topics, reasons=reasons))


def shown(request: Request) -> dict[str, Any]:
    return {"method": request.method, "headers": dict(request.headers), "body": json.loads(request.body)}


def texts(value: Any) -> list[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for part in parts for text in texts(part)]


def test_every_channel_has_recorded_examples() -> None:
    assert {kind for kind, _ in MESSAGES} == set(KINDS)
    assert {kind for kind, _ in ANSWERS} == set(KINDS)


def test_no_example_is_without_its_channel() -> None:
    assert {path.name for path in CASES.iterdir()} == set(KINDS)


@pytest.mark.parametrize(("kind", "path"), MESSAGES, ids=[f"{kind}-{path.stem}" for kind, path in MESSAGES])
def test_articles_become_the_recorded_request(kind: str, path: Path) -> None:
    case = json.loads(path.read_text("utf-8"))
    to = complete(kind, **case["channel"])
    articles = [read_article(one) for one in case["articles"]]
    request = messenger(kind).message(to, delivery(key=case["key"]), articles, NOW)
    assert shown(request) == case["request"]


@pytest.mark.parametrize(("kind", "case"), ANSWERS, ids=[f"{kind}-{case['name']}" for kind, case in ANSWERS])
def test_answers_mean_what_was_recorded(kind: str, case: dict[str, Any]) -> None:
    outcome = messenger(kind).judge(answer(case["status"], case["body"], **case.get("headers", {})))
    means = case["means"]
    assert outcome == Outcome(
        result=Result(means["result"]),
        detail=means.get("detail", ""),
        after=means.get("after"),
        closes_channel=means.get("closes_channel", False),
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_no_article_is_too_odd_for_a_message(kind: str, odd: Judged) -> None:
    adapter, to = messenger(kind), complete(kind, base_url="https://feed.example.org")
    requests = [
        adapter.message(to, delivery(), [odd], NOW),
        adapter.plain(to, delivery(), [odd], NOW),
        adapter.message(to, delivery(), [odd, *[judged()] * 60], NOW),
    ]
    for request in requests:
        if request is not None:
            assert request.url == URL
            assert 0 < len(request.body) < 1_000_000
            told = "".join(texts(json.loads(request.body.decode("utf-8"))))
            assert not re.search("[\x00-\x08\x1b\x7f\ud800-\udfff\u202e]", told)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_message_names_title_and_address_and_no_secret(kind: str, language: str) -> None:
    request = messenger(kind).message(complete(kind, language=language), delivery(), [judged()], NOW)
    body, headers = request.body.decode(), str(request.headers)
    assert "하천 유역 탄소중립 시범사업 3곳 선정" in body
    assert "https://www.example.go.kr/press/view.do?id=7" in body
    assert "moonlit-otter" not in body + headers
    assert KEY not in body + headers


@pytest.mark.parametrize("kind", KINDS)
def test_every_attempt_tells_the_same_under_the_same_key(kind: str) -> None:
    adapter, to = messenger(kind), complete(kind)
    first = adapter.message(to, delivery(), [judged()], NOW)
    later = adapter.message(to, delivery(attempts=4), [judged()], NOW + timedelta(hours=3))
    assert first.body == later.body
    assert delivery().key in first.body.decode() + str(first.headers)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", ["", "ok", "{}", "null", f"<html>{URL}</html>", "\x00\ufffd" * 5_000])
def test_whatever_comes_back_is_judged(kind: str, body: str) -> None:
    for status in range(100, 600):
        outcome = messenger(kind).judge(answer(status, body, retry_after="7"))
        assert "moonlit-otter" not in outcome.detail
        assert len(outcome.detail) < 300
        if not 200 <= status < 300:
            assert outcome.result is not Result.DELIVERED
        if status == 429 or status >= 500:
            assert outcome.result is Result.RETRY
        if status in (429, 503):
            assert outcome.after == 7
        assert not outcome.closes_channel or outcome.result is Result.REJECTED


@pytest.mark.parametrize("kind", KINDS)
def test_mistakes_are_found_before_anything_is_sent(kind: str) -> None:
    adapter = messenger(kind)
    assert adapter.check(complete(kind)) == []
    assert adapter.check(complete(kind, url=Secret("moonlit-otter", "env:HOOK")))
    for name in adapter.SECRETS:
        lacking = complete(kind)
        without = {other: secret for other, secret in lacking.secrets.items() if other != name}
        assert adapter.check(channel(kind, secrets=without))
    wrong = channel(kind, url=Secret("moonlit-otter"), secrets=dict.fromkeys(adapter.SECRETS, Secret("hush-hush")))
    said = "\n".join(str(mistake) for mistake in adapter.check(wrong))
    assert "moonlit-otter" not in said
    assert "hush-hush" not in said
