"""News of a source, told through the same channels as articles: a notice as an article of policyfeed's own."""

from __future__ import annotations

from policyfeed.clock import KST
from policyfeed.errors import told
from policyfeed.i18n import translator
from policyfeed.types import Article, ConditionName, Judged, Kind, MinistryName, Notice, Verdict

NETWORK = "_network"
"""The source of news of all sources together: no configured one may be called so."""


def title(notice: Notice, language: str) -> str:
    """One line: what is with which source, or with all of them."""
    _ = translator(language)
    if notice.source == NETWORK:
        return _("Sources can be reached again") if notice.recovered else _("No source can be reached: the network?")
    if notice.recovered:
        return _("{name} works again").format(name=notice.name)
    said = {
        ConditionName.STALE: _("{name} answers, but has been silent for unusually long"),
        ConditionName.LAYOUT_CHANGED: _("{name} was rebuilt: its page is no longer understood"),
        ConditionName.BLOCKED: _("{name} refuses us"),
        ConditionName.INCOMPLETE: _("{name} does not answer as a whole"),
        ConditionName.UNREACHABLE: _("{name} cannot be reached"),
        ConditionName.GONE: _("{name} is gone and polled no more"),
        ConditionName.MISCONFIGURED: _("{name} cannot be read as it is configured"),
    }
    return said.get(notice.condition, "{name}").format(name=notice.name)


def as_judged(notice: Notice, language: str, base_url: str) -> Judged:
    """What a channel is given: it tells it like any article, linked to the page of sources."""
    _ = translator(language)
    since = _("Since {since} (KST).").format(since=f"{notice.since.astimezone(KST):%Y-%m-%d %H:%M}")
    article = Article(
        id=f"urn:policyfeed:notice:{notice.id}",
        title=title(notice, language),
        ministry=MinistryName(id="policyfeed", name="policyfeed"),
        kind=Kind.NOTICE,
        published=notice.created,
        first_seen=notice.created,
        changed=notice.created,
        summary=f"{since} {told(notice.detail, _)}".strip(),
        url=f"{base_url}/sources",
        language=language,
    )
    return Judged(article=article, verdict=Verdict(kept=True))
