"""One tree of errors. A message says what happened, to what, and what to do about it.

Low-level exceptions are mapped to these at the seam where they arise, and only there. Expected results (304,
nothing new, retry later) are values, not errors. A message is a template with named facts, so that it can be shown in
the reader's language (``policyfeed.i18n``); ``str(error)`` is English.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Self

from policyfeed.clock import KST


class PolicyfeedError(Exception):
    """What went wrong (``template`` filled with ``facts``) and the remedy."""

    def __init__(self, template: str, /, *, remedy: str = "", **facts: object) -> None:
        self.template = template
        self.remedy = remedy
        self.facts = facts
        super().__init__(self.text())

    def text(self, translate: Callable[[str], str] = str) -> str:
        """The whole message; ``translate`` maps an English template to the reader's language."""
        facts = {name: _quoted(one, translate) if name in _QUOTED else one for name, one in self.facts.items()}
        text = translate(self.template).format(**facts)
        return f"{text} {translate(self.remedy).format(**facts)}" if self.remedy else text

    @property
    def name(self) -> str:
        """The error's name as states, metrics and pages show it."""
        return type(self).__name__

    def dumped(self) -> str:
        """The message as JSON, to be stored, and told in any language later (``told``)."""
        return json.dumps(self._parts(), ensure_ascii=False)

    def _parts(self) -> dict[str, object]:
        facts = {name: fact if isinstance(fact, int | float) else _plain(fact) for name, fact in self.facts.items()}
        return {"template": self.template, "remedy": self.remedy, "facts": facts}

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.template, self.remedy, self.facts, self.__dict__)


_QUOTED = ("said", "problem", "reason", "detail")


def _quoted(fact: object, translate: Callable[[str], str]) -> object:
    """What somebody else said (another error, the system, a library), in the reader's language where we know it."""
    if isinstance(fact, PolicyfeedError):
        return fact.text(translate)
    if isinstance(fact, OSError) and fact.strerror:
        return translate(fact.strerror)
    return translate(str(fact)) if isinstance(fact, str | Exception) else fact


class Remark(str):
    """What is odd and no error: English as it stands, and for ``told`` a template with named facts."""

    __slots__ = ("facts", "template")
    template: str
    facts: dict[str, object]

    def __new__(cls, template: str, /, **facts: object) -> Self:
        made = super().__new__(cls, template.format(**facts))
        made.template, made.facts = template, facts
        return made

    def dumped(self) -> str:
        """The remark as JSON, to be stored, and told in any language later (``told``)."""
        return PolicyfeedError(self.template, remedy="", **self.facts).dumped()

    def __reduce__(self) -> tuple[object, ...]:
        return _remark, (self.template, self.facts)


def _remark(template: str, facts: dict[str, object]) -> Remark:
    return Remark(template, **facts)


def _plain(fact: object) -> object:
    return fact._parts() if isinstance(fact, PolicyfeedError) else str(fact)


MOST_NOTED = 3
"""Remarks on one reading of a source that are stored."""


def noted(odd: Sequence[str]) -> str:
    """What is odd, as it is stored: the first of it, each on a line."""
    more = [Remark("{count} more like that", count=len(odd) - MOST_NOTED)] if len(odd) > MOST_NOTED else []
    return "\n".join(one.dumped() for one in (*map(_as_remark, odd[:MOST_NOTED]), *more))


def _as_remark(text: str) -> Remark:
    """What an adapter from elsewhere may give as plain text."""
    return text if isinstance(text, Remark) else Remark(text.replace("{", "{{").replace("}", "}}"))


def told(stored: str, translate: Callable[[str], str] = str) -> str:
    """A stored message (``PolicyfeedError.dumped``; several stand on a line each) or a remark in the reader's language;
    other text as it stands."""
    if isinstance(stored, Remark):
        return translate(stored.template).format(**stored.facts)
    try:
        return "; ".join(_from_parts(json.loads(line)).text(translate) for line in stored.split("\n") if line)
    except (ValueError, TypeError, KeyError):
        return stored


def fact(stored: str, name: str) -> object:
    """One of the facts of a stored message; None when it holds none of that name."""
    try:
        found: object = json.loads(stored)["facts"].get(name)
    except (ValueError, TypeError, KeyError):
        return None
    return found


def _from_parts(parts: dict[str, Any]) -> PolicyfeedError:
    facts = {name: _from_parts(fact) if isinstance(fact, dict) else fact for name, fact in parts["facts"].items()}
    return PolicyfeedError(parts["template"], remedy=parts["remedy"], **facts)


def _rebuild(
    kind: type[PolicyfeedError], template: str, remedy: str, facts: dict[str, object], state: dict[str, object]
) -> PolicyfeedError:
    error = kind.__new__(kind)
    PolicyfeedError.__init__(error, template, remedy=remedy, **facts)
    error.__dict__.update(state)
    return error


class ConfigError(PolicyfeedError):
    """One mistake in the configuration; facts hold file and key."""


class ConfigErrors(PolicyfeedError):
    """Every mistake of a configuration at once."""

    def __init__(self, mistakes: tuple[ConfigError, ...]) -> None:
        self.mistakes = mistakes
        super().__init__("{count} mistakes in the configuration", count=len(mistakes))


class UsageError(PolicyfeedError):
    """A command was called with something that does not exist or fit."""


class StoreError(PolicyfeedError):
    """The database could not be opened, read or written."""


class NewerDatabase(StoreError):
    """The database was written by a newer policyfeed."""


class AlreadyRunning(StoreError):
    """Another daemon works on the same data folder."""


class OutputError(PolicyfeedError):
    """A file could not be written."""


class AddressError(PolicyfeedError):
    """The address to serve at cannot be listened on."""


class UpstreamError(PolicyfeedError):
    """A source could not be read. ``after``: the server's own wish in seconds (Retry-After), if it gave one."""

    after: float | None = None


class Unreachable(UpstreamError):
    """No answer: name, connection, TLS, or time."""


class Refused(UpstreamError):
    """The server answered with a status that is neither success nor 304. ``status`` holds it."""

    def __init__(
        self, template: str, /, *, status: int, remedy: str = "", after: float | None = None, **facts: object
    ) -> None:
        super().__init__(template, remedy=remedy, status=status, **facts)
        self.status = status
        self.after = after


class Paused(UpstreamError):
    """Not asked: the host said 429, and its pause is not over. ``until`` holds when it is."""

    def __init__(self, host: str, until: datetime) -> None:
        told = f"{until.astimezone(KST):%Y-%m-%d %H:%M} KST"
        super().__init__("{host} asked to be left alone until {until}", host=host, until=told)
        self.until = until


class Forbidden(UpstreamError):
    """We may not ask: an inner address, a scheme other than http(s), robots.txt."""


class Misconfigured(UpstreamError):
    """What a source is to be asked with cannot be used: its certificates, its proxy, its key."""


class TooLarge(UpstreamError):
    """More bytes than the limits allow, on the wire or decoded."""


class Truncated(UpstreamError):
    """The answer ended before its end."""


class Unreadable(UpstreamError):
    """The bytes are not what they should be: no feed, broken beyond repair, unknown encoding."""


class Blocked(UpstreamError):
    """A block page or an error page came with status 200."""


class LayoutChanged(UpstreamError):
    """A page without the parts we read: the site was rebuilt."""


class Emptied(UpstreamError):
    """A source lists nothing at all where it listed entries before."""


class Incomplete(UpstreamError):
    """A list shows fewer entries, or more, than it says that it has."""


class Deleted(UpstreamError):
    """The site says that the release does not exist, or was deleted."""


class HostileDocument(UpstreamError):
    """Reading the document exceeded the time or memory that a document may cost."""


class Busy(UpstreamError):
    """Left for later: what is under way takes the memory or the processes that there are for it."""


class InternalError(UpstreamError):
    """A fault of policyfeed itself, which it met at this source. ``trace`` says where in the program."""

    trace: str = ""
