"""Descriptions of 2–6 kB as the feeds of Korean ministries carry them, of made-up words.

The markup is what their sites' editors leave: paragraphs and spans with styles, what a word processor's clipboard
brings (fonts, line heights, tables of figures), &nbsp; for empty lines, links, images with addresses relative to the
site. Some sites write bare paragraphs, and some escape their HTML instead of wrapping it in CDATA.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from html import escape
from itertools import product

_TEXT = (
    "정부는 온실가스 감축 이행계획을 확정하고 관계 부처와 함께 지원 방안을 마련했다 이번 "
    "대책은 산업 현장의 목소리를 반영해 단계적으로 추진되며 내년 상반기부터 시행된다 재생에너지 "
    "보급 확대와 중대재해 예방 하도급 거래 공정화 지역 일자리 창출 디지털 전환 기반 조성 등 "
    "여러 과제가 포함됐다 관계자는 현장에서 체감할 수 있는 변화를 만들겠다고 말했다 예산은 "
    "국회 심의를 거쳐 확정되며 지방자치단체와 협의체를 꾸려 점검한다 시범사업은 세 유역에서 "
    "먼저 시작되고 결과를 분석해 전국으로 넓힌다 "
)
# what releases are mostly made of: words that say nothing about any subject
_FILLING = product("가나다라마바사아자차카타파하", "강논동름밀별산숲온잔찬콩", ("", "은", "이", "을", "에서", "하는"))
_WORDS = [*_TEXT.split(), *("".join(parts) for parts in _FILLING)]
EACH = 40
"""Different descriptions of each site."""
SHORT_FEED = (
    '<rss version="2.0"><channel><title>보도자료</title><item><title>{name} 탄소중립 계획 확정</title>'
    "<link>http://x.kr/view?no={name}</link><pubDate>Wed, 20 May 2026 09:00:00 +0900</pubDate></item></channel></rss>"
)
"""A whole feed of one release without a description, to be given its ``name``."""


def made() -> list[list[str]]:
    """Descriptions as they stand between the tags, of ten sites: each keeps to a manner."""
    return [[_body(manner, EACH * site + number) for number in range(EACH)] for site, manner in enumerate(_MANNERS)]


def _body(manner: Callable[[random.Random], Iterator[str]], seed: int) -> str:
    rng = random.Random(seed)
    wanted, parts, size = rng.randint(2_000, 6_000), list[str](), 0
    for part in manner(rng):
        parts.append(part)
        size += len(part.encode())
        if size >= wanted:
            break
    html = "".join(parts)
    return escape(html) if manner is _escaped else f"<![CDATA[{html}]]>"


def _words(rng: random.Random, least: int = 20, most: int = 50) -> str:
    return " ".join(rng.choice(_WORDS) for _ in range(rng.randint(least, most)))


def _bare(rng: random.Random) -> Iterator[str]:
    """Each line a paragraph."""
    while True:
        yield f"<p>{_words(rng)}.</p>\n"


def _escaped(rng: random.Random) -> Iterator[str]:
    return _bare(rng)


def _editor(rng: random.Random) -> Iterator[str]:
    """A web editor's, with the site's own links and icons around it."""
    number = rng.randint(1_000, 9_999)
    yield f"<a href='/board/view.do?no={number}' target='_blank'>\n<img src='/images/rss/view.gif' align='right' />\n"
    yield '</a><br/><br/>\n<div class="se-contents" role="textbox" style="font-size:12pt">\n'
    while True:
        tab = '<span class="se-tab" style="padding-left:32px">&nbsp;</span>'
        yield f'<p style="margin:0">{tab}<span>{_words(rng)}&middot;{_words(rng, 2, 5)}.</span></p>\n'
        yield '<p style="margin:0"><br/></p>\n'
        if rng.random() < 0.1:
            yield f'<p style="text-align:center"><img src="/upload/{number}.jpg" alt="현장 사진" width="600" /></p>\n'
        if rng.random() < 0.1:
            yield f'<p style="margin:0"><a href="/file/down.do?no={number}&amp;seq=1">붙임</a>&nbsp;끝.</p>\n'


def _pasted(rng: random.Random) -> Iterator[str]:
    """A word processor's clipboard: each run of words with its font, figures in tables."""
    font = '<span style="font-family:한양신명조;font-size:14.0pt;letter-spacing:-0.3pt;line-height:160%">'
    while True:
        runs = "".join(f"{font}{_words(rng, 8, 16)}&nbsp;</span>" for _ in range(3))
        yield f'<p class="HStyle0" style="margin-left:20.0pt;text-indent:-20.0pt;line-height:160%">{runs}</p>\n'
        yield '<p class="HStyle0">&nbsp;</p>\n'
        if rng.random() < 0.15:
            rows = "".join(_row(rng) for _ in range(3))
            yield f'<table border="1" cellspacing="0">\n<tbody>\n{rows}</tbody>\n</table>\n'


def _row(rng: random.Random) -> str:
    cell = '<td valign="middle" style="width:120px;height:28px;border:solid #000000 0.4pt;padding:1.4pt 5.1pt">'
    return f"<tr>{''.join(f'{cell}<p class=HStyle0>{_words(rng, 1, 3)}</p></td>' for _ in range(3))}</tr>\n"


# one for each of ten sites
_MANNERS = (_editor, _pasted, _bare, _editor, _pasted, _editor, _bare, _editor, _pasted, _escaped)
