"""What feeds of different shapes cost a worker: RSS 2.0 and 1.0, Atom, and what sites make of them.

    python benchmarks/shapes.py [--rounds 5] [--only atom] [--json]

The same 50 entries in each shape. CPU as multiples of the floor (SHA-256 and expat over the first shape's bytes), the
best of some rounds; in brackets how many entries were parsed, and how many of these sanitized and judged. ``moved``:
all items say what they said, with another counter of views, session id and moment of their last touch.
``feedparser`` is parsing alone, without sanitizing and link resolution.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from html import escape

import feedbodies
from reading import _feedparser, _floor, best

from policyfeed.config import load, shipped
from policyfeed.documents import Reading, read_document
from policyfeed.normalize.ministry import Ministries
from policyfeed.relevance import Judge
from policyfeed.types import Document, Source

ENTRIES = 50
NOW = datetime(2026, 11, 25, tzinfo=UTC)
BODIES = [body.removeprefix("<![CDATA[").removesuffix("]]>") for body in feedbodies.made()[2]]
SPACES = (
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:atom="http://www.w3.org/2005/Atom" xmlns:slash="http://purl.org/rss/1.0/modules/slash/" '
    'xmlns:media="http://search.yahoo.com/mrss/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
)
RSS = f'<rss version="2.0" {SPACES}><channel><title>보도자료</title><link>https://x.kr/</link>{{}}</channel></rss>'
DTD = '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.com/rss-0.91.dtd">'
RDF = f'<rdf:RDF xmlns="http://purl.org/rss/1.0/" {SPACES}><channel rdf:about="x"><title/></channel>{{}}</rdf:RDF>'
ATOM = '<feed xmlns="http://www.w3.org/2005/Atom"><title>가</title><id>x</id><updated>2026-11-25</updated>{}</feed>'
XHTML = '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">{}</div></content>'


@dataclass(frozen=True, slots=True)
class Item:
    """An entry; ``turn`` counts what moves by itself, ``text`` is HTML."""

    number: int
    turn: int
    text: str

    @property
    def title(self) -> str:
        return f"{self.number}차 탄소중립 &amp; 시범지구 추진 현황"

    @property
    def link(self) -> str:
        return f"https://www.example.go.kr/view.do;jsessionid={self.turn}F?no={self.number}"

    @property
    def at(self) -> str:
        return (NOW - timedelta(hours=2 * (ENTRIES + 1 - self.number))).isoformat()

    def rss(self, *more: str, text: str = "") -> str:
        said = text or f"<description><![CDATA[{self.text}]]></description>"
        stands = f"<title>{self.title}</title><link>{self.link}</link>{said}<pubDate>{self.at}</pubDate>"
        return f"<item>{stands}{''.join(more)}</item>"

    def atom(self, *more: str) -> str:
        touched = f"<published>{self.at}</published><updated>{self.at[:-6]}.{self.turn}Z</updated>"
        stands = f'<title>{self.title}</title><link href="{self.link}"/><id>tag:x.kr,2026:{self.number}</id>{touched}'
        return f"<entry>{stands}{''.join(more)}</entry>"

    def wordpress(self) -> str:
        said = f"<description>요약</description><content:encoded><![CDATA[{self.text}]]></content:encoded>"
        guid = f'<guid isPermaLink="false">https://x.kr/?p={self.number}</guid><dc:creator>홍보담당관</dc:creator>'
        return self.rss(guid, f"<slash:comments>{self.turn}</slash:comments>", text=said)


SHAPES: dict[str, tuple[str, Callable[[Item], str]]] = {
    "RSS, CDATA": (RSS, Item.rss),
    "RSS, escaped": (RSS, lambda one: one.rss(text=f"<description>{escape(one.text)}</description>")),
    "RSS, own elements": (RSS, lambda one: one.rss(f"<views>{one.turn}</views><dept>기획과</dept>")),
    "RSS, bare ampersand": (RSS, lambda one: one.rss("<category>R&D</category>")),
    "RSS, document type": (f"{DTD}{RSS}", Item.rss),
    "RSS, pictures": (RSS, lambda one: one.rss('<media:content url="/a.jpg"/><enclosure url="/a.hwp"/>')),
    "RSS, nested": (
        RSS,
        lambda one: one.rss('<media:content url="/a.jpg"><media:title>가</media:title></media:content>'),
    ),
    "RSS of WordPress": (RSS, Item.wordpress),
    "RSS 1.0": (RDF, lambda one: one.rss(f"<dc:date>{one.at}</dc:date>")),
    "Atom, html": (ATOM, lambda one: one.atom(f'<content type="html">{escape(one.text)}</content>')),
    "Atom, xhtml": (ATOM, lambda one: one.atom("<summary>요약</summary>", XHTML.format(one.text))),
    "Atom, summary": (ATOM, lambda one: one.atom(f'<summary type="html"><![CDATA[{one.text}]]></summary>')),
}


class Bench:
    """One shape: the bodies of its phases, and what reading them comes to."""

    def __init__(self, shape: str, ministries: Ministries, judge: Judge) -> None:
        self.frame, self.item = SHAPES[shape]
        self.source = Source(id="shape", kind="feed", url="https://www.example.go.kr/feed", ministry="mcee")
        self.ministries, self.judge = ministries, judge
        self.bodies = {
            "first": self._body(),
            "new": self._body(extra=1),
            "edited": self._body(edited="<p>정정한다.</p>"),
            "moved": self._body(turn=1),
        }
        self.memory = self.read("first").memory

    def _body(self, extra: int = 0, edited: str = "", turn: int = 0) -> bytes:
        numbers = range(ENTRIES + extra, extra, -1)
        texts = (BODIES[number % len(BODIES)] + (edited if number == 9 else "") for number in numbers)
        items = (self.item(Item(number, turn, text)) for number, text in zip(numbers, texts, strict=True))
        return self.frame.replace("{}", "\n".join(items)).encode()

    def read(self, phase: str) -> Reading:
        document = Document(url=self.source.url, status=200, body=self.bodies[phase], fetched=NOW)
        known = {} if phase == "first" else self.memory
        return read_document(self.source, known, document, self.ministries, self.judge.judge)

    def costs(self, floor: float, rounds: int) -> dict[str, tuple[float, int, int]]:
        """Phase → multiples of the floor, entries parsed, entries sanitized and judged."""
        done: dict[str, tuple[float, int, int]] = {}
        for phase in self.bodies:
            reading, cost = self.read(phase), best(partial(self.read, phase), rounds)
            done[phase] = (cost / floor, reading.parsed, len(reading.verdicts))
        done["feedparser"] = (best(lambda: _feedparser(self.bodies["first"], False), rounds) / floor, ENTRIES, 0)
        return done


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    config = load(shipped(), {})
    ministries, judge = config.ministries, Judge(config.rules)
    plain = Bench(next(iter(SHAPES)), ministries, judge).bodies["first"]
    floor = best(lambda: _floor(plain), 10 * arguments.rounds)
    shapes = [shape for shape in SHAPES if arguments.only.lower() in shape.lower()]
    results = {shape: Bench(shape, ministries, judge).costs(floor, arguments.rounds) for shape in shapes}
    if arguments.json:
        print(json.dumps(results, ensure_ascii=False))
        return
    names = ("first", "new", "edited", "moved", "feedparser")
    print("| | " + " | ".join(names) + " |\n|" + "---|" * (len(names) + 1))
    for shape, done in results.items():
        cells = [f"{cost:.1f} × ({parsed}, {judged})" for cost, parsed, judged in (done[name] for name in names[:-1])]
        print(f"| {shape} | {' | '.join(cells)} | {done['feedparser'][0]:.0f} × |")


if __name__ == "__main__":
    main()
