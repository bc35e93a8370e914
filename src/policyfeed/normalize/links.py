"""Links: made absolute, made canonical. A canonical link names one page in one way; it is what identity rests on."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote, unquote, urlencode, urljoin, urlsplit, urlunsplit

from policyfeed.normalize.text import unescape

_SESSION = re.compile(r";jsessionid=[^/?#]*", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x20\x7f]")
_TRACKING = re.compile(
    r"^(utm_\w+|fbclid|gclid|dclid|msclkid|yclid|igshid|mc_[ce]id|_ga|spm|ref_src|call_from|cid_ref|jsessionid)$",
    re.IGNORECASE,
)
# Where in a list the reader was: the same article has other values for them each time
_POSITION = re.compile(
    r"^(page_?(index|no|num)?|pageunit|pagesize|currpage|curpage|cpage|lcmspage|pageroffset|maxpageitems|maxindexpages|rows?"
    r"|(start|end|s|e)_?date|srch\w*|search\w*|sch\w*|keyword|orderby?|sort\w*)$",
    re.IGNORECASE,
)
# Parameters that look like a position but choose the board or the article on some site
_NEEDED = {"searchnttid", "searchbbsid"}
_KOREA_KR = re.compile(r"^(www\.|m\.)?korea\.kr$")
_NEWS_ID = re.compile(r"[?&]newsId=(\d{1,12})")


def absolute(link: str, base: str) -> str:
    """An http(s) link made absolute, session ids dropped, references resolved; empty when it is not one.

    ``&amp;`` left in CDATA is resolved, ``https`` on port 80 or ``http`` on port 443 loses its port and
    the scheme is mended.
    """
    text = _CONTROL.sub("", unescape(link.strip()))
    if not text or text.startswith("#"):
        return ""
    try:
        parts = urlsplit(urljoin(base, text))
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        return ""
    scheme = "https" if port == 443 else parts.scheme
    host = _host(parts.hostname)
    if not host:
        return ""
    netloc = host if port in (None, 80, 443) else f"{host}:{port}"
    path = quote(_SESSION.sub("", parts.path), safe="/%:@!$&'()*+,;=~-._") or "/"
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?[]|")
    return urlunsplit((scheme, netloc, path, query, quote(parts.fragment, safe="/%:@!$&'()*+,;=~-._?")))


def canonical(link: str) -> str:
    """The key of the page behind an absolute link: ``korea.kr/156738805``, or host/path?query without noise.

    The scheme, ``www.``, letter case of the host, fragments, session ids, tracking and list-position parameters do not
    count, nor does the order of parameters.
    """
    parts = urlsplit(link)
    host = (parts.hostname or "").lower()
    if _KOREA_KR.match(host) and (found := _NEWS_ID.search(f"?{parts.query}")):
        return f"korea.kr/{found[1]}"
    pairs = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if _counts(name, value)]
    path = unquote(_SESSION.sub("", parts.path)).rstrip("/")
    query = f"?{urlencode(sorted(pairs))}" if pairs else ""
    return f"{host.removeprefix('www.')}{path}{query}"


def _counts(name: str, value: str) -> bool:
    if name.lower() in _NEEDED:
        return True
    return bool(value) and not _TRACKING.match(name) and not _POSITION.match(name)


def _host(name: str) -> str:
    try:
        return name if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError:
        return ""
