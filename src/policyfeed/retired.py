"""Addresses that are known to be dead, and what to use instead. The table is code: its texts are translated."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from policyfeed.errors import ConfigError

_LIST = "https://www.korea.kr/briefing/pressReleaseList.do"
_MCEE = "https://www.mcee.go.kr/home/web/board/rss.do?menuId=10598&boardMasterId=939"
_MOFE = "https://mofe.go.kr/com/detailRssTagService.do?bbsId=MOSFBBS_000000000028"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Retired:
    """Addresses by host and beginning of the path; ``id`` and ``url`` are of the shipped source to use instead."""

    host: re.Pattern[str]
    path: re.Pattern[str]
    template: str
    remedy: str
    id: str
    url: str


_TABLE = (
    _Retired(
        host=re.compile(r"(www\.|m\.)?korea\.kr"),
        path=re.compile(r"/(rss(/|$)|etc/rss)", re.IGNORECASE),
        template="{url} is dead: korea.kr (대한민국 정책브리핑) switched off all its RSS on 2026-07-01.",
        remedy='Use the source {instead} (kind = "korea_kr", url = "{instead_url}"): it reads the releases of all '
        "ministries; for one ministry use the ministry's own source.",
        id="korea-press",
        url=_LIST,
    ),
    _Retired(
        host=re.compile(r"(www\.)?me\.go\.kr"),
        path=re.compile(r"/"),
        template="{url} still answers, but nothing new has come there since 2026-03: 환경부 is 기후에너지환경부 now.",
        remedy='Use the source {instead} (kind = "feed", url = "{instead_url}").',
        id="mcee-press",
        url=_MCEE,
    ),
    _Retired(
        host=re.compile(r"(www\.)?moef\.go\.kr"),
        path=re.compile(r"/"),
        template="{url} has moved: 기획재정부 has been 재정경제부 (mofe.go.kr) since 2026-01-02.",
        remedy='Use the source {instead} (kind = "feed", url = "{instead_url}").',
        id="mofe-press",
        url=_MOFE,
    ),
    _Retired(
        host=re.compile(r"apis\.data\.go\.kr"),
        path=re.compile(r"/1371000/pressReleaseService"),
        template="{url} is dead: data.go.kr retired the press release service of korea.kr in 2026.",
        remedy='Use the source {instead} (kind = "korea_kr", url = "{instead_url}").',
        id="korea-press",
        url=_LIST,
    ),
)


def retired(url: str) -> ConfigError | None:
    """What to tell someone who configures a dead address; None for one that may live.

    Facts: ``url``, ``instead`` (id of a shipped source) and ``instead_url``.
    """
    try:
        parts = urlsplit(url.strip() if "://" in url else f"https://{url.strip()}")
        host, path = (parts.hostname or "").rstrip("."), re.sub("/+", "/", parts.path) or "/"
    except ValueError:
        return None
    for row in _TABLE:
        if row.host.fullmatch(host) and row.path.match(path):
            return ConfigError(row.template, remedy=row.remedy, url=url, instead=row.id, instead_url=row.url)
    return None
