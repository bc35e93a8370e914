"""Text as the matcher sees it: without spaces and joining marks, with the way back to the original offsets."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass, field

# Marks that Korean writers put or leave out at will inside one expression: 탄소 중립, 탄소중립, 일·가정, ‘탄소’중립.
_SOFT = r"\s·ㆍ・･‧∙•\-‐‑–—~∼～/'\"‘’“”`´「」『』｢｣"
_CHUNK = re.compile(rf"[^{_SOFT}]+")
_MARKUP = re.compile(r"<[^<>]*>|&(?:[a-zA-Z]{2,10}|#[0-9xXa-fA-F]{1,7});")
# What may follow a noun inside the same word: particles, plural, the copula and the common verb endings of 하다/되다.
_ENDING = re.compile(
    r"(?:들|님)?(?:은|는|이|가|을|를|의|에|에서|에게|에는|에도|에선|께|로|으로|로부터|으로부터|로서|으로서|로써|으로써|와|과|나|이나|랑|도|만|까지|부터|"
    r"보다|마다|조차|뿐|등|및|별|간|시|용|발|형|적|내|외|중|후|전|상|하|이란|란|이라|라|인|이다|입니다|이며|며|하고|하며|하는|하여|해|해야|했다|"
    r"한다|합니다|하기|할|한|된|되는|되어|돼|됐다|된다|됩니다|되고|되며|시켜|시킨다|시키는)?\Z"
)


@dataclass(frozen=True, slots=True)
class Squeezed:
    """``text`` without soft marks; ``starts`` are the offsets in it where a word begins, ``origins`` the same places
    in the text as stored."""

    text: str
    starts: tuple[int, ...]
    origins: tuple[int, ...]
    breaks: frozenset[int] = field(repr=False)

    def origin(self, offset: int) -> int:
        """The offset in the text as stored."""
        word = bisect_right(self.starts, offset) - 1
        return self.origins[word] + offset - self.starts[word]

    def begins_word(self, offset: int) -> bool:
        return offset in self.breaks or not self.text[offset - 1].isalnum()

    def ends_word(self, offset: int) -> bool:
        """Whether a word ends before ``offset``, endings that Korean nouns take left aside."""
        if offset >= len(self.text) or offset in self.breaks or not self.text[offset].isalnum():
            return True
        return _ENDING.match(self.text[offset : self.word_end(offset)]) is not None

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

    def crosses_space(self, start: int, end: int) -> bool:
        """Whether a soft mark lay inside the span."""
        return self.space(start) < end


def squeeze(text: str) -> Squeezed:
    """Drops soft marks and letter case. The text should be in NFC, as normalize gives it; otherwise offsets count in
    its NFC form."""
    text = _lower(unicodedata.normalize("NFC", text))
    parts: list[str] = []
    starts: list[int] = []
    origins: list[int] = []
    length = 0
    for chunk in _CHUNK.finditer(text):
        parts.append(chunk[0])
        starts.append(length)
        origins.append(chunk.start())
        length += chunk.end() - chunk.start()
    return Squeezed("".join(parts), tuple(starts), tuple(origins), frozenset(starts))


def plain(html: str) -> str:
    """HTML with its markup blanked out, character for character: offsets stay those of the HTML as stored."""
    return _MARKUP.sub(lambda found: " " * len(found[0]), html)


def _lower(text: str) -> str:
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in text)  # İ would shift all offsets
