"""What every format must do, whoever wrote it: the same articles come back, the same bytes, no article stops a feed."""

from __future__ import annotations

import calendar
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import feedparser
import pytest
from lxml import etree

from policyfeed import publish
from policyfeed.formats import Feed, Format, why
from policyfeed.i18n import translator
from policyfeed.normalize.html import to_text
from policyfeed.types import Attachment, Judged, MinistryName
from tests import releases

FORMATS = publish.formats()


@dataclass(frozen=True, slots=True)
class Read:
    """An article as a reader of the feed gets it."""

    id: str
    title: str
    url: str
    published: datetime
    authors: tuple[str, ...]
    summary: str
    """As text, its lines apart."""
    content: str
    tags: frozenset[str]
    enclosures: tuple[str, ...]


def _xml(body: bytes) -> list[Read]:
    etree.fromstring(body, etree.XMLParser(resolve_entities=False))
    parsed = feedparser.parse(body, sanitize_html=False, resolve_relative_uris=False)
    assert not parsed.bozo, parsed.get("bozo_exception")
    return [
        Read(
            id=entry.id,
            title=entry.title,
            url=entry.link,
            published=datetime.fromtimestamp(calendar.timegm(entry.published_parsed), UTC),
            authors=tuple(author["name"] for author in entry.authors),
            summary=_text(entry.summary_detail),
            content=entry.content[0].value if "content" in entry else "",
            tags=frozenset(tag.get("label") or tag["term"] for tag in entry.tags),
            enclosures=tuple(enclosure.href for enclosure in entry.enclosures),
        )
        for entry in parsed.entries
    ]


def _text(said: dict[str, str]) -> str:
    return said["value"] if said["type"] == "text/plain" else to_text(said["value"])


def _json(body: bytes) -> list[Read]:
    return [
        Read(
            id=item["id"],
            title=item["title"],
            url=item["url"],
            published=datetime.fromisoformat(item["date_published"]),
            authors=tuple(author["name"] for author in item["authors"]),
            summary=item["summary"],
            content=item.get("content_html", ""),
            tags=frozenset(item["tags"]),
            enclosures=tuple(attachment["url"] for attachment in item["attachments"]),
        )
        for item in json.loads(body)["items"]
    ]


READERS: dict[str, Callable[[bytes], list[Read]]] = {"atom": _xml, "rss": _xml, "json": _json}


def _expected(judged: Judged) -> Read:
    article = judged.article
    assert article.published is not None
    return Read(
        id=article.id,
        title=article.title,
        url=article.url,
        published=article.published,
        authors=tuple(ministry.name for ministry in article.ministries),
        summary=f"{article.summary}\n{why(judged.verdict, releases.feed().topic_names, translator('ko'))}",
        content=article.content,
        tags=frozenset({"기후변화·온실가스·탄소중립", "환경", "보도자료", *(one.name for one in article.ministries)}),
        enclosures=tuple(item.url for item in article.attachments),
    )


@pytest.fixture(params=sorted(FORMATS))
def format_(request: pytest.FixtureRequest) -> Format:
    return FORMATS[request.param]


def test_every_format_has_a_reader_here() -> None:
    assert set(READERS) == set(FORMATS)


def test_the_same_articles_come_back_in_the_same_order(format_: Format) -> None:
    given = [releases.judged(number) for number in (4, 3, 2, 1)]
    rendered = format_.render(releases.feed(), given)
    assert READERS[format_.EXTENSION](rendered.body) == [_expected(judged) for judged in given]
    assert rendered.left_out == ()


def test_a_summary_is_text(format_: Format) -> None:
    said = "온실가스 <ESG 공시> 기준 & AT&T, 5 < 6 &lt;끝&gt;"
    (read,) = READERS[format_.EXTENSION](format_.render(releases.feed(), [releases.judged(1, summary=said)]).body)
    assert read.summary.splitlines()[0] == said


def test_a_joint_release_credits_everyone(format_: Format) -> None:
    (read,) = READERS[format_.EXTENSION](format_.render(releases.feed(), [releases.joint()]).body)
    assert read.authors == ("기후에너지환경부", "고용노동부")


def test_equal_input_gives_equal_bytes(format_: Format) -> None:
    given = releases.many(12)
    first = format_.render(releases.feed(), given).body
    assert format_.render(releases.feed(), list(given)).body == first
    assert format_.render(releases.feed(), given[:-1]).body != first


def test_an_empty_feed_is_a_feed(format_: Format) -> None:
    rendered = format_.render(releases.feed(), [])
    assert READERS[format_.EXTENSION](rendered.body) == []
    assert rendered == format_.render(releases.feed(), [])


@pytest.mark.parametrize(
    "feed",
    [
        releases.feed(base_url="", subtitle="", topic_names={}),
        releases.feed(language="en"),
        releases.feed(content=False),
    ],
    ids=["nowhere", "english", "summaries"],
)
def test_other_feeds_render_too(format_: Format, feed: Feed) -> None:
    read = READERS[format_.EXTENSION](format_.render(feed, releases.many(3)).body)
    assert [one.title for one in read] == [judged.article.title for judged in releases.many(3)]
    assert all(bool(one.content) == feed.content for one in read)


HOSTILE = {
    "controls": releases.judged(
        7, title="탄소\x00중립\x0b \ufffe\uffff", summary="\x1b[31m", content="<p>\x0c본문</p>"
    ),
    "surrogate": releases.judged(7, title="탄소\ud800중립", summary="\udfff", content="\udc00", licence="\ud83d"),
    "bidi": releases.judged(7, title="\u202e립중소탄\u202c", summary="\u2066x\u2069"),
    "empty title": releases.judged(7, title=""),
    "markup": releases.judged(7, title="]]> <b>&amp;</b> <!-- ]]>", summary="]]>", content="]]><p>a</p><![CDATA["),
    "script link": releases.judged(7, url="javascript:alert(1)"),
    "huge": releases.judged(7, title="탄" * 2_000_000, summary="소" * 2_000_000),
    "nobody": releases.judged(7, ministry=MinistryName(id="", name=""), ministries=()),
    "odd attachments": releases.judged(
        7,
        attachments=(
            Attachment(name="\x00", url="javascript:x"),
            Attachment(name="\ud800", url="https://a.example/\x01"),
        ),
    ),
    "odd language": releases.judged(7, language="\x00한국어"),
    "year one": releases.judged(7, published=datetime(1, 1, 1, tzinfo=UTC)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_article_never_stops_a_feed(format_: Format, name: str) -> None:
    before, after = releases.judged(9), releases.judged(2)
    rendered = format_.render(releases.feed(), [before, HOSTILE[name], after])
    if name == "year one":  # no parser's time goes so far back: it is only to be there
        assert rendered.body.count(HOSTILE[name].article.id.encode()) >= 1
        return
    read = READERS[format_.EXTENSION](rendered.body)
    ids = [one.id for one in read]
    assert ids[0] == before.article.id
    assert ids[-1] == after.article.id
    assert len(ids) + len(rendered.left_out) == 3
    assert all(number == 7 and why for number, why in rendered.left_out)
    assert all(one.url.startswith("https://") for one in read)
    assert all(len(one.title) <= 1_000 and one.title for one in read)


def test_what_cannot_be_carried_is_named(format_: Format) -> None:
    nameless, twice = releases.judged(8, id=""), releases.judged(5, id=releases.article(6).id)
    rendered = format_.render(releases.feed(), [releases.judged(6), nameless, twice])
    assert rendered.left_out == ((8, "it has no id"), (5, "its id came before in this feed"))
    assert len(READERS[format_.EXTENSION](rendered.body)) == 1


@pytest.mark.parametrize("subtitle", ["환경·사회·지배구조와 관련된 정부 정책 소식", ""])
def test_a_feed_says_what_it_is(format_: Format, subtitle: str) -> None:
    body = format_.render(releases.feed(subtitle=subtitle), [releases.judged(1)]).body
    head = json.loads(body) if format_.EXTENSION == "json" else feedparser.parse(body).feed
    assert (head["title"], head["language"]) == ("ESG 정책뉴스", "ko")
    described = head.get("description" if format_.EXTENSION == "json" else "subtitle", "")
    assert described == (subtitle or ("ESG 정책뉴스" if format_.EXTENSION == "rss" else "")), "RSS demands one"


def test_rss_knows_one_enclosure_only(format_: Format) -> None:
    files = tuple(Attachment(name=name, url=f"https://a.example/{name}") for name in ("1.hwpx", "2.pdf"))
    (read,) = READERS[format_.EXTENSION](format_.render(releases.feed(), [releases.judged(1, attachments=files)]).body)
    assert read.enclosures == tuple(file.url for file in files[: 1 if format_.EXTENSION == "rss" else 2])


def test_a_feed_leads_to_the_site_not_to_itself(format_: Format) -> None:
    body = format_.render(releases.feed(base_url="https://feed.example.org"), [releases.judged(1)]).body
    if format_.EXTENSION == "json":
        assert json.loads(body)["home_page_url"] == "https://feed.example.org/"
    else:
        assert feedparser.parse(body).feed.link == "https://feed.example.org/"
