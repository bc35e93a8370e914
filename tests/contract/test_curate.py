"""An editor's loop: labels are stored, a weekly sample estimates what is missed, changed topics are applied quietly."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from policyfeed.deliver import DeliveryReport, deliver
from policyfeed.feedback import SAMPLE, missed_share, say, weekly_sample
from policyfeed.formats import Feed
from policyfeed.rescore import Announcement, rescore
from policyfeed.selection import Selection
from policyfeed.store import Store, articles, labels, outbox
from policyfeed.types import Article, Delivery, DeliveryState, Verdict
from tests.alerts import Hand, Paces, Receiver, answer, article, directly
from tests.alerts import channel as alert_channel

FEEDS = (
    Feed(name="esg", id="urn:x", title="ESG"),
    Feed(name="all", id="urn:y", title="전체", selection=Selection(kept_only=False)),
)


def fill(store: Store, clock: Hand, count: int) -> None:
    with store.write() as tx:
        for number in range(1, count + 1):
            made = replace(
                article(number), title=f"{number}호 {'탄소' if number % 3 == 0 else '음악회'} 소식", origins=()
            )
            stored = articles.insert(tx, replace(made, published=clock() - timedelta(hours=number)))
            articles.save_verdict(tx, stored.number, Verdict(kept=number % 3 == 0, score=60.0), clock())


def keeps_concerts(article: Article) -> Verdict:
    kept = "음악회" in article.title
    return Verdict(kept=kept, score=80.0 if kept else 5.0, rule_version="new")


def test_a_dry_run_counts_and_stores_nothing(store: Store, clock: Hand) -> None:
    fill(store, clock, 1203)
    report = rescore(store, keeps_concerts, FEEDS, clock(), save=False)
    assert (report.articles, report.kept, report.dropped) == (1203, 802, 401)
    esg, everything = report.feeds
    assert (esg.before, esg.after, everything.before, everything.after) == (401, 802, 1203, 1203)
    assert esg.enter[0] == "1호 음악회 소식"
    assert esg.leave[0] == "3호 탄소 소식"
    with store.read() as tx:
        assert articles.count(tx)["kept"] == 401


def test_a_rescore_changes_verdicts_and_tells_nobody(store: Store, clock: Hand) -> None:
    fill(store, clock, 30)
    done: list[str] = []
    rescore(store, keeps_concerts, FEEDS, clock(), save=True, step=done.append)
    with store.read() as tx:
        kept = articles.newest(tx, Selection(), 100)
        assert outbox.listing(tx) == []
    assert done == [str(number) for number in range(1, 31)]
    assert len(kept) == 20
    assert {one.verdict.rule_version for one in kept} == {"new"}
    again = rescore(store, keeps_concerts, FEEDS, clock(), save=True)
    assert (again.changed, again.kept, again.dropped) == (0, 0, 0)


def test_a_rescore_beside_a_daemon_judges_what_was_stored_meanwhile(store: Store, clock: Hand) -> None:
    fill(store, clock, 2)

    def judge(one: Article) -> Verdict:
        if one.revision == 1 and one.number == 1:
            with store.write() as tx:
                articles.update(tx, replace(one, title="1호 탄소 소식", revision=2, changed=clock()), revised=True)
                articles.save_verdict(tx, 1, Verdict(kept=True, score=90.0), clock())
        return keeps_concerts(one)

    report = rescore(store, judge, FEEDS, clock(), save=True)
    with store.read() as tx:
        found = articles.judged(tx, [1, 2])
    assert (found[1].article.revision, found[1].verdict) == (2, Verdict(kept=False, score=5.0, rule_version="new"))
    assert found[2].verdict.kept
    assert (report.kept, report.dropped) == (1, 1)


def test_a_rescore_tells_of_what_is_a_channels_only_now_when_it_is_asked_to(store: Store, clock: Hand) -> None:
    fill(store, clock, 30)
    channels = (alert_channel(), alert_channel("webhook", selection=Selection(kept_only=False)))
    since = Announcement(channels=channels, since=clock() - timedelta(hours=7))
    assert rescore(store, keeps_concerts, FEEDS, clock(), save=False, announce=since).owed == 0
    report = rescore(store, keeps_concerts, FEEDS, clock(), save=True, announce=since)
    with store.read() as tx:
        owed = outbox.listing(tx)
    assert report.owed == len(owed) == 5, "1, 2, 4, 5 and 7: 3 and 6 are left, the others are older"
    assert {(one.channel, one.number) for one in owed} == {("slack-team", number) for number in (1, 2, 4, 5, 7)}
    assert rescore(store, keeps_concerts, FEEDS, clock(), save=True, announce=since).owed == 0


def test_a_rescore_does_not_tell_of_a_revision_whose_article_was_told(store: Store, clock: Hand) -> None:
    fill(store, clock, 1)
    owed = Delivery(key="key_1", channel="slack-team", number=1, created=clock(), due=clock())
    with store.write() as tx:
        outbox.owe(tx, [owed])
        articles.update(
            tx, replace(articles.newest(tx, Selection(kept_only=False), 1)[0].article, revision=2), revised=True
        )
    since = Announcement(channels=(alert_channel(),), since=clock() - timedelta(hours=7))
    assert rescore(store, keeps_concerts, FEEDS, clock(), save=True, announce=since).owed == 0


def test_the_last_word_on_an_article_counts(store: Store, clock: Hand) -> None:
    fill(store, clock, 2)
    with store.write() as tx:
        labels.save(tx, labels.Feedback(number=1, relevant=True, topic="E1", said=clock()))
        labels.save(tx, labels.Feedback(number=1, relevant=False, sampled=True, said=clock()))
    with store.read() as tx:
        assert labels.every(tx) == [labels.Feedback(number=1, relevant=False, sampled=True, said=clock())]


def test_the_sample_is_the_same_all_week_and_another_one_the_next(store: Store, clock: Hand) -> None:
    fill(store, clock, 24 * 14)
    with store.read() as tx:
        first = weekly_sample(tx, clock())
        clock.advance(hours=24 * ((6 - clock().weekday()) % 7))
        assert weekly_sample(tx, clock()) == first, "until Sunday"
        clock.advance(hours=48)
        assert not {one.article.id for one in weekly_sample(tx, clock())} & {one.article.id for one in first}
    assert len(first) == SAMPLE
    assert not any(one.verdict.kept for one in first)


def test_what_comes_in_late_hardly_changes_the_sample(store: Store, clock: Hand) -> None:
    fill(store, clock, 24 * 14)
    with store.write() as tx:
        before = [one.article.id for one in weekly_sample(tx, clock())]
        stored = articles.find(tx, before[0])
        assert stored is not None
        for number in range(1001, 1011):
            late = replace(article(number), origins=(), published=stored.article.published)
            articles.save_verdict(tx, articles.insert(tx, late).number, stored.verdict, clock())
        after = [one.article.id for one in weekly_sample(tx, clock())]
    assert len(set(before) & set(after)) >= SAMPLE - 10
    assert [one for one in after if one in before] == [one for one in before if one in after]


def test_only_the_sample_estimates_what_is_missed(store: Store, clock: Hand) -> None:
    fill(store, clock, 24 * 14)
    with store.write() as tx:
        chosen = weekly_sample(tx, clock())[0]
        kept = articles.newest(tx, Selection(), 1)[0]
        say(tx, chosen, relevant=True, topic="E1", now=clock())
        say(tx, kept, relevant=True, topic="", now=clock())
        assert {one.number: one.sampled for one in labels.every(tx)} == {
            chosen.article.number: True,
            kept.article.number: False,
        }


def test_the_estimate_of_what_is_missed_has_an_interval() -> None:
    assert missed_share(0, 0) == (0.0, 0.0, 1.0)
    share, low, high = missed_share(100, 4)
    assert share == 0.04
    assert 0.01 < low < 0.02
    assert 0.09 < high < 0.11


async def test_a_daily_cap_prefers_the_best(store: Store, clock: Hand) -> None:
    fill(store, clock, 12)
    with store.write() as tx:
        for one in articles.newest(tx, Selection(kept_only=False), 100):
            score = float(one.article.number)
            urgent = one.article.number == 5
            verdict = replace(one.verdict, kept=True, score=score, alert=urgent)
            articles.save_verdict(tx, one.article.number, verdict, clock())
            key = f"key_{one.article.number}"
            owed = Delivery(key=key, channel="team", number=one.article.number, created=clock(), due=clock())
            outbox.owe(tx, [owed])
    receiver = Receiver(answer(200, "ok"))
    capped = replace(alert_channel(), name="team", daily_cap=3)

    async def round_() -> DeliveryReport:
        return await deliver(capped, store=store, db=directly, send=receiver, pace=Paces(), clock=clock)

    report = await round_()
    assert (report.delivered, report.dead, report.error) == (3, 9, "over the day's cap of 3")
    assert report.next_due is None
    with store.read() as tx:
        told = [one.number for one in outbox.listing(tx, [DeliveryState.DELIVERED])]
        assert sorted(told) == [5, 11, 12], "what is on the short list goes before a better score"
        assert {one.error for one in outbox.listing(tx, [DeliveryState.DEAD])} == {"over the day's cap of 3"}
    with store.write() as tx:
        outbox.owe(tx, [Delivery(key="late", channel="team", number=1, revision=2, created=clock(), due=clock())])
        open_ = outbox.channel_state(tx, "team")
        outbox.save_channel_state(tx, replace(open_, closed="HTTP 410"))
    assert (await round_()).dead == 0, "a closed channel keeps what it is owed"
    with store.write() as tx:
        outbox.save_channel_state(tx, open_)
    clock.advance(hours=24)
    assert (await round_()).delivered == 1, "a new day has room again"
