"""What a receiver of Standard Webhooks is sent, and what its answers mean."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest

from policyfeed.article_json import as_json
from policyfeed.channels import Channel, webhook
from policyfeed.types import Outcome, Request, Result, Secret
from tests.alerts import KEY, NOW, URL, answer, channel, delivery, judged

OLD_KEY = "whsec_" + base64.b64encode(b"the secret that is being replaced").decode()


def hook(**changes: Any) -> Channel:
    return channel("webhook", **changes)


def sent(to: Channel | None = None, **changes: Any) -> Request:
    return webhook.message(to or hook(), delivery(), [judged(**changes)], NOW)


def signed(request: Request, secret: str) -> bool:
    """Verified as the specification says, without the library that signed."""
    headers = dict(request.headers)
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request.body
    digest = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), content, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}" in headers["webhook-signature"].split(" ")


def test_the_body_is_an_event_with_the_article() -> None:
    request = sent()
    assert (request.url, request.method) == (URL, "POST")
    assert json.loads(request.body) == {
        "type": "article.published",
        "timestamp": "2026-05-20T00:30:00Z",
        "data": as_json(judged()),
    }


def test_several_articles_are_one_event() -> None:
    request = webhook.message(hook(), delivery(), [judged(1), judged(2)], NOW)
    body = json.loads(request.body)
    assert body["type"] == "articles.published"
    assert [one["number"] for one in body["data"]["articles"]] == [1, 2]


def test_the_key_is_the_id_of_every_attempt_and_each_is_signed_anew() -> None:
    first = sent()
    later = webhook.message(hook(), delivery(attempts=3), [judged()], NOW + timedelta(minutes=5, microseconds=7))
    assert dict(first.headers)["webhook-id"] == dict(later.headers)["webhook-id"] == delivery().key
    assert dict(later.headers)["webhook-timestamp"] == str(int(NOW.timestamp()) + 300)
    assert first.body == later.body
    assert signed(first, KEY)
    assert signed(later, KEY)
    assert not signed(first, OLD_KEY)


def test_while_a_secret_rotates_both_sign() -> None:
    request = sent(hook(secrets={"secret": Secret(f"{KEY} {OLD_KEY}")}))
    assert signed(request, KEY)
    assert signed(request, OLD_KEY)


def test_odd_text_is_bounded_signed_and_valid_utf8() -> None:
    request = sent(title="환경 " * 700_000, summary="\ud800끝", tags=("x",) * 5000)
    data = json.loads(request.body.decode("utf-8"))["data"]
    assert len(data["title"]) <= 10_000
    assert data["title"].endswith("…")
    assert data["summary"] == "끝"
    assert len(data["tags"]) == 100
    assert signed(request, KEY)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_alone_is_success(status: int) -> None:
    assert webhook.judge(answer(status)) == Outcome(result=Result.DELIVERED)


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 404, 408, 429, 500, 503])
def test_any_other_answer_is_tried_again(status: int) -> None:
    assert webhook.judge(answer(status)) == Outcome(result=Result.RETRY, detail=f"HTTP {status}")


def test_410_means_gone_for_good() -> None:
    assert webhook.judge(answer(410)) == Outcome(result=Result.REJECTED, detail="HTTP 410", closes_channel=True)


@pytest.mark.parametrize("status", [429, 503])
def test_the_receivers_wish_is_told(status: int) -> None:
    assert webhook.judge(answer(status, retry_after="Wed, 20 May 2026 00:32:00 GMT")).after == 120


@pytest.mark.parametrize(
    "secret",
    ["", "   ", KEY.removeprefix("whsec_"), "whsec_", "whsec_한글", "whsec_a", "whsec_not base64!", f"{KEY} geheim"],
)
def test_a_bad_secret_is_a_mistake_that_does_not_show_it(secret: str) -> None:
    mistakes = webhook.check(hook(secrets={"secret": Secret(secret, "env:POLICYFEED_WEBHOOK_SECRET")}))
    assert len(mistakes) == 1
    assert "env:POLICYFEED_WEBHOOK_SECRET" in str(mistakes[0])
    assert "whsec_ followed by base64" in str(mistakes[0])
    assert not secret.strip() or secret == "whsec_" or secret not in str(mistakes[0])


def test_a_missing_secret_and_a_bad_address_are_both_named() -> None:
    mistakes = webhook.check(hook(url=Secret("nowhere", "env:HOOK"), secrets={}))
    assert [one.facts["key"] for one in mistakes] == ["url", "secret"]


@pytest.mark.parametrize("secret", [KEY, KEY.rstrip("="), f"{OLD_KEY} {KEY}"])
def test_good_secrets_pass(secret: str) -> None:
    assert webhook.check(hook(secrets={"secret": Secret(secret)})) == []
