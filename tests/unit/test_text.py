"""Bytes become the right characters or an error, and text has one form."""

from __future__ import annotations

import codecs
import unicodedata
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyfeed.errors import Unreadable
from policyfeed.normalize.text import LOST, MARKS, clean, decode, is_charset, one_line, shorten, unescape

KOREAN = "탄소중립 녹색성장"
BEYOND = "똠방각하의 펲시콜라, 쀍"
"""Syllables outside KS X 1001: cp949 has them, Python's euc-kr does not."""
LABELS = ("euc-kr", "EUC-KR", "ks_c_5601-1987", "KSC5601", "windows-949", "x-windows-949", "cp949", "ms949", "utf-8")


def xml(text: str, label: str) -> bytes:
    return f'<?xml version="1.0" encoding="{label}"?><title>{text}</title>'.encode("cp949")


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("text", [KOREAN, BEYOND])
def test_korean_bytes_are_cp949_whatever_korean_label_they_bear(label: str, text: str) -> None:
    assert text in decode(xml(text, label))
    assert decode(text.encode("cp949"), f"text/xml; charset={label}") == text
    assert text in decode(f'<meta http-equiv=x content="text/html; charset={label}">{text}'.encode("cp949"))


@pytest.mark.parametrize("header", ["", "text/xml", "text/xml; charset=iso-8859-1", 'text/xml; charset="windows-1252"'])
def test_korean_bytes_without_a_label_that_means_anything(header: str) -> None:
    assert decode(BEYOND.encode("cp949"), header) == BEYOND


@pytest.mark.parametrize("header", ["", "text/xml; charset=iso-8859-1", "text/xml; charset=euc-kr", "charset=utf-16"])
def test_utf8_is_utf8_whatever_the_label(header: str) -> None:
    assert decode(KOREAN.encode(), header) == KOREAN


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("The café’s £5 façade", "windows-1252"),
        ("Über die größte à la", "iso-8859-1"),
        ("Ärzte am Äquator", "iso-8859-1"),  # whose bytes are cp949, too: 훣zte am 훢uator
    ],
)
def test_western_text_stays_western(text: str, label: str) -> None:
    assert decode(text.encode(label), f"text/xml; charset={label}") == text


@pytest.mark.parametrize(
    ("text", "label", "really"),
    [
        ("“Net zero” – the Commission’s plan, €5 bn", "iso-8859-1", "cp1252"),
        ("①脱炭素の取組状況（㈱Ⅱ）", "Shift_JIS", "cp932"),
        ("①脱炭素の取組状況（㈱Ⅱ）", "x-sjis", "cp932"),
    ],
)
def test_labels_mean_what_is_really_sent(text: str, label: str, really: str) -> None:
    assert decode(text.encode(really), f"text/xml; charset={label}") == text


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [(codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")],
)
def test_a_byte_order_mark_decides(mark: bytes, encoding: str) -> None:
    assert decode(mark + KOREAN.encode(encoding), "text/xml; charset=euc-kr") == KOREAN


@pytest.mark.parametrize("label", ["utf-8", "UTF8"])
def test_a_configured_encoding_is_taken_at_its_word(label: str) -> None:
    assert decode(KOREAN.encode(), "charset=euc-kr", label) == KOREAN
    with pytest.raises(Unreadable):
        decode(KOREAN.encode("cp949"), "charset=euc-kr", label)


def test_a_configured_encoding_outweighs_every_mark() -> None:
    assert decode(KOREAN.encode("cp949"), "charset=utf-8", "euc-kr") == KOREAN


@pytest.mark.parametrize(
    "header",
    ["charset=shift_jis", "charset=no-such-thing", "charset=undefined", "charset=unicode_escape", "charset=rot13"],
)
def test_what_cannot_be_decoded_is_refused(header: str) -> None:
    with pytest.raises(Unreadable, match=header.removeprefix("charset=")):
        decode(b"\x80\xff\x80 \xec\xa0", header)


RELEASE = f"<title>{BEYOND}</title><link>https://x.kr/7</link><p>{KOREAN * 5} 기본계획을 확정했"


@pytest.mark.parametrize(
    ("body", "header", "text"),
    [
        (RELEASE.encode() + b"\xeb\x8b", "charset=utf-8", f"{RELEASE}{LOST}"),
        (b"\xb4" + RELEASE.encode() + b"\xeb\x8b</p>", "charset=euc-kr", f"{LOST}{RELEASE}{LOST}</p>"),
        (RELEASE.encode("cp949") + b"\xb4</p>", "charset=euc-kr", f"{RELEASE}{LOST}</p>"),
        (RELEASE.encode("utf-16-le") + b"\0", "charset=utf-16-le", f"{RELEASE}{LOST}"),
        (codecs.BOM_UTF8 + RELEASE.encode() + b"\xff", "", f"{RELEASE}{LOST}"),
        (b"The agency\x92s plan." + b" " * 1000, "charset=utf-8", f"The agency{LOST}s plan.{' ' * 1000}"),
    ],
)
def test_a_broken_place_costs_no_document(body: bytes, header: str, text: str) -> None:
    assert decode(body, header) == text


@pytest.mark.parametrize("header", ["", "charset=utf-8", "charset=iso-8859-1"])
@pytest.mark.parametrize("rest", ["", "Emissions fall. " * 10])
def test_korean_is_known_by_its_words_also_where_a_place_is_broken(header: str, rest: str) -> None:
    """As ISO-8859-1 any bytes could be read, and as UTF-8 with broken places none of these."""
    text = f"{KOREAN * 2} 기본계획 {rest}"
    assert decode(text.encode("cp949") + b"\xb4</p>", header) == f"{text}{LOST}</p>"


def test_korean_that_calls_itself_japanese_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        decode(KOREAN.encode("cp949") + b"\xb4</p>", "charset=euc-jp")


def test_western_quotes_in_utf8_are_no_korean() -> None:
    """As cp949 the bytes could be read: 뭩."""
    with pytest.raises(Unreadable):
        decode(b"The agency\x92s plan", "charset=utf-8")


@pytest.mark.parametrize(("label", "known"), [("euc-kr", True), ("UTF-8", True), ("rot13", False), ("klingon", False)])
def test_names_of_encodings(label: str, known: bool) -> None:
    assert is_charset(label) is known


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("가\x00나\x07\x1f\x7f\x85", "가나"),
        ("가\u200b나\ufeff\u202e다\u2066", "가나다"),
        ("탄소\u00ad중립", "탄소중립"),
        ("가\ud800나\udfff", "가나"),
        ("가\ufffe나\U0001fffe", "가나"),
        ("가\r\n나\r다\n라\t마", "가\n나\n다\n라\t마"),
        (unicodedata.normalize("NFD", "한글 각하"), "한글 각하"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
    ],
)
def test_text_is_cleaned(given: str, kept: str) -> None:
    assert clean(given) == kept


def test_one_line() -> None:
    assert one_line("  가\t나\r\n\u3000다\xa0\xa0라\u2028마 ") == "가 나 다 라 마"


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        ("R&amp;D", "R&D"),
        ("R&amp;amp;D", "R&D"),
        ("&amp;lt;창업&amp;gt;", "<창업>"),
        ("가&amp;middot;나&#183;다&#xB7;라", "가·나·다·라"),
        ("A&amp;" + "amp;" * 500 + "B", "A&B"),
        ("?a=1&section=2&copy=3&notice=4&currentPage=5", "?a=1&section=2&copy=3&notice=4&currentPage=5"),
        ("R&D; 예산", "R&D; 예산"),
        ("&#0;&#xD800;", "\ufffd\ufffd"),
    ],
)
def test_references_are_resolved_until_nothing_changes(escaped: str, text: str) -> None:
    assert unescape(escaped) == text


def test_shorten_cuts_at_a_space_near_the_end() -> None:
    assert shorten("가나다 라마바 사아자", 100) == "가나다 라마바 사아자"
    assert shorten("가나다 라마바 사아자", 10) == "가나다 라마바…"
    assert shorten("가" * 50, 10) == "가" * 9 + "…"


@given(st.text())
def test_cleaning_is_idempotent_and_encodable(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert once.encode().decode() == once
    assert one_line(one_line(text)) == one_line(text)


@given(st.text(), st.integers(2, 50))
def test_shortened_is_short(text: str, limit: int) -> None:
    assert len(shorten(text, limit)) <= limit


@given(st.binary(max_size=300), st.sampled_from(["", "charset=euc-kr", "charset=utf-8", "charset=x", "charset=utf-16"]))
def test_any_bytes_are_text_or_unreadable(body: bytes, header: str) -> None:
    with suppress(Unreadable):
        assert isinstance(decode(body, header), str)


@pytest.mark.parametrize(
    "text",
    [
        "한글 \u1112\u1161\u11ab\u1100\u1173\u11af \u1112\u119e\u11ab글 \u302e가",
        "Việt Nam: người dân, Thuế giá trị gia tăng",
        "हिन्दी में प्रेस विज्ञप्ति, क्ष्म्य",
        "กระทรวงสิ่งแวดล้อม ที่ นี้ ก่ำ",
        "בְּרֵאשִׁ֖ית בָּרָ֣א אֱלֹהִ֑ים",
        "བསྒྲུབས་ཧཱུྃ",
        "مُحَمَّدٌ",
        "👩🏽\u200d❤️ 1️⃣",
    ],
)
def test_letters_keep_the_marks_that_they_have(text: str) -> None:
    assert clean(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("mark", ["\u0301", "\u0e49", "\u20dd", "\u0489", "\u1ab0", "\U000e0100"])
def test_marks_are_not_heaped_on_a_letter(mark: str) -> None:
    heaped = clean("탄소" + mark * 300 + "중립 A" + mark * 300 + "나")
    assert heaped.count(mark) <= 2 * MARKS
    assert "".join(letter for letter in heaped if letter != mark).startswith("탄소중립")
    assert clean(heaped) == heaped
