"""An invented world for the tests of feeds and pages: ministries, releases, verdicts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from policyfeed.formats import Feed, Publication
from policyfeed.selection import Selection
from policyfeed.store import Store, articles
from policyfeed.types import Article, Attachment, Judged, Kind, MinistryName, Origin, Reason, Verdict

NOW = datetime(2026, 5, 20, 0, 30, tzinfo=UTC)
"""09:30 in Korea."""

CLIMATE = MinistryName(id="mcee", name="기후에너지환경부")
LABOUR = MinistryName(id="moel", name="고용노동부")

_TITLES = (
    "달빛천 유역 탄소중립 시범사업 세 곳 선정",
    "여름철 옥외 작업장 온열질환 예방수칙 안내",
    "대규모유통업 거래공정화 지침 개정안 행정예고",
    "산업단지 태양광 설치 절차 간소화",
    "하반기 화학물질 안전교육 일정 공개",
)

TOPIC_NAMES = {"E1": "기후변화·온실가스·탄소중립", "S2": "산업안전·중대재해"}
SOURCES = {"korea-kr": Publication(name="대한민국 정책브리핑", url="https://www.korea.kr/briefing/pressReleaseList.do")}


def article(number: int = 1, **changes: Any) -> Article:
    """A release with the given number; later numbers are newer."""
    url = f"https://www.korea.kr/briefing/pressReleaseView.do?newsId={156700000 + number}&call=list"
    seen = NOW + timedelta(minutes=number)
    made = Article(
        id=UUID(int=0x6A00_0000_0000_4000_8000_0000_0000_0000 + number).urn,
        number=number,
        title=_TITLES[number % len(_TITLES)] + (f" ({number}차)" if number >= len(_TITLES) else ""),
        ministry=CLIMATE,
        ministries=(CLIMATE,),
        department="물순환정책과",
        published=seen - timedelta(minutes=5),
        first_seen=seen,
        changed=seen,
        summary="세 유역에서 온실가스 감축과 홍수 대비를 함께 꾀한다.",
        content="<p>세 유역에서 온실가스 감축과 홍수 대비를 <b>함께</b> 꾀한다.</p><p>물순환정책과 &amp; 한강청</p>",
        url=url,
        origins=(Origin(source="korea-kr", key=f"korea.kr/{number}", url=url, title="t", digest="d", first_seen=seen),),
        attachments=(Attachment(name="보도자료.hwpx", url=f"https://www.korea.kr/common/download.do?fileId={number}"),),
        licence="공공누리 제1유형(출처표시)",
        attribution="출처: 대한민국 정책브리핑(www.korea.kr), 기후에너지환경부",
    )
    return replace(made, **changes)


def verdict(**changes: Any) -> Verdict:
    """Kept for its title."""
    made = Verdict(
        kept=True,
        score=82.4,
        topics=("E1",),
        pillars=("E",),
        reasons=(
            Reason(rule="base", points=12.4),
            Reason(rule="term", points=50.0, topic="E1", term="탄소중립", field="title", offset=7),
            Reason(rule="term", points=25.0, topic="E1", term="온실가스", field="summary", offset=8),
            Reason(rule="genre", points=-5.0, term="선정 소식"),
        ),
        rule_version="v1",
    )
    return replace(made, **changes)


DROPPED = verdict(kept=False, score=11.0, topics=(), pillars=(), reasons=(Reason(rule="base", points=11.0),))


def judged(number: int = 1, said: Verdict | None = None, **changes: Any) -> Judged:
    return Judged(article=article(number, **changes), verdict=said or verdict())


def feed(**changes: Any) -> Feed:
    """The combined feed in Korean."""
    made = Feed(
        name="esg",
        id="tag:policyfeed.example,2026:feeds/esg",
        title="ESG 정책뉴스",
        subtitle="환경·사회·지배구조와 관련된 정부 정책 소식",
        base_url="https://feeds.example.org",
        topic_names=TOPIC_NAMES,
        sources=SOURCES,
    )
    return replace(made, **changes)


EVERYTHING = feed(
    name="all", id="tag:policyfeed.example,2026:feeds/all", title="전체", selection=Selection(kept_only=False)
)


def joint(number: int = 3) -> Judged:
    """A release of two ministries, seen in two places, revised once."""
    first = article(number)
    other = replace(first.origins[0], source="moel-press", key="moel/9", url="https://www.moel.go.kr/news/9?a=1&b=2")
    return judged(number, ministries=(CLIMATE, LABOUR), origins=(*first.origins, other), revision=2)


def stored(folder: Path, releases: Iterable[Judged]) -> Store:
    """A store that holds these."""
    opened = Store(folder)
    with opened.write() as tx:
        for one in releases:
            kept = articles.insert(tx, one.article)
            articles.save_verdict(tx, kept.number, one.verdict, NOW)
    return opened


def many(count: int) -> list[Judged]:
    """Releases, the oldest first; every fifth one dropped, every fourth one an explanation."""
    return [
        judged(
            number,
            DROPPED if number % 5 == 0 else None,
            kind=Kind.EXPLANATION if number % 4 == 0 else Kind.PRESS_RELEASE,
        )
        for number in range(1, count + 1)
    ]
