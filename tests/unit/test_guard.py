"""The judgement of addresses and names, and the allow-list."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyfeed.errors import ConfigError, Forbidden, Unreachable
from policyfeed.transport.guard import SystemResolver, addresses, allowed, check_host, inner, literal

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "27.101.101.10",
    "93.184.215.14",
    "210.95.0.1",
    "2001:4860:4860::8888",
    "2606:4700::6810:84e5",
    "2a00:1450:4001:80b::200e",
    "64:ff9b::808:808",
    "::ffff:8.8.8.8",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_asked(address: str) -> None:
    assert not inner(ip_address(address))
    check_host(address, allowed([]))


@given(st.ip_addresses(v=4))
def test_ipv4_is_judged_the_same_inside_ipv6(address: object) -> None:
    v4 = ip_address(str(address))
    assert inner(ip_address(f"::ffff:{v4}")) == inner(ip_address(f"64:ff9b::{v4}")) == inner(v4)


@given(st.integers(0, 2**32 - 1))
def test_numbers_are_addresses_only_in_the_plain_form(number: int) -> None:
    plain = ip_address(number)
    assert literal(str(plain)) == plain
    for form in (str(number), hex(number), f"0{number:o}", f"{number >> 24}.{number & 0xFFFFFF}"):
        with pytest.raises(Forbidden):
            literal(form)


@pytest.mark.parametrize("name", ["www.korea.kr", "3.example.kr", "a-b.go.kr", "xn--3e0b707e.kr", "1e100.net", "0x.kr"])
def test_names_are_no_addresses(name: str) -> None:
    assert literal(name) is None
    check_host(name, allowed([]))


@pytest.mark.parametrize(
    ("entries", "host"),
    [
        (["127.0.0.1"], "127.0.0.1"),
        (["10.0.0.0/8"], "10.1.2.3"),
        (["fd00::/8"], "fd00::1"),
        (["[::1]"], "::1"),
        (["localhost"], "localhost"),
        (["Intranet.Example.KR"], "intranet.example.kr"),
        (["*.corp"], "feeds.corp"),
        ([".corp"], "a.b.corp"),
        (["jenkins", "wiki"], "wiki"),
    ],
)
def test_the_allow_list_opens_what_it_names(entries: Sequence[str], host: str) -> None:
    check_host(host, allowed(entries))


@pytest.mark.parametrize(
    ("entries", "host"),
    [
        (["127.0.0.1"], "127.0.0.2"),
        (["10.0.0.0/8"], "11.0.0.1.internal"),
        (["*.corp"], "corp"),
        (["*.corp"], "acorp"),
        (["localhost"], "a.localhost"),
        (["127.0.0.1"], "localhost"),
        (["127.0.0.1"], "127.1"),
    ],
)
def test_the_allow_list_opens_nothing_else(entries: Sequence[str], host: str) -> None:
    with pytest.raises(Forbidden):
        check_host(host, allowed(entries))


@pytest.mark.parametrize("entry", ["", "10.0.0.1/8", "10.0.0.0/33", "a/b", "http://intranet"])
def test_a_wrong_entry_is_a_configuration_error(entry: str) -> None:
    with pytest.raises(ConfigError, match="neither"):
        allowed([entry])


async def test_a_name_is_resolved_once_and_all_its_addresses_are_given() -> None:
    asked = list[tuple[str, int]]()

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append((host, port))
        return ["8.8.8.8", "2001:4860:4860::8888"]

    assert await addresses("www.example.kr", 443, allowed([]), resolve) == ["8.8.8.8", "2001:4860:4860::8888"]
    assert asked == [("www.example.kr", 443)]


async def test_an_allowed_network_opens_names_within_it() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["10.0.0.7"]

    assert await addresses("feeds.example.kr", 80, allowed(["10.0.0.0/8"]), resolve) == ["10.0.0.7"]
    assert await addresses("feeds.example.kr", 80, allowed(["feeds.example.kr"]), resolve) == ["10.0.0.7"]
    with pytest.raises(Forbidden):
        await addresses("feeds.example.kr", 80, allowed(["other.example.kr"]), resolve)


async def test_a_name_without_an_address_is_unreachable() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return []

    with pytest.raises(Unreachable, match="has no address"):
        await addresses("www.example.kr", 80, allowed([]), resolve)


async def test_the_systems_resolver_knows_this_machine() -> None:
    resolver = SystemResolver()
    assert "127.0.0.1" in await resolver("localhost", 80)
    resolver.close()
