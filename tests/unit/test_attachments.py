"""Attached documents: their text, a paragraph a line, and what hostile ones cost."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import pytest

from policyfeed.errors import HostileDocument, Unreadable
from policyfeed.normalize import attachments
from policyfeed.normalize.attachments import hwp as hwp_reader
from policyfeed.normalize.attachments import package as package_reader
from policyfeed.normalize.ministry import Ministries
from policyfeed.types import Attachment, Detail, Document, Request, Source
from policyfeed.workers import Workers
from tests.documents import (
    compound,
    hwp,
    hwp_text,
    hwpx,
    odt,
    odt_content,
    package,
    pdf,
    pdf_file,
    record,
    run,
    section,
    stream,
)
from tests.releases import NOW

LINES = ("하천 유역 탄소중립 시범사업 착수", "□ 올해 안에 세 유역에서 사업을 시작한다.", "○ 온실가스 3만 톤을 줄인다")


@pytest.mark.parametrize(
    "document",
    [hwpx(*LINES), odt(*LINES), pdf(LINES), hwp(b"".join(map(hwp_text, LINES)))],
    ids=["hwpx", "odt", "pdf", "hwp"],
)
def test_every_format_gives_its_paragraphs(document: bytes) -> None:
    assert attachments.text(document) == "\n".join(LINES)


def test_the_bytes_decide_not_the_name() -> None:
    assert attachments.text(b"\n\n" + pdf(LINES)) == "\n".join(LINES)
    with pytest.raises(Unreadable, match="no document"):
        attachments.text("<html>로그인이 필요합니다</html>".encode())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("260520(보도자료) 착수.HWPX ", "application/vnd.hancom.hwpx"),
        ("보도자료.hwp", "application/vnd.hancom.hwp"),
        ("보도자료.pdf", "application/pdf"),
        ("사진 1.jpg", "image/jpeg"),
        ("자료", ""),
        ("자료.xyz", ""),
    ],
)
def test_a_name_tells_the_media_type(name: str, expected: str) -> None:
    assert attachments.media_type(name) == expected


# HWPX and ODT --------------------------------------------------------------------------------------------------------


def test_sections_come_in_their_order_not_in_the_packages() -> None:
    parts = {f"Contents/section{number}.xml": section(run(f"{number}부")) for number in (10, 2, 0)}
    assert attachments.text(package(parts)) == "0부\n2부\n10부"


def test_words_cut_into_runs_are_joined_with_nothing_and_signs_are_kept() -> None:
    inner = (
        "<hp:p><hp:run><hp:t>온실</hp:t></hp:run><hp:run><hp:t>가스<hp:tab/>감축<hp:lineBreak/>목표"
        "<hp:markpenBegin/>치</hp:t></hp:run></hp:p>"
    )
    assert attachments.text(package({"Contents/section0.xml": section(inner)})) == "온실가스\t감축\n목표치"


def test_cells_are_paragraphs_after_what_stands_before_their_table() -> None:
    cells = "".join(f"<hp:tc><hp:subList>{run(text)}</hp:subList></hp:tc>" for text in ("구분", "2026년"))
    inner = f"<hp:p><hp:run><hp:t>앞</hp:t><hp:tbl><hp:tr>{cells}</hp:tr></hp:tbl><hp:t>뒤</hp:t></hp:run></hp:p>"
    assert attachments.text(package({"Contents/section0.xml": section(inner)})) == "앞\n구분\n2026년\n뒤"


def test_headers_hidden_remarks_and_formulas_are_no_text() -> None:
    unread = "".join(f"<hp:{name}>{run('남의 말')}</hp:{name}>" for name in ("header", "footer", "hiddenComment"))
    inner = (
        f"<hp:p><hp:ctrl>{unread}</hp:ctrl><hp:run><hp:t>본문</hp:t>"
        f"<hp:equation><hp:script>1 over 2</hp:script></hp:equation></hp:run></hp:p>"
    )
    assert attachments.text(package({"Contents/section0.xml": section(inner)})) == "본문"


def test_odt_keeps_headings_spaces_and_leaves_deleted_text_remarks_and_scripts_out() -> None:
    inner = (
        "<text:tracked-changes><text:p>지운 말</text:p></text:tracked-changes><text:h>제목</text:h>"
        '<text:p>가<text:s text:c="3"/>나<text:span>다</text:span><text:line-break/>라'
        "<text:annotation><text:p>남의 말</text:p></text:annotation><text:script>x = 1</text:script></text:p>"
    )
    assert attachments.text(package({"content.xml": odt_content(inner)})) == "제목\n가 나다\n라"


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (package({"word/document.xml": "<w/>"}), "neither HWPX nor ODT"),
        (hwpx(*LINES)[:-40], "BadZipFile"),
        (package({"Contents/section0.xml": "<hs:sec>"}), "XMLSyntaxError"),
        (package({f"{number}": b"" for number in range(4_001)}), "4001 parts"),
        (hwpx(" ", ""), "holds no text"),
        (package({"Contents/section0.xml": section("<hp:p>" * 300 + "</hp:p>" * 300)}), "XMLSyntaxError"),
    ],
    ids=["docx", "cut", "no-xml", "parts", "empty", "deep"],
)
def test_packages_that_cannot_be_read_say_so(document: bytes, problem: str) -> None:
    with pytest.raises(Unreadable, match=problem):
        attachments.text(document)


def test_a_zip_bomb_costs_the_limit_and_not_more() -> None:
    bomb = package({"Contents/section0.xml": b" " * (package_reader.UNPACKED + 1)})
    assert len(bomb) < 100_000
    with pytest.raises(Unreadable, match="unpacks to more"):
        attachments.text(bomb)


def test_entities_are_not_expanded() -> None:
    bomb = (
        '<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "가가가가가가가가가가"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
        f'<hs:sec xmlns:hs="h" xmlns:hp="p"><hp:p><hp:t>앞{"&b;" * 50}</hp:t></hp:p></hs:sec>'
    )
    assert attachments.text(package({"Contents/section0.xml": bomb})) == "앞"


# HWP 5 ---------------------------------------------------------------------------------------------------------------


def test_hwp_controls_are_skipped_with_what_belongs_to_them() -> None:
    wide = struct.pack("<8H", 11, *map(ord, "secd가"), 0, 11)  # a control is eight units, whatever they look like
    tab = struct.pack("<8H", 9, 1, 2, 3, 4, 5, 6, 9)
    text = "표".encode("utf-16-le") + wide + "앞".encode("utf-16-le") + tab + "뒤\n줄\x1e끝\r".encode("utf-16-le")
    assert attachments.text(hwp(record(67, text))) == "표앞\t뒤\n줄 끝"


def test_hwp_sections_of_any_size_compressed_or_not() -> None:
    long = "온실가스 " * 2_000
    assert attachments.text(hwp(hwp_text(long), hwp_text("둘째 구역"))) == f"{long.strip()}\n둘째 구역"
    assert attachments.text(hwp(record(66, b"\0" * 22) + hwp_text("글"), properties=0)) == "글"


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (hwp(hwp_text("글"), properties=3), "protected"),
        (hwp(hwp_text("글"), properties=5), "protected"),
        (compound({"WordDocument": b"x"}, {}), "OSError"),
        (compound({"FileHeader": b"HWP Document File V3"}, {}), "holds no text"),
        (hwp(hwp_text("글"))[:700], "cannot be read"),
        (compound({"FileHeader": b"HWP Document File".ljust(36, b"\0") + b"\1\0\0\0"},
                  {"BodyText": {"Section0": b"\xff" * 9}}), "error"),
    ],
    ids=["password", "distribution", "word", "empty", "cut", "no-deflate"],
)  # fmt: skip
def test_hwp_that_cannot_be_read_says_so(document: bytes, problem: str) -> None:
    with pytest.raises(Unreadable, match=problem):
        attachments.text(document)


def test_an_hwp_bomb_costs_the_limit_and_not_more() -> None:
    bomb = hwp(b"\0" * (hwp_reader.UNPACKED + 1))
    assert len(bomb) < 100_000
    with pytest.raises(Unreadable, match="unpacks to more"):
        attachments.text(bomb)


# PDF -----------------------------------------------------------------------------------------------------------------


def test_lines_that_the_paper_broke_are_joined_and_others_are_not() -> None:
    page = ("□ 환경부는 하천 유역에서 온실", "가스를 줄이는 사업을 시작한다.", "다음 문단은 여기에서 시작한다",
            "○ 세 유역에서 열린다", "* 문의 044-000-0000")  # fmt: skip
    assert attachments.text(pdf(page, ["둘째 쪽"])).split("\n") == [
        "□ 환경부는 하천 유역에서 온실가스를 줄이는 사업을 시작한다.",
        "다음 문단은 여기에서 시작한다",
        "○ 세 유역에서 열린다",
        "* 문의 044-000-0000",
        "둘째 쪽",
    ]


@pytest.mark.parametrize(
    "document",
    [b"%PDF-1.7\nno more than this", pdf(LINES)[:300], pdf_file([b"<< /Type /Catalog /Pages 1 0 R >>"]), pdf(())],
    ids=["nothing", "cut", "circle", "scanned"],
)
def test_pdf_that_cannot_be_read_says_so(document: bytes) -> None:
    with pytest.raises(Unreadable):
        attachments.text(document)


# In the worker -------------------------------------------------------------------------------------------------------

SOURCE = Source(id="korea-press", kind="korea_kr", url="https://www.korea.kr/briefing/pressReleaseList.do")
FILE = "https://www.korea.kr/common/download.do?fileId=1&tblKey=GMN"
WAITING = Detail(attachments=(Attachment(name="보도자료.pdf", url=FILE),), ways=(Request(url=FILE),))


def _document(body: bytes) -> Document:
    return Document(url=FILE, status=200, body=body, fetched=NOW)


def _pdf_bomb() -> bytes:
    """A page whose content is deflated three times over: 21 MB of operators in a few hundred bytes."""
    data: Any = b"0 0 Td " * 3_000_000
    for _ in range(3):
        data = zlib.compress(data, 9)
    filters = b"/Filter [/FlateDecode /FlateDecode /FlateDecode]"
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources << >> >>"
    pages = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    return pdf_file([b"<< /Type /Catalog /Pages 2 0 R >>", pages, page, stream(data, filters)])


async def test_a_hostile_attachment_costs_only_itself() -> None:
    workers = Workers(Ministries(()), processes=1, seconds=3, megabytes=128)
    try:
        with pytest.raises((HostileDocument, Unreadable)):
            await workers.read_detail(SOURCE, _document(_pdf_bomb()), WAITING)
        with pytest.raises(Unreadable):
            await workers.read_detail(SOURCE, _document(b"%PDF-1.4" + b"x" * 1_000_000), WAITING)
        found = await workers.read_detail(SOURCE, _document(pdf(LINES)), WAITING)
    finally:
        workers.close()
    assert found.content == "".join(f"<p>{line}</p>" for line in LINES)
    assert found.ways == ()
