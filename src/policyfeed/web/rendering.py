"""Templates → HTML, in the reader's language. Everything is escaped but what ``normalize.html`` sanitized."""

from __future__ import annotations

import re
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from policyfeed.i18n import Translate, translator

_HANGUL = re.compile("[가-힣]")


def html(template: str, language: str, *, site: str, **facts: object) -> str:
    """A page. ``site``: what the board is called; ``facts`` are the template's variables, a missing one is an error."""
    named = {"site": site, "site_lang": "ko" if _HANGUL.search(site) else "en"}
    return environment(language).get_template(template).render(lang=language, **named, **facts)


@cache
def environment(language: str) -> Environment:
    """The templates with the language's texts."""
    made = Environment(
        loader=PackageLoader("policyfeed.web"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
    )
    gettext = translator(language)
    made.install_gettext_callables(gettext, _plural(gettext), newstyle=True)  # type: ignore[attr-defined]  # from the extension
    return made


def _plural(gettext: Translate) -> object:
    return lambda one, many, count: gettext(one if count == 1 else many)
