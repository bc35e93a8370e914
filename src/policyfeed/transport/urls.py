"""Web addresses: taken apart once, sent exactly as they were given, shown without their secrets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, urljoin

from policyfeed.errors import Forbidden

PORTS = {"http": 80, "https": 443}

_URL = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/?#]*)(?P<target>[^#]*)(?:#.*)?", re.IGNORECASE)
_AUTHORITY = re.compile(r"(?P<host>\[[0-9a-f:.%]+\]|[^:@\[\]\\%]+)(?::(?P<port>[0-9]{0,5}))?", re.IGNORECASE)
_LOGIN = re.compile(r"[^:\[]*:(?![0-9]*\Z).*")
"""A name and what is no port."""
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True)
class Address:
    """A web address in parts: ``host`` is lower-case ASCII without brackets or final dot, ``target`` path and query."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """What stands in the Host header (RFC 9110 §7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port_given}" if self.port_given else host

    @property
    def port_given(self) -> int | None:
        """The port where it is not the scheme's own."""
        return None if self.port == PORTS[self.scheme] else self.port

    @property
    def site(self) -> str:
        return f"{self.scheme}://{self.authority}"


@lru_cache(4096)
def take_apart(url: str) -> Address:
    """The parts of an http or https address.

    Path and query stay byte for byte what they were; only spaces and characters beyond ASCII are percent-encoded.
    Raises Forbidden for every other scheme, for user names, and for what is no address at all.
    """
    found = _URL.fullmatch(_sendable(url))
    if not found:
        raise Forbidden("{url} is not a web address (http or https).", url=redacted(url))
    authority = _AUTHORITY.fullmatch(found["authority"])
    scheme = found["scheme"].lower()
    port = int((authority and authority["port"]) or PORTS[scheme])
    if not authority or not 0 < port < 65536:
        raise Forbidden(
            "{url} has no usable host and port.", remedy="Credentials belong into headers.", url=redacted(url)
        )
    target = found["target"]
    return Address(scheme, _host(authority["host"], url), port, target if target.startswith("/") else f"/{target}")


def join(base: str, location: str) -> str:
    """The address that a Location header (each character a byte) names, seen from ``base`` (RFC 3986 §5)."""
    try:
        return urljoin(base, _named(location))
    except ValueError:
        raise Forbidden("{url} redirects to something that is no address.", url=redacted(base)) from None


def _named(location: str) -> str:
    """Text where it is UTF-8; what is in another encoding (cp949) is asked for by the same bytes."""
    try:
        return location.encode("latin-1").decode()
    except UnicodeDecodeError:
        return quote(location, safe=_PRINTABLE, encoding="latin-1")


def shown(url: str) -> str:
    """A URL as messages and logs may show it: without user name, query (it may hold a key) and fragment."""
    found = _URL.match(_CONTROL.sub("", url))
    if not found:
        return redacted(url)
    authority = found["authority"].rpartition("@")[2]
    return f"{found['scheme']}://{authority}{found['target'].partition('?')[0]}"


def redacted(url: str) -> str:
    """Only scheme and host of a URL: all that may be shown of a webhook, whose path is its password.

    Half of a password is no host: of ``http://user:pass/word@host`` nothing is shown but the scheme.
    """
    found = _URL.match(_CONTROL.sub("", url))
    host = found["authority"].rpartition("@")[2] if found else ""
    if not found or _LOGIN.fullmatch(host):
        return f"{url.partition(':')[0][:10]}:…" if ":" in url else "…"
    return f"{found['scheme']}://{host}"


def _sendable(url: str) -> str:
    text = url.strip(" ")
    if _CONTROL.search(text):
        raise Forbidden("{url} holds control characters.", url=redacted(url))
    scheme, separator, rest = text.partition("://")
    authority = re.match(r"[^/?#]*", rest)
    length = authority.end() if authority else 0
    try:
        return f"{scheme}{separator}{rest[:length]}{quote(rest[length:], safe=_PRINTABLE)}"
    except UnicodeEncodeError:
        raise Forbidden("{url} holds broken characters.", url=redacted(url)) from None


def _host(host: str, url: str) -> str:
    if host.startswith("["):
        return host[1:-1].lower()
    try:
        name = host.lower() if host.isascii() else host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        name = ""
    if len(name) > 253 or not _HOST.fullmatch(name) or any(len(label) > 63 for label in name.split(".")):
        raise Forbidden("{url} has no valid host name.", url=redacted(url))
    return name.removesuffix(".")
