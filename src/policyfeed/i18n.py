"""Korean and English: GNU gettext over ``locale/``. English is the text in the source.

``translator("ko")`` gives a function from an English template to the Korean one. Names of commands, JSON keys and logs
are not translated.
"""

from __future__ import annotations

import gettext
import os
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from string import Formatter

LANGUAGES = ("ko", "en")
_DOMAIN, _FOLDER = "policyfeed", Path(__file__).with_name("locale")

Translate = Callable[[str], str]


@cache
def translator(language: str) -> Translate:
    """The translation function of a language; English for one that we do not have."""
    found = gettext.translation(_DOMAIN, _FOLDER, languages=[language], fallback=True)
    return lambda text: found.gettext(text) if text else ""  # under "" a catalogue holds its header


def marked(text: str) -> str:
    """The text itself, marked for the catalogue: it is translated where it is shown (as the fact ``said``)."""
    return text


def adopt(language: str) -> None:
    """Libraries that ask gettext without naming a domain (typer) find their texts in our catalogue too."""
    gettext.bindtextdomain(_DOMAIN, str(_FOLDER))
    gettext.textdomain(_DOMAIN)
    os.environ["LANGUAGE"] = language  # where gettext looks first


def retold(text: str, templates: Iterable[str], translate: Translate) -> str:
    """A finished English text in the reader's language, known again by the template that made it.

    For what comes as text alone: a library's messages, and what is stored. The fact ``said`` is such a text itself.
    """
    for template in templates:
        if found := _pattern(template).fullmatch(text):
            facts = found.groupdict()
            if "said" in facts:
                facts["said"] = retold(facts["said"], templates, translate)
            return translate(template).format(**facts)
    return translate(text)


@cache
def _pattern(template: str) -> re.Pattern[str]:
    pieces = (
        re.escape(plain) + (f"(?P<{fact}>.+?)" if fact else "") for plain, fact, *_ in Formatter().parse(template)
    )
    return re.compile("".join(pieces), re.DOTALL)


def environment_language() -> str:
    """``ko`` or ``en``: POLICYFEED_LANG, else the POSIX locale variables; English when none names Korean."""
    for name in ("POLICYFEED_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "ko" if value.lower().startswith("ko") else "en"
    return "en"
