"""Sameness and ids: which articles are one release.

One release appears on korea.kr and on its ministry's site, under slightly different titles; a joint release appears
under several ministries. A merge deletes nothing: every origin is kept. A title alone is never enough: ministries
repeat titles week after week, so the dates must be close too, and a fuzzy likeness has guards (numbers, places,
"개최" against "개최 결과").
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from rapidfuzz import fuzz

from policyfeed.clock import KST
from policyfeed.types import Article

NAMESPACE = uuid.UUID("6c1f2f8e-5d0b-5f7e-9a52-3f1d0b6a7c11")
REACH = timedelta(days=2)
"""How far apart one release's appearances can be: dates without a time of day differ by up to one day."""
_TAG = re.compile(r"^\s*(?:[\[(【〔［（][^\])】〕］）]{1,14}[\])】〕］）]\s*)+")
_YEAR = re.compile(r"['’‘`´](\d{2})(?=[\s.년~∼]|$)")
_SIGNS = re.compile(r"[\W_]+")
_NUMBER = re.compile(r"\d+")
_OFFICE = re.compile(
    r"[가-힣]{2,12}(?:지방[가-힣]{0,5}청|유역환경청|지청|관리소|관리청|사무소|세관|세무서|경찰청|경찰서|소방서|해경서|본부|지사|지원"
    r"|출장소|연구소|시험소|검역소|우체국|휴양림)"
)
_QUOTED = re.compile(
    r"「([^「」]{8,120})」|『([^『』]{8,120})』|“([^“”]{8,120})”|‘([^‘’]{8,120})’|\"([^\"]{8,120})\"|'([^']{8,120})'"
)
_HEAD = re.compile(r"\s+[-–—]\s+")
_STAGES = (
    "결과",
    "개최",
    "예정",
    "착수",
    "완료",
    "시작",
    "종료",
    "연장",
    "취소",
    "연기",
    "해제",
    "발령",
    "모집",
    "선정",
    "공모",
    "시상",
    "해명",
)
# What every ministry publishes under the same words
_ROUTINE = re.compile(
    r"(주간|보도|배포|홍보|주요)(보도|배포|자료|행사)*(계획|일정)|인사(발령|이동)|승진인사|전보인사|^부고"
)
_SLACK = timedelta(hours=6)
_REPEATED = timedelta(hours=3)
"""Within so long a site that lists a title twice repeated it by mistake; later it is another event."""
_RATIO = 88
_OTHER_TEXT = 50
"""Below this likeness (percent) two texts under one title are two releases."""
_LONG_ENDING = 3
"""Syllables by which one word may not outgrow another: 인도 and 인도네시아. Particles and endings are shorter."""
_LEAST = 14
"""Shorter titles are joined only when they are equal: there is too little in them to be alike."""


def mint(key: str) -> str:
    """The permanent Atom id of an article first seen under a canonical key (RFC 4287 §4.2.6, RFC 9562 §5.5)."""
    return uuid.uuid5(NAMESPACE, key).urn


@lru_cache(maxsize=512)  # each of a document's titles is asked for several times
def close_title(title: str) -> str:
    """A title without leading tags, punctuation and spaces, case folded, '24 written out: what a copy has in common."""
    text = unicodedata.normalize("NFKC", title)
    text = _YEAR.sub(lambda found: f"20{found[1]}", _TAG.sub("", text) or text)
    return _SIGNS.sub("", text).casefold()


def same_release(one: Article, other: Article) -> bool:
    """Whether two articles, from two places, are one release. It does not matter which comes first."""
    if not _close_in_time(one, other) or _rivals(one, other):
        return False
    a, b = close_title(one.title), close_title(other.title)
    shared = _share_ministry(one, other)
    if a == b:
        return shared or _telling(a, _LEAST // 2) if a else False
    if _headed(one.title, other.title, a, b):
        return shared or _telling(min(a, b, key=len), _LEAST)
    return shared and _alike(one.title, other.title, a, b)


def _telling(title: str, least: int) -> bool:
    """Whether two ministries that publish under this title publish one release."""
    return len(title) >= least and not _ROUTINE.search(title)


def _close_in_time(one: Article, other: Article) -> bool:
    """Within a day; a day without a time of day is matched by a moment in it, or a little before or after."""
    apart = other.sort_time - one.sort_time
    if one.dated and not other.dated:
        return -_SLACK <= apart < timedelta(hours=24) + _SLACK
    if other.dated and not one.dated:
        return -_SLACK <= -apart < timedelta(hours=24) + _SLACK
    return abs(apart) <= timedelta(hours=24)


def _rivals(one: Article, other: Article) -> bool:
    """Two entries of one source, and two releases: titles are repeated.

    On different days they are; of one ministry with different texts; and without texts to compare where the title is
    short, routine, or comes hours later again (중대재해 발생 알림).
    """
    if not {origin.source for origin in one.origins} & {origin.source for origin in other.origins}:
        return False
    if one.sort_time.astimezone(KST).date() != other.sort_time.astimezone(KST).date():
        return True
    if one.summary and other.summary:
        return one.ministry == other.ministry and _other_text(one.summary, other.summary)
    title = min(close_title(one.title), close_title(other.title), key=len)
    timed = one.published and other.published and not one.dated and not other.dated
    later = bool(timed) and abs(one.sort_time - other.sort_time) > _REPEATED
    return later or len(title) < _LEAST or bool(_ROUTINE.search(title))


def _other_text(text: str, other: str) -> bool:
    """Whether two texts tell of two things: they are unlike, or each has figures that the other has not.

    A release that is listed twice has the same ones, or fewer where its text was rearranged or cut elsewhere.
    """
    ours, theirs = (set(_NUMBER.findall(one)) for one in (text, other))
    return fuzz.ratio(text, other) < _OTHER_TEXT or not (ours <= theirs or theirs <= ours)


def _share_ministry(one: Article, other: Article) -> bool:
    return bool({m.id for m in (one.ministry, *one.ministries)} & {m.id for m in (other.ministry, *other.ministries)})


def _alike(title: str, other: str, a: str, b: str) -> bool:
    if min(len(a), len(b)) < _LEAST or _NUMBER.findall(a) != _NUMBER.findall(b):
        return False
    if set(_OFFICE.findall(title)) != set(_OFFICE.findall(other)) or _stages(a) != _stages(b):
        return False
    return a in b or b in a or (fuzz.ratio(a, b) >= _RATIO and not _other_words(title, other))


def _headed(title: str, other: str, a: str, b: str) -> bool:
    """One title is the other's part before its subtitle: ``가나다 - 라마바 -``."""
    shorter = min(a, b, key=len)
    return len(shorter) >= _LEAST // 2 and _head(title) == _head(other) == shorter


def _stages(text: str) -> set[str]:
    return {word for word in _STAGES if word in text}


def _other_words(title: str, other: str) -> bool:
    """Whether one whole word was replaced by another: 중국 for 인도, 인도네시아 for 인도, not 개최 for 게최."""
    ours, theirs = _words(title), _words(other)
    gone, come = ours - theirs, theirs - ours
    if not gone or not come:
        return False
    outgrown = any(_outgrows(one, two) or _outgrows(two, one) for one in gone for two in come)
    return outgrown or _strange(gone, theirs, come) or _strange(come, ours, gone)


def _outgrows(word: str, other: str) -> bool:
    rest = len(word) - len(other)
    return rest >= _LONG_ENDING and word.startswith(other) and not word.endswith("다")


def _strange(words: set[str], others: set[str], replaced: set[str]) -> bool:
    """Whether a word has nothing like it among the other title's words."""
    whole, joined = "".join(sorted(others)), "".join(sorted(replaced))
    return any(word not in whole and fuzz.partial_ratio(word, joined) < 60 for word in words)


def _words(title: str) -> set[str]:
    return {word for part in _TAG.sub("", title).split() if (word := _SIGNS.sub("", part).casefold())}


@dataclass(slots=True)
class Neighbours:
    """Stored articles around a moment, to be searched for the release that a new article is another copy of."""

    _all: dict[int, Article] = field(default_factory=dict)
    _days: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Day (UTC, proleptic ordinal) → numbers: only what is near in time is compared."""

    @classmethod
    def of(cls, articles: Iterable[Article]) -> Neighbours:
        found = cls()
        for article in articles:
            found.add(article)
        return found

    def add(self, article: Article) -> None:
        """Add an article, or its newer state."""
        if (old := self._all.get(article.number)) is not None:
            self._days[old.sort_time.toordinal()].discard(old.number)
        self._all[article.number] = article
        self._days[article.sort_time.toordinal()].add(article.number)

    def match(self, article: Article) -> Article | None:
        """The same release, if it is there: equal titles first, then likeness; of several the nearest in time."""
        day = article.sort_time.toordinal()
        near = [self._all[number] for at in range(day - REACH.days, day + REACH.days + 1) for number in self._days[at]]
        title = close_title(article.title)
        found = [one for one in near if same_release(one, article)]
        return min(
            found,
            key=lambda one: (close_title(one.title) != title, abs(one.sort_time - article.sort_time), one.number),
            default=None,
        )


@lru_cache(maxsize=256)
def title_mark(title: str) -> str:
    """A hash of the close title (hex): what equal titles are looked up by."""
    return _mark(close_title(title))


def head_mark(title: str) -> str | None:
    """The mark of the title without its subtitle; None where it has none."""
    head = _head(title)
    return _mark(head) if head != close_title(title) else None


@lru_cache(maxsize=256)
def like_mark(title: str) -> str:
    """A hash of what two alike titles have in common in any case: what alike titles are looked up by."""
    numbers, stages = _signs(close_title(title))
    return _mark(repr((numbers, sorted(stages))))


def _mark(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=12).hexdigest()


def quoted(text: str) -> tuple[str, ...]:
    """What a text names in quotation marks and is long enough to be a title: 「…」, 『…』, “…”, ‘…’, "…", '…'."""
    return tuple(
        dict.fromkeys(one for found in _QUOTED.finditer(text[:50_000]) if (one := next(filter(None, found.groups()))))
    )


@dataclass(slots=True)
class Titles:
    """Titles of stored articles, put so that only those are compared which can be alike."""

    _equal: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    _heads: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    _signs: dict[tuple[object, ...], list[tuple[str, datetime, int]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, number: int, title: str, at: datetime) -> None:
        """An article's number, title and time."""
        key, head = close_title(title), _head(title)
        self._equal[key].add(number)
        self._heads[head].add(number)
        self._signs[_signs(key)].append((title, at, number))

    def like(self, title: str, at: datetime) -> set[int]:
        """The numbers of the articles near that time whose titles are equal or alike (``same_release`` decides)."""
        key, head = close_title(title), _head(title)
        found = self._equal.get(key, set()) | self._heads.get(head, set())
        near = self._signs.get(_signs(key), ())
        return found | {
            number for other, when, number in near
            if abs(when - at) <= REACH and _alike(title, other, key, close_title(other))
        }  # fmt: skip


@lru_cache(maxsize=256)
def _head(title: str) -> str:
    return close_title(_HEAD.split(title.strip(), 1)[0])


@lru_cache(maxsize=256)
def _signs(key: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """What two alike titles have in common in any case."""
    return tuple(_NUMBER.findall(key)), frozenset(_stages(key))


def replaced(known: Article, seen: Article) -> bool:
    """Whether another release stands where the known one stood: neither day nor title nor text is alike. Some sites
    have one address for whatever is the latest."""
    if known.published is None or seen.published is None or same_day(known, seen):
        return False
    if not known.summary or not seen.summary:
        return False
    titles = fuzz.ratio(close_title(known.title), close_title(seen.title))
    return max(titles, fuzz.ratio(known.summary, seen.summary)) < _OTHER_TEXT


def same_day(known: Article, seen: Article) -> bool:
    """Whether both were published on one Korean day; False where a date is missing."""
    if known.published is None or seen.published is None:
        return False
    return known.published.astimezone(KST).date() == seen.published.astimezone(KST).date()
