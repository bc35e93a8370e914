"""The operator's proxies: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, in either case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from urllib.parse import unquote, urlsplit

from policyfeed.errors import ConfigError
from policyfeed.transport.urls import PORTS, Address, redacted


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A forward proxy. ``login`` (user name and password) is not shown."""

    scheme: str
    host: str
    port: int
    login: tuple[str, str] | None = None

    def __repr__(self) -> str:
        return f"<proxy {self.scheme}://{self.host}:{self.port}>"


def proxy(url: str) -> Proxy:
    """Reads a proxy's URL; without a scheme it is http. Raises ConfigError."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or parts.scheme not in PORTS:
        raise ConfigError(
            "{url} is not the address of an HTTP proxy.", remedy="Write it like http://host:3128.", url=redacted(url)
        )
    login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    return Proxy(scheme=parts.scheme, host=host, port=port or PORTS[parts.scheme], login=login)


@dataclass(frozen=True, slots=True)
class Proxies:
    """Which proxy a request takes; ``exempt`` is NO_PROXY: names (and all below), addresses, networks, or ``*``."""

    http: Proxy | None = None
    https: Proxy | None = None
    exempt: str = ""

    def choose(self, address: Address) -> Proxy | None:
        chosen = self.https if address.scheme == "https" else self.http
        return None if chosen is None or self._exempts(address) else chosen

    def _exempts(self, address: Address) -> bool:
        return any(_covers(entry.strip().lower(), address) for entry in self.exempt.split(",") if entry.strip())


def from_environment(environ: Mapping[str, str]) -> Proxies:
    """Raises ConfigError."""

    def value(name: str) -> str:
        return (environ.get(name.lower()) or environ.get(name.upper()) or "").strip()

    def chosen(name: str) -> Proxy | None:
        url = value(f"{name}_proxy") or value("all_proxy")
        return proxy(url) if url else None

    return Proxies(chosen("http"), chosen("https"), value("no_proxy"))


def _covers(entry: str, address: Address) -> bool:
    name, colon, port = entry.rpartition(":")
    if colon and port.isdigit() and not name.endswith(":"):
        return port == str(address.port) and _covers(name, address)
    name = entry.strip("[]").removeprefix("*").removeprefix(".")
    return entry == "*" or address.host == name or address.host.endswith(f".{name}") or _holds(name, address.host)


def _holds(network: str, host: str) -> bool:
    try:
        return ip_address(host) in ip_network(network)
    except ValueError:
        return False
