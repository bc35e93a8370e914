"""Links: made absolute, made canonical. A canonical link names one page in one way; it is what identity rests on."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import parse_qsl, quote, unquote, urlencode, urljoin, urlsplit, urlunsplit

from policyfeed.normalize.text import clean

MOST = 4_000
"""Characters of a link; longer ones are no addresses of pages."""
_SESSION = re.compile(r"(?:;|%3b)jsessionid(?:=|%3d)[^/?#]*", re.IGNORECASE)
_SESSIONS = re.compile(r";jsessionid=[\w.!-]*", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_AMPERSAND = re.compile(r"&(?:(?:amp|#38|#[xX]26);)+")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}")
_TRACKING = re.compile(
    r"^(utm_\w+|fbclid|gclid|dclid|msclkid|yclid|igshid|mc_[ce]id|_ga|spm|ref_src|call_from|cid_ref"
    r"|jsessionid|phpsessid|aspsessionid\w*)$",
    re.IGNORECASE,
)
# Where in a list the reader was: the same article has other values for them each time
_POSITION = re.compile(
    r"^(page_?(index|no|num)?|pageunit|pagesize|curr?(ent)?_?page(no)?|cpage|lcmspage|pageroffset|maxpageitems|maxindexpages|rows?"
    r"|(start|end|s|e)_?date|srch\w*|search\w*|sch(?!edule|ool)\w*|keyword|orderby?|sort\w*)$",
    re.IGNORECASE,
)
# Parameters that look like a position but choose the board or the article on some site
_NEEDED = {"searchnttid", "searchbbsid"}
# Most addresses: nothing in them wants mending, and the host is no longer than names may be
_SOUND = re.compile(
    r"https?://[a-z0-9-]{1,41}(?:\.[a-z0-9-]{1,41}){0,5}(?::(?:[1-9]\d{3}|[1-5]\d{4}))?"
    r"/(?:[\w~-][\w.~-]*(?:/[\w~-][\w.~-]*)*/?)?(?:\?[\w.=&~-]+)?",
    re.ASCII,
)
# Most canonical keys can be read off the address: no port, no fragment, nothing escaped
_PLAIN = re.compile(
    r"https?://(?:www\.)?([a-z0-9-]+(?:\.[a-z0-9-]+)*)(/[\w.~/-]*)"
    r"(?:\?([\w.~-]*(?:=[\w.~-]*)?(?:&[\w.~-]*(?:=[\w.~-]*)?)*))?",
    re.ASCII,
)
_KOREA_KR = re.compile(r"^(www\.|m\.)?korea\.kr$")
_NEWS_ID = re.compile(r"[?&]newsId=(\d{1,12})")


@lru_cache(maxsize=512)  # of a document's links each is asked for several times
def absolute(link: str, base: str) -> str:
    """An http(s) link made absolute, session ids dropped, references resolved; empty when it is not one.

    ``&amp;`` left in CDATA is resolved (no other reference: ``&section=`` is a parameter), ``https`` on port 80 or
    ``http`` on port 443 loses its port and the scheme is mended.
    """
    site = base.find("/", 8)  # -1 where the base is a bare host
    sought = base[:site] + link if site > 0 and link[:1] == "/" != link[1:2] else link
    if len(sought) <= MOST and _SOUND.fullmatch(sought):
        return sought
    text = _CONTROL.sub("", _AMPERSAND.sub("&", link)).strip()
    if not text or text.startswith("#") or len(text) > MOST:
        return ""
    try:
        parts = urlsplit(urljoin(base, text))
        port = parts.port
        host = _host(parts.hostname or "")
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
        return ""
    scheme = "https" if port == 443 else parts.scheme
    netloc = host if port in (None, 80, 443) else f"{host}:{port}"
    path = _quoted(_SESSION.sub("", parts.path), "") or "/"
    return urlunsplit((scheme, netloc, path, _quoted(parts.query, "?[]|"), _quoted(parts.fragment, "?")))


@lru_cache(maxsize=512)
def canonical(link: str) -> str:
    """The key of the page behind an absolute link: ``korea.kr/156738805``, or host/path?query without noise.

    The scheme, ``www.``, letter case of the host, session ids, tracking and list-position parameters do not count, nor
    does the order of parameters, nor a fragment, unless it is a page of its own (``#/view/7``).
    """
    plain = _PLAIN.fullmatch(link)
    return _read_off(*plain.groups("")) if plain and not plain[1].endswith("korea.kr") else _key(link)


def _read_off(host: str, path: str, query: str) -> str:
    pairs = sorted(one.partition("=")[::2] for one in query.split("&") if one)
    kept = "&".join(f"{name}={value}" for name, value in pairs if _counts(name, value))
    return f"{host}{path.rstrip('/')}{'?' if kept else ''}{kept}"


def _key(link: str) -> str:
    parts = urlsplit(link)
    host = (parts.hostname or "").lower()
    if _KOREA_KR.match(host) and (found := _NEWS_ID.search(f"?{parts.query}")):
        return f"korea.kr/{found[1]}"
    port = "" if parts.port in (None, 80, 443) else f":{parts.port}"
    path = _unquoted(_SESSION.sub("", parts.path)).rstrip("/")
    pairs = sorted((name, value) for name, value in _pairs(parts.query) if _counts(name, value))
    query = f"?{urlencode(pairs)}" if pairs else ""
    route = f"#{_unquoted(parts.fragment)}" if parts.fragment.startswith(("/", "!/")) else ""
    return clean(f"{host.removeprefix('www.')}{port}{path}{query}{route}")


def without_sessions(text: str) -> str:
    """A text without the session ids of the addresses in it: servers make up others for each request."""
    return _SESSIONS.sub("", text) if ";jsessionid=" in text else text


def is_site(link: str) -> bool:
    """Whether the absolute link names only a site, its home page: no article lives there."""
    key = canonical(link)
    return not any(sign in key for sign in "/?#")


def _counts(name: str, value: str) -> bool:
    if name.lower() in _NEEDED:
        return True
    return bool(value) and not _TRACKING.match(name) and not _POSITION.match(name)


def _pairs(query: str) -> list[tuple[str, str]]:
    """The query's parameters. What is no UTF-8 (percent-encoded cp949) is told apart byte by byte."""
    try:
        return parse_qsl(query, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        return parse_qsl(query, keep_blank_values=True, encoding="latin-1")


def _unquoted(path: str) -> str:
    try:
        return unquote(path, errors="strict")
    except UnicodeDecodeError:
        return unquote(path, encoding="latin-1")


def _quoted(text: str, also: str) -> str:
    return quote(_STRAY_PERCENT.sub("%25", text), safe=f"/%:@!$&'()*+,;=~-._{also}")


def _host(name: str) -> str:
    """The host as it stands in a URL; empty when it cannot be one. Raises ValueError."""
    if ":" in name:
        return f"[{ip_address(name)}]"
    host = name if name.isascii() else name.encode("idna").decode("ascii")
    return host if _HOST.fullmatch(host) else ""
