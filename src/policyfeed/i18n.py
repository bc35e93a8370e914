"""Korean and English: GNU gettext over ``locale/``. English is the text in the source.

``translator("ko")`` gives a function from an English template to the Korean one. Names of commands, JSON keys and logs
are not translated.
"""

from __future__ import annotations

import gettext
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

LANGUAGES = ("ko", "en")

Translate = Callable[[str], str]


@cache
def translator(language: str) -> Translate:
    """The translation function of a language; English for one that we do not have."""
    folder = Path(__file__).with_name("locale")
    found = gettext.translation("policyfeed", folder, languages=[language], fallback=True)
    return lambda text: found.gettext(text) if text else ""  # under "" a catalogue holds its header


def marked(text: str) -> str:
    """The text itself, marked for the catalogue: it is translated where it is shown (as the fact ``said``)."""
    return text


def environment_language() -> str:
    """``ko`` or ``en``: POLICYFEED_LANG, else the POSIX locale variables; English when none names Korean."""
    for name in ("POLICYFEED_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "ko" if value.lower().startswith("ko") else "en"
    return "en"
