"""Text as the matcher sees it: without spaces and joining marks, with the way back to the original offsets."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate

# Marks that Korean writers put or leave out at will inside one expression: 탄소 중립, 탄소중립, 일·가정, ‘탄소’중립.
_SOFT = re.compile(
    r"[\t-\r\x1c-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000·ㆍ・･‧∙•\-‐‑–—~∼～/'\"‘’“”`´「」『』｢｣]"
)
_GAP = re.compile(" {2,}")
_MARKUP = re.compile(r"(<[^<>]*>|&(?:[a-zA-Z]{2,10}|#[0-9xXa-fA-F]{1,7});)")
# What may follow a noun inside the same word: particles, plural, the copula and the common verb endings of 하다/되다.
_NOUN_ENDINGS = (
    "은 는 이 가 을 를 의 에 에서 에게 에는 에도 에선 께 로 으로 로부터 으로부터 로서 으로서 로써 으로써 와 "
    "과 나 이나 랑 도 만 까지 부터 보다 마다 조차 뿐 등 및 별 간 시 용 발 형 적 내 외 중 후 전 상 하 이란 란 "
    "이라 라 인 이다 입니다 이며 며 하고 하며 하는 하여 해 해야 했다 한다 합니다 하기 할 한 된 되는 되어 돼 "
    "됐다 된다 됩니다 되고 되며 시켜 시킨다 시키는"
)
_ENDINGS = frozenset(plural + ending for plural in ("", "들", "님") for ending in ("", *_NOUN_ENDINGS.split()))


@dataclass(slots=True)
class Squeezed:
    """``text`` without spaces and soft marks; ``starts`` are the offsets in it where a word begins.

    ``spaced`` is the text as stored, with spaces for soft marks.
    """

    text: str
    starts: list[int]
    breaks: frozenset[int] = field(repr=False)
    spaced: str = field(repr=False)
    _gaps: tuple[list[int], list[int]] | None = field(default=None, repr=False)

    def origin(self, offset: int) -> int:
        """The offset in the text as stored."""
        if self._gaps is None:
            self._gaps = _gaps(self.spaced)
        single = offset + bisect_right(self.starts, offset) - 1  # as if one space were between words
        places, wider = self._gaps
        return single + wider[bisect_right(places, single)]

    def begins_word(self, offset: int) -> bool:
        return offset in self.breaks or not self.text[offset - 1].isalnum()

    def ends_word(self, offset: int) -> bool:
        """Whether a word ends before ``offset``, endings that Korean nouns take left aside."""
        if offset >= len(self.text) or offset in self.breaks or not self.text[offset].isalnum():
            return True
        return self.text[offset : self.word_end(offset)] in _ENDINGS

    def before(self, offset: int) -> int:
        """How many characters of the same word stand before ``offset``; at most four are looked at."""
        start = offset
        while start > 0 and offset - start < 4 and not self.begins_word(start):
            start -= 1
        return offset - start

    def word_end(self, offset: int) -> int:
        """Where the word that holds ``offset`` ends; at most six characters are looked at."""
        end = offset
        while end < len(self.text) and end - offset < 6 and self.text[end].isalnum():
            end += 1
            if end in self.breaks:
                break
        return end

    def space(self, start: int) -> int:
        """Where the next soft mark after ``start`` lay; the text's end when there is none."""
        word = bisect_right(self.starts, start)
        return self.starts[word] if word < len(self.starts) else len(self.text)


def squeeze(text: str) -> Squeezed:
    """Drops soft marks and letter case. The text should be in NFC, as normalize gives it; otherwise offsets count in
    its NFC form."""
    spaced = _SOFT.sub(" ", _lower(unicodedata.normalize("NFC", text)))
    words = spaced.split()
    starts = list(accumulate(map(len, words[:-1]), initial=0)) if words else []
    return Squeezed("".join(words), starts, frozenset(starts), spaced)


def _gaps(spaced: str) -> tuple[list[int], list[int]]:
    """Where more than one space is between words (offsets as if there were one), and how many more stand before each of
    these places, and before the end."""
    lead = len(spaced) - len(spaced.lstrip())
    places, wider = list[int](), [lead]
    for gap in _GAP.finditer(spaced, lead):
        start, end = gap.span()
        places.append(start - wider[-1])
        wider.append(wider[-1] + end - start - 1)
    return places, wider


def plain(html: str) -> str:
    """HTML with its markup blanked out, character for character: offsets stay those of the HTML as stored."""
    parts = _MARKUP.split(html)
    parts[1::2] = [" " * len(markup) for markup in parts[1::2]]
    return "".join(parts)


def _lower(text: str) -> str:
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in text)  # İ would shift all offsets
