"""Which machines may be asked: public ones, and those that the operator allowed.

Names are resolved here, every address is checked, and the connection goes to a checked address, so that a name
server cannot answer twice differently (DNS rebinding). Behind a forward proxy the proxy resolves names; then literal
addresses and inner names are what can be checked.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from policyfeed.errors import ConfigError, Forbidden, Unreachable

Ip = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""Gives the addresses of a host name, as text. Raises OSError when there are none."""

# Beyond what ``ipaddress`` calls not global: tunnels that carry IPv4 inside, and services reached by public numbers.
_REFUSED = tuple(
    map(
        ip_network,
        (
            "192.0.0.0/24",  # protocol assignments (RFC 6890)
            "168.63.129.16/32",  # Azure's platform service
            "192.88.99.0/24",  # 6to4 relays (RFC 7526)
            "::/96",  # IPv4-compatible (RFC 4291 §2.5.5.1)
            "64:ff9b:1::/48",  # local-use NAT64 (RFC 8215)
            "100::/64",  # discard-only (RFC 6666)
            "2001::/23",  # protocol assignments, Teredo among them (RFC 2928, 4380)
            "2002::/16",  # 6to4 (RFC 3056)
            "3fff::/20",  # documentation (RFC 9637)
            "5f00::/16",  # segment routing (RFC 9602)
            "fec0::/10",  # site-local (RFC 3879)
        ),
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
_ISATAP = re.compile(rb"[\x00\x02]\x00\x5e\xfe")
_INNER_NAME = re.compile(r"(.*\.)?(localhost|localdomain|local|internal|intranet|lan|home|corp|home\.arpa)|[^.]+")
_NUMERIC = re.compile(r"(.*\.)?(\d+|0x[0-9a-f]*)")


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the operator allows besides public machines: names (``.name`` = all below it) and networks."""

    names: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    def name(self, host: str) -> bool:
        parts = host.split(".")
        return host in self.names or any("." + ".".join(parts[n:]) in self.names for n in range(1, len(parts)))

    def address(self, address: Ip) -> bool:
        return any(address in network for network in self.networks if network.version == address.version)


def allowed(entries: Iterable[str]) -> Allowed:
    """Reads an allow-list: host names, ``*.name``, addresses, networks (``10.0.0.0/8``). Raises ConfigError."""
    names, networks = set[str](), list[Network]()
    for entry in entries:
        text = entry.strip().lower().strip("[]")
        try:
            networks.append(ip_network(text))
        except ValueError:
            if not text or "/" in text:
                raise ConfigError(
                    "{entry} is neither a host name nor an address nor a network.",
                    remedy="Write it like intranet.example.kr or 10.0.0.0/8.",
                    entry=entry,
                ) from None
            names.add(text.removeprefix("*").removesuffix("."))
    return Allowed(frozenset(names), tuple(networks))


@lru_cache(4096)
def inner(address: Ip) -> bool:
    """Whether an address is anything but a public machine's: IPv4 inside IPv6 is judged by the IPv4."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return inner(address.ipv4_mapped)
        if address in _NAT64 or _ISATAP.fullmatch(address.packed[8:12]):
            return inner(IPv4Address(address.packed[-4:]))
    unusual = address.is_multicast or address.is_reserved or address.is_unspecified or not address.is_global
    return unusual or any(address in network for network in _REFUSED if network.version == address.version)


@lru_cache(4096)
def literal(host: str) -> Ip | None:
    """The address that a host is, None for a name.

    Raises Forbidden for numbers in any but the plain form (``127.1``, ``0x7f.0.0.1``, ``2130706433``): resolvers and
    proxies disagree about what they mean.
    """
    try:
        return ip_address(host)
    except ValueError:
        if ":" in host or _NUMERIC.fullmatch(host):
            raise Forbidden("{host} is an address in a form that is not used honestly.", host=host) from None
        return None


def check_host(host: str, allow: Allowed) -> None:
    """What can be said before any name is resolved. Raises Forbidden for inner addresses and inner names."""
    if allow.name(host):
        return
    address = literal(host)
    refused = bool(_INNER_NAME.fullmatch(host)) if address is None else inner(address) and not allow.address(address)
    if refused:
        raise _forbidden(host)


async def addresses(host: str, port: int, allow: Allowed, resolve: Resolver) -> Sequence[str]:
    """The checked addresses of a host, to be connected to as they are.

    One inner address among several refuses the name: an honest public server has none. Raises Forbidden, and
    Unreachable when the name has no address.
    """
    known = literal(host)
    found = [str(known)] if known else await _resolved(host, port, resolve)
    if not allow.name(host) and any(inner(ip) and not allow.address(ip) for ip in map(ip_address, found)):
        raise _forbidden(host)
    return found


class SystemResolver:
    """The system's resolver in threads of its own, so that dead name servers hold up nothing else.

    A thread waits some ten seconds for a name server that is dead, our deadline or not: many hosts may have one. There
    are as many threads as names are waited for at once.
    """

    def __init__(self, threads: int = 256) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="resolve")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _getaddrinfo, host, port)
        return list(dict.fromkeys(found))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _getaddrinfo(host: str, port: int) -> list[str]:
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


async def _resolved(host: str, port: int, resolve: Resolver) -> Sequence[str]:
    try:
        found = await resolve(host, port)
    except (OSError, UnicodeError):
        found = ()
    if not found:
        raise Unreachable("The name {host} has no address.", host=host)
    return found


def _forbidden(host: str) -> Forbidden:
    return Forbidden(
        "{host} is an inner address, which no source or channel may ask.",
        remedy="If it is meant, add it to the allowed hosts.",
        host=host,
    )
