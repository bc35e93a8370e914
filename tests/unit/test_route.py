"""Who is to be told."""

import re
from uuid import UUID

from policyfeed import route
from policyfeed.article_json import as_json
from policyfeed.selection import Selection
from policyfeed.types import Kind
from tests.alerts import NOW, channel, explanation, judged


def test_every_channel_whose_selection_takes_the_article_is_owed() -> None:
    everything = channel(name="everything")
    governance = channel(name="governance", selection=Selection(pillars=("G",)))
    climate = channel(name="climate", selection=Selection(topics=("E1",), kinds=(Kind.PRESS_RELEASE,)))
    owed = route.owed(judged(), (everything, governance, climate), NOW, quiet=False)
    assert [(one.channel, one.number, one.revision, one.due, one.attempts) for one in owed] == [
        ("everything", 7, 1, NOW, 0),
        ("climate", 7, 1, NOW, 0),
    ]


def test_a_dropped_article_is_owed_to_nobody_who_wants_kept_ones() -> None:
    dropped = judged(verdict={"kept": False})
    wants_all = channel(name="all", selection=Selection(kept_only=False))
    owed = route.owed(dropped, (channel(), wants_all), NOW, quiet=False)
    assert [one.channel for one in owed] == ["all"]


def test_an_operators_channel_is_told_of_no_article() -> None:
    operator = channel(name="operator", operator=True, selection=Selection(kept_only=False))
    assert [one.channel for one in route.owed(judged(), (operator, channel()), NOW, quiet=False)] == ["slack-team"]


def test_first_contact_is_quiet() -> None:
    assert route.owed(judged(), (channel(),), NOW, quiet=True) == ()


def test_what_was_withdrawn_is_not_announced() -> None:
    assert route.owed(judged(withdrawn=NOW), (channel(),), NOW, quiet=False) == ()


def test_the_key_depends_on_article_revision_and_channel_alone() -> None:
    first = route.owed(judged(), (channel(),), NOW, quiet=False)[0].key
    again = route.owed(judged(title="새 제목"), (channel(),), NOW.replace(year=2027), quiet=False)[0].key
    revised = route.owed(judged(revision=2), (channel(),), NOW, quiet=False)[0].key
    other = route.owed(judged(), (channel(name="other"),), NOW, quiet=False)[0].key
    assert first == again
    assert len({first, revised, other}) == 3
    assert str(UUID(first.split("_")[0])) in judged().article.id


def test_a_key_is_a_valid_webhook_id_whatever_the_channel_is_called() -> None:
    names = ("slack", "환경팀 알림", "a.b", "x" * 300, "줄\n바꿈", "")
    keys = [route.key(judged().article.id, 2_000_000, name) for name in names]
    assert len(set(keys)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,200}", key) for key in keys)


def test_keys_are_what_they_were_in_every_version_before() -> None:
    """Receivers know by its key what they already have."""
    id_ = "urn:uuid:d048b520-42bf-5ab1-a395-42e17a265224"
    assert route.key(id_, 2, "slack-team") == "d048b520-42bf-5ab1-a395-42e17a265224_2_slack-team"
    assert route.key(id_, 1, "알림").endswith("_1_12ddd6ca69068faaae5ea07418efaef8")
    assert route.key("tag:example.org,2026:7", 1, "slack") == "99b10e86-2a27-5bed-9c9a-31954339c37d_1_slack"


def test_an_article_id_that_is_no_uuid_has_a_permanent_key_too() -> None:
    keys = {route.key(f"tag:example.org,2026:{n}", 1, "slack") for n in (1, 1, 2)}
    assert len(keys) == 2
    assert all("." not in key and ":" not in key for key in keys)


def test_an_article_as_json_has_every_promised_field() -> None:
    told = as_json(judged())
    assert told["ministry"] == {"id": "mcee", "name": "기후에너지환경부"}
    assert told["published"] == "2026-05-20T00:00:00Z"
    assert told["updated"] is None
    assert told["kind"] == "press_release"
    assert told["origins"] == [{"source": "mcee", "url": told["url"], "title": "t"}]
    assert told["attachments"][0]["type"] == "application/hwp+zip"
    assert told["reasons"][0] == {
        "rule": "term",
        "points": 3.0,
        "topic": "E1",
        "term": "탄소중립",
        "field": "title",
        "offset": 6,
    }
    promised = (
        "id number title ministry department kind published updated url origins attachments licence kept alert score "
        "topics pillars reasons revision withdrawn ministries summary tags first_seen attribution"
    )
    assert set(promised.split()) <= set(told)


def test_a_joint_release_names_all_ministries_in_json() -> None:
    assert [one["name"] for one in as_json(explanation())["ministries"]] == ["교육부", "외교부", "국방부", "조달청"]
    assert as_json(judged(ministries=()))["ministries"] == [{"id": "mcee", "name": "기후에너지환경부"}]
