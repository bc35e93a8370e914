"""A ministry keeps its id under every name, and an article gets the name of its day."""

from __future__ import annotations

import unicodedata
from collections import Counter
from datetime import date

import pytest

from policyfeed.config import load, shipped
from policyfeed.normalize.ministry import Ministries
from policyfeed.types import Ministry, MinistryName, Name

MINISTRIES = load(shipped(), {}).ministries

RENAMED = [
    ("환경부", "기후에너지환경부", "mcee", "2025-10-01"),
    ("산업통상자원부", "산업통상부", "motir", "2025-10-01"),
    ("여성가족부", "성평등가족부", "mogef", "2025-10-01"),
    ("통계청", "국가데이터처", "mods", "2025-10-01"),
    ("특허청", "지식재산처", "moip", "2025-10-01"),
    ("방송통신위원회", "방송미디어통신위원회", "kmcc", "2025-10-01"),
    ("기획재정부", "재정경제부", "mofe", "2026-01-02"),
    ("탄소중립녹색성장위원회", "국가기후위기대응위원회", "climate", "2026-01-01"),
    ("문화재청", "국가유산청", "khs", "2024-05-16"),
    ("국가보훈처", "국가보훈부", "mpva", "2023-06-05"),
]


@pytest.mark.parametrize(("old", "new", "ministry_id", "since"), RENAMED)
def test_a_renamed_body_is_one_ministry(old: str, new: str, ministry_id: str, since: str) -> None:
    first_day = date.fromisoformat(since)
    eve = date.fromordinal(first_day.toordinal() - 1)
    for label in (old, new):
        assert MINISTRIES.named(label, first_day) == MinistryName(id=ministry_id, name=new)
        assert MINISTRIES.named(label, eve) == MinistryName(id=ministry_id, name=old)
        assert MINISTRIES.named(label) == MinistryName(id=ministry_id, name=label)


@pytest.mark.parametrize(
    ("label", "ministry_id"),
    [
        ("기후부", "mcee"),
        ("산업부", "motir"),
        ("기재부", "mofe"),
        ("과기정통부", "msit"),
        ("국표원", "kats"),
        ("금감원", "fss"),
        ("농식품부", "mafra"),
        ("원안위", "nssc"),
        ("질병청", "kdca"),
        ("행복청", "naacc"),
        ("탄녹위", "climate"),
        ("mcee", "mcee"),
        ("MCEE", "mcee"),
        ("Ministry of Environment", "mcee"),
        ("financial services commission", "fsc"),
        ("저출산·고령사회위원회", "betterfuture"),
        ("저출산ㆍ고령사회위원회", "betterfuture"),
        (" 국무조정실 ・ 국무총리비서실\n", "opm"),
        ("과학기술 정보통신부", "msit"),
        (unicodedata.normalize("NFD", "해양수산부"), "mof"),
        ("2050탄소중립위원회", "climate"),
        ("ＥＰＡ", "us-epa"),
    ],
)
def test_spellings_and_abbreviations(label: str, ministry_id: str) -> None:
    assert MINISTRIES.named(label).id == ministry_id


def test_an_alias_gets_the_name_of_the_day() -> None:
    assert MINISTRIES.named("기후부").name == "기후에너지환경부"
    assert MINISTRIES.named("기후부", date(2024, 8, 26)).name == "환경부"
    assert MINISTRIES.named("과기부", date(2016, 1, 1)).name == "미래창조과학부"


def test_a_day_before_the_first_name_gets_the_first_name() -> None:
    assert MINISTRIES.named("기획예산처", date(2026, 1, 5)) == MinistryName(id="mpb", name="기획예산처")


@pytest.mark.parametrize("label", ["한국생산성본부", "미분류", "", " \n", "\ud800", "x" * 10_000])
def test_an_unknown_label_is_no_error(label: str) -> None:
    found = MINISTRIES.named(label, date(2026, 5, 20))
    assert found.id.startswith("x-")
    assert len(found.id) == len("x-") + 8
    assert found == MINISTRIES.named(label)
    assert found.name.encode("utf-8").decode() == label.strip().replace("\ud800", "")


def test_unknown_labels_differ_by_what_they_say() -> None:
    assert MINISTRIES.named("한국 생산성본부").id == MINISTRIES.named("한국생산성본부").id == "x-4ed164fb"
    assert MINISTRIES.named("한국생산성본부").id != MINISTRIES.named("한국환경공단").id


def test_a_ministry_is_got_by_its_id() -> None:
    mofe = MINISTRIES.get("mofe")
    assert mofe is not None
    assert mofe.name == "재정경제부"
    assert mofe.name_en == "Ministry of Finance and Economy"
    assert {"A00041", "A00007"} <= set(mofe.rep_codes)
    assert MINISTRIES.get("motie") is None


def test_the_earlier_one_keeps_a_label_that_two_claim() -> None:
    one = Ministry(id="one", names=(Name(ko="가나부"),), aliases=("가부",))
    two = Ministry(id="two", names=(Name(ko="가다부"),), aliases=("가부", "가나부"))
    both = Ministries((one, two))
    assert [both.named(label).id for label in ("가부", "가나부", "가다부")] == ["one", "one", "two"]


class TestShippedTable:
    """config/ministries.toml says nothing twice and nothing that contradicts itself."""

    def test_nothing_is_claimed_twice(self) -> None:
        labels = [label for one in MINISTRIES for label in {*one.aliases, *(name.ko for name in one.names)}]
        codes = [code for one in MINISTRIES for code in one.rep_codes]
        ids = [one.id for one in MINISTRIES]
        assert [value for value, times in Counter(labels + codes + ids).items() if times > 1] == []

    def test_every_label_leads_to_its_own_ministry(self) -> None:
        for one in MINISTRIES:
            for label in (one.id, *one.aliases, *(name.ko for name in one.names)):
                assert MINISTRIES.named(label).id == one.id, label

    def test_names_follow_each_other_day_by_day(self) -> None:
        for one in MINISTRIES:
            assert one.names[-1].until is None, one.id
            for earlier, later in zip(one.names, one.names[1:], strict=False):
                assert earlier.until
                assert later.since
                gap = date.fromisoformat(later.since) - date.fromisoformat(earlier.until)
                assert gap.days == 1, one.id

    def test_every_body_has_an_english_name(self) -> None:
        for one in MINISTRIES:
            assert all(name.en.isascii() and name.en for name in one.names), one.id

    def test_koreakr_codes_are_complete(self) -> None:
        letters = Counter(code[0] for one in MINISTRIES for code in one.rep_codes)
        assert letters == {"A": 27, "B": 18, "C": 7, "E": 7}

    def test_all_ids_are_plain(self) -> None:
        assert all(one.id.replace("-", "").isalnum() and one.id == one.id.lower() for one in MINISTRIES)
