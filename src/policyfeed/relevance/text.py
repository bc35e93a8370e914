"""Text as the matcher sees it: without spaces and joining marks, with the way back to the original offsets."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import accumulate, takewhile

# Marks that Korean writers put or leave out at will inside one expression: 탄소 중립, 탄소중립, 일·가정, ‘탄소’중립.
_SOFT = re.compile(
    r"[\t-\r\x1c-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000·ㆍ・･․‧∙•\-‐‑–—~∼～/'\"‘’“”`´「」『』｢｣]"
)
_MARKUP = re.compile(r"(<[^<>]*>|&(?:[a-zA-Z]{2,10}|#[0-9xXa-fA-F]{1,7});)")
# What may follow a noun inside the same word: particles, plural, the copula and the common verb endings of 하다/되다.
_NOUN_ENDINGS = (
    "은 는 이 가 을 를 의 에 에서 에게 에는 에도 에선 께 로 으로 로부터 으로부터 로서 으로서 로써 으로써 와 "
    "과 나 이나 랑 도 만 까지 부터 보다 마다 조차 뿐 등 및 별 간 시 용 발 형 적 내 외 중 후 전 상 하 이란 란 "
    "이라 라 인 이다 입니다 이며 며 하고 하며 하는 하여 해 해야 했다 한다 합니다 하기 할 한 된 되는 되어 돼 "
    "됐다 된다 됩니다 되고 되며 시켜 시킨다 시키는"
)
_ENDINGS = frozenset(plural + ending for plural in ("", "들", "님") for ending in ("", *_NOUN_ENDINGS.split()))
_LONGEST = 6
"""Characters of an ending that are looked at."""


@dataclass(frozen=True, slots=True)
class Squeezed:
    """``text`` without spaces and soft marks; ``bounds`` are the offsets in it of what stood between these: where a
    word begins, and the text's end. ``spaced`` is the text before, with a space for each mark."""

    text: str
    bounds: list[int]
    spaced: str

    def origin(self, offset: int) -> int:
        """The offset in the text as stored."""
        seen, at = 0, offset
        while spaces := self.spaced.count(" ", seen, at):  # so many characters more are before it, spaces among them
            seen, at = at, at + spaces
        while self.spaced[at] == " ":
            at += 1
        return at

    def is_bound(self, offset: int) -> bool:
        """Whether a soft mark lay before ``offset``, or it is where the text begins or ends."""
        return self.bounds[bisect_left(self.bounds, offset)] == offset

    def begins_word(self, offset: int) -> bool:
        return self.bounds[bisect_left(self.bounds, offset)] == offset or not self.text[offset - 1].isalnum()

    def ends_word(self, offset: int) -> bool:
        """Whether a word ends before ``offset``, endings that Korean nouns take left aside."""
        if self.is_bound(offset) or not self.text[offset].isalnum():
            return True
        rest = self.text[offset : min(self.space(offset), offset + _LONGEST)]
        return "".join(takewhile(str.isalnum, rest)) in _ENDINGS

    def space(self, start: int) -> int:
        """Where the next soft mark after ``start`` lay; the text's end when there is none."""
        return self.bounds[bisect_right(self.bounds, start)]


def squeeze(text: str) -> Squeezed:
    """Drops soft marks and letter case. The text should be in NFC, as normalize gives it; otherwise offsets count in
    its NFC form."""
    spaced = _SOFT.sub(" ", _lower(unicodedata.normalize("NFC", text)))
    words = spaced.split()
    return Squeezed("".join(words), list(accumulate(map(len, words), initial=0)), spaced)


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
