"""What Slack is sent, and what its answers mean."""

import json
from typing import Any

import pytest

from policyfeed.channels import Channel, slack
from policyfeed.types import Judged, Kind, MinistryName, Outcome, Result, Secret, Verdict
from tests.alerts import NOW, URL, answer, channel, delivery, explanation, judged

FAMILY = "👨‍👩‍👧‍👦"


def sent(*several: Judged, to: Channel | None = None) -> dict[str, Any]:
    request = slack.message(to or channel(), delivery(), several, NOW)
    assert request.url == URL
    assert request.method == "POST"
    assert dict(request.headers)["Content-Type"].startswith("application/json")
    payload: dict[str, Any] = json.loads(request.body)
    check_limits(payload)
    return payload


def texts(payload: dict[str, Any]) -> list[str]:
    """Every text of the blocks, in reading order."""
    found = []
    for block in payload.get("blocks", []):
        found += [element["text"] for element in block.get("elements", [block.get("text")])]
    return [one["text"] if isinstance(one, dict) else one for one in found]


def check_limits(payload: dict[str, Any]) -> None:
    limits = {"header": 150, "section": 3_000, "context": 2_000}
    assert 1 <= len(payload.get("blocks", ["-"])) <= 50
    assert 0 < len(payload["text"]) <= 40_000
    for block in payload.get("blocks", []):
        assert len(block.get("elements", [])) <= 10
        for text in texts({"blocks": [block]}):
            assert 0 < len(text.encode("utf-16-le")) // 2 <= limits[block["type"]]


def test_a_message_says_what_who_when_why_and_under_which_licence() -> None:
    told = texts(sent(judged(), to=channel(base_url="https://feed.example.org", topic_names={"E1": "기후변화"})))
    assert told == [
        "기후에너지환경부 물순환정책과 · 보도자료",
        "*<https://www.example.go.kr/press/view.do?id=7|하천 유역 탄소중립 시범사업 3곳 선정>*\n2026-05-20 09:00",
        "올해 안에 세 유역에서 온실가스 감축과 홍수 대비를 함께 꾀하는 사업이 시작된다.",
        "주제: 기후변화, E4",
        "점수 82 · 근거: 탄소중립(제목), 온실가스(요약)",
        "출처: 기후에너지환경부 · 공공누리 제1유형",
        "<https://feed.example.org/articles/7|수집·판정 내역>",
    ]


def test_a_channel_may_speak_english() -> None:
    told = texts(sent(judged(kind=Kind.BRIEFING), to=channel(language="en", base_url="https://feed.example.org")))
    assert told[0].endswith("· Briefing")
    assert told[3:5] == ["Topics: E1, E4", "Score 82 · Why: 탄소중립 (title), 온실가스 (summary)"]
    assert told[5].startswith("Source: ")
    assert told[6].endswith("|How it was judged>")


def test_the_first_block_carries_the_permanent_key() -> None:
    assert sent(judged())["blocks"][0]["block_id"] == delivery().key


def test_the_notification_text_names_title_ministry_and_address() -> None:
    assert sent(judged())["text"].splitlines() == [
        "하천 유역 탄소중립 시범사업 3곳 선정",
        "기후에너지환경부 물순환정책과 · 보도자료 · 2026-05-20 09:00",
        "https://www.example.go.kr/press/view.do?id=7",
        "점수 82 · 근거: 탄소중립(제목), 온실가스(요약)",
    ]


@pytest.mark.parametrize(
    "hostile", ["<!channel> 알림", "<https://evil.example|여기>", "&lt;!here&gt;", "<@U123>", "a|b>c", "R&D <예산>"]
)
def test_nothing_from_upstream_becomes_a_mention_or_a_link(hostile: str) -> None:
    odd = judged(
        title=hostile,
        summary=hostile,
        department=hostile,
        attribution=hostile,
        licence=hostile,
        ministry=MinistryName(id="m", name=hostile),
        ministries=(),
        verdict={"topics": (hostile,)},
    )
    own = "<https://www.example.go.kr/press/view.do?id=7|"
    whole = "\n".join([sent(odd)["text"], *texts(sent(odd))]).replace(own, "").replace(">*", "*")
    assert "<" not in whole
    assert ">" not in whole
    assert slack.escape(hostile) in whole


def test_a_title_tells_not_everyone_where_slacks_form_is_taken_by_others() -> None:
    """Mattermost reads the text alone, and @all in it wherever it comes from."""
    text = sent(judged(title="@all (@channel) 문의 a@example.go.kr"))["text"]
    assert text.startswith("@\u2060all (@\u2060channel) 문의 a@example.go.kr\n")


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "",
        "ftp://x/y",
        "https://",
        "http://[",
        "https://x/" + "가" * 9000,
        "https://x/" + "&" * 1_900,
    ],
)
def test_an_address_that_is_no_link_leaves_the_title_alone(url: str) -> None:
    assert texts(sent(judged(url=url)))[1].startswith("*하천 유역")


def test_an_address_cannot_end_its_link_early() -> None:
    url = "https://www.example.go.kr/a|b>c<d e?q=환경&r=1"
    linked = texts(sent(judged(url=url)))[1].splitlines()[0]
    assert linked.startswith("*<https://www.example.go.kr/a%7Cb%3Ec%3Cd%20e?q=%ED%99%98%EA%B2%BD&amp;r=1|하천")
    assert linked.count("<") == linked.count(">") == 1


def test_an_article_with_nothing_but_an_address_is_still_a_message() -> None:
    bare = judged(title=" \n ", summary="", department="", licence="", attribution="", verdict={"topics": ()})
    payload = sent(Judged(article=bare.article, verdict=Verdict(kept=True)))
    assert "(제목 없음)" in payload["text"]
    assert not texts(payload)[2:]


def test_two_megabytes_of_title_and_everything_else_fit() -> None:
    huge = "환경 " * 700_000
    odd = judged(
        title=huge,
        summary=huge,
        department=huge,
        attribution=huge,
        licence=huge,
        url="https://x.example/" + "a" * 2_000_000,
        verdict={"topics": (huge,) * 50},
    )
    payload = sent(odd)
    assert all(len(text) < 1_000 for text in texts(payload))
    assert len(json.dumps(payload)) < 40_000


def test_characters_that_grow_when_escaped_fit_too() -> None:
    sent(judged(title="&" * 5_000, summary="<" * 5_000, department=">" * 5_000))
    sent(judged(title="😀" * 5_000, summary="&😀" * 5_000, department="😀" * 5_000))


def test_an_emoji_family_is_never_cut_apart() -> None:
    title = texts(sent(judged(title=FAMILY * 300)))[1]
    label = title[title.index("|") + 1 : title.index(">")]
    assert set(label.removesuffix("…").split(FAMILY)) == {""}


def test_line_breaks_controls_and_text_direction_overrides_do_not_reach_the_message() -> None:
    said = json.dumps(sent(judged(title="탄소\u202eLMTH\x00\n\n중립\ud800 \u2066끝")), ensure_ascii=False)
    assert "탄소LMTH 중립 끝" in said


def test_right_to_left_text_is_kept() -> None:
    assert "السلام" in sent(judged(title="السلام 협정"))["text"]


def test_a_joint_release_without_a_date_names_three_ministries_and_when_it_was_seen() -> None:
    told = texts(sent(explanation()))
    assert told[0] == "교육부, 외교부, 국방부 외 1곳 · 설명·해명자료"
    assert told[1].splitlines()[1] == "2026-05-20 09:30 수집"


def test_a_day_without_a_time_is_told_as_a_day() -> None:
    assert texts(sent(judged(dated=True)))[1].splitlines()[1] == "2026-05-20"


def test_many_articles_fit_into_one_message() -> None:
    payload = sent(*(judged(number, title=f"{number}번째 소식") for number in range(80)))
    told = texts(payload)
    assert told[0] == "정책 소식 80건"
    assert len(payload["blocks"]) == 50
    assert told[-1] == "그 밖에 32건"
    assert texts(sent(judged(1), judged(2)))[0] == "정책 소식 2건"


def test_the_plain_form_is_text_alone() -> None:
    request = slack.plain(channel(), delivery(), [judged(n, title="R&D 예산 " * 20) for n in range(90)], NOW)
    payload = json.loads(request.body)
    assert "blocks" not in payload
    assert payload["text"].startswith("R&amp;D 예산")
    assert payload["text"].endswith("…")
    check_limits(payload)


@pytest.mark.parametrize(("status", "body"), [(200, "ok"), (200, '{"ok":true}'), (200, '{"success": true}')])
def test_only_its_own_word_is_success(status: int, body: str) -> None:
    assert slack.judge(answer(status, body)) == Outcome(result=Result.DELIVERED)


@pytest.mark.parametrize("body", ["", "<html>로그인</html>", "null", '{"ok":false}', "okay"])
def test_another_page_with_status_200_is_no_success(body: str) -> None:
    assert slack.judge(answer(200, body)).result is Result.RETRY


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, "action_prohibited"),
        (404, "no_service"),
        (404, "channel_not_found"),
        (410, "channel_is_archived"),
        (410, ""),
    ],
)
def test_what_will_never_work_again_closes_the_channel(status: int, body: str) -> None:
    outcome = slack.judge(answer(status, body))
    assert (outcome.result, outcome.closes_channel) == (Result.REJECTED, True)
    assert outcome.detail == f"HTTP {status} {body}".strip()


@pytest.mark.parametrize("status", [403, 404])
def test_a_page_of_a_proxy_in_between_closes_nothing(status: int) -> None:
    outcome = slack.judge(answer(status, f"<html>차단: {URL}</html>"))
    assert (outcome.result, outcome.closes_channel, outcome.detail) == (Result.RETRY, False, f"HTTP {status}")


@pytest.mark.parametrize("body", ["invalid_payload", "invalid_blocks", "no_text", ""])
def test_an_invalid_message_is_rejected_without_closing(body: str) -> None:
    outcome = slack.judge(answer(400, body))
    assert (outcome.result, outcome.closes_channel) == (Result.REJECTED, False)


@pytest.mark.parametrize("status", [302, 408, 429, 500, 502, 503])
def test_everything_else_is_tried_again(status: int) -> None:
    assert slack.judge(answer(status, "rollup_error", retry_after="30")).after == 30
    assert slack.judge(answer(status, "rollup_error")).result is Result.RETRY


@pytest.mark.parametrize("url", ["", "hooks.slack.com/services/x", "ftp://x/y", "http:///x", "http://["])
def test_an_address_that_is_none_is_a_mistake_in_the_configuration(url: str) -> None:
    mistakes = slack.check(channel(url=Secret(url, "env:POLICYFEED_SLACK_URL")))
    assert len(mistakes) == 1
    assert "env:POLICYFEED_SLACK_URL" in str(mistakes[0])
    assert url == "" or url not in str(mistakes[0])
    assert slack.check(channel()) == []


def test_an_article_that_is_not_stored_has_no_page_to_link_to() -> None:
    assert "/articles/" not in json.dumps(sent(judged(0), to=channel(base_url="https://feed.example.org")))
