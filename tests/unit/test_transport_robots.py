"""robots.txt as RFC 9309 wants it read."""

from __future__ import annotations

import asyncio
import zlib
from datetime import datetime, timedelta
from itertools import chain, repeat

import pytest

from policyfeed.errors import Forbidden, Refused, UpstreamError
from policyfeed.transport.http import Limits, Manner
from policyfeed.transport.robots import Robots
from tests.loopback import NOW, Asked, Reply, Server, client, redirect, reply, serving, streams

RULES = b"""\xef\xbb\xbfUser-agent: *
Disallow: /view
Allow: /view/open
Crawl-delay: 5

User-agent: greedy
Disallow: /
"""


class Hours:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, hours: float) -> None:
        self.now += timedelta(hours=hours)


async def allows(robots: Robots, url: str) -> bool:
    try:
        await robots.check(url, Manner())
    except UpstreamError:
        return False
    return True


async def allowed(answer: Reply, path: str = "/view/1", product: str = "policyfeed") -> bool:
    def answers(asked: Asked) -> Reply:
        return answer if asked.target == "/robots.txt" else reply(404)

    async with serving(answers) as server, client() as http:
        return await allows(Robots(http, product=product, clock=Hours()), server.url(path))


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/", True), ("/view/1", False), ("/view/open/1", True), ("/list?x=/view", True), ("/view%2F1", False)],
)
async def test_rules_are_kept(path: str, expected: bool) -> None:
    assert await allowed(reply(200, RULES), path) == expected


async def test_a_group_of_our_own_name_goes_first() -> None:
    rules = b"User-agent: *\nDisallow:\n\nUser-agent: PolicyFeed\nDisallow: /view\n"
    assert not await allowed(reply(200, rules))
    assert await allowed(reply(200, rules), product="other")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
async def test_client_errors_mean_no_rules(status: int) -> None:
    assert await allowed(reply(status, b"User-agent: *\nDisallow: /"))


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 304])
async def test_server_errors_close_the_site(status: int) -> None:
    assert not await allowed(reply(status, b"", length=status != 304))


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\nConnection: close\r\n\r\n",
        redirect("/robots.txt"),
        redirect("http://10.0.0.1/robots.txt"),
        b"nonsense\r\n\r\n",
    ],
)
async def test_no_readable_answer_closes_the_site(answer: bytes) -> None:
    assert not await allowed(answer)


@pytest.mark.parametrize("body", [b"", b"<html><body>\xec\x95\x88\xeb\x85\x95</body></html>", b"\xff\xfe\x00\x01" * 50])
async def test_a_page_without_rules_allows_all(body: bytes) -> None:
    assert await allowed(reply(200, body))


async def test_rules_behind_a_redirect_are_kept() -> None:
    routes = {"/robots.txt": redirect("/r.txt"), "/r.txt": reply(200, RULES)}
    async with serving(routes) as server, client() as http:
        assert not await allows(Robots(http, product="policyfeed", clock=Hours()), server.url("/view/1"))


@pytest.mark.parametrize("packed", [False, True])
async def test_of_endless_rules_the_beginning_counts_but_no_half_line(packed: bool) -> None:
    """RFC 9309 §2.5. More than the limits of any answer, which comes to no end."""
    size, line = 500 * 1024, b"Disallow: /shut/%06d\n"
    rules = b"User-agent: *\nDisallow: /view\nAllow: /\n"
    rules += b"".join(line % n for n in range(size // 20))[: size - len(rules) - 10] + b"\nDisallow: /open"

    async def endless(writer: asyncio.StreamWriter) -> None:
        pack = zlib.compressobj(wbits=31)
        packing = b"Content-Encoding: gzip\r\n" if packed else b""
        writer.write(b"HTTP/1.1 200 OK\r\n" + packing + b"Connection: close\r\n\r\n")
        for part in chain([rules], repeat(b"# more of it\n" * 5_000)):
            writer.write(pack.compress(part) + pack.flush(zlib.Z_SYNC_FLUSH) if packed else part)
            await writer.drain()
            await asyncio.sleep(0)  # packed it is so little that nothing waits

    async with serving(streams(endless)) as server, client(limits=Limits()) as http:
        robots = Robots(http, product="policyfeed", clock=Hours())
        seen = [await allows(robots, server.url(path)) for path in ("/view", "/shut/000001", "/opener", "/other")]
        assert (seen, len(server.asked)) == ([False, False, True, True], 1)


async def test_many_groups_of_one_agent_are_read() -> None:
    """Sites that list every robot they ever saw."""
    rules = b"".join(b"User-agent: bot%d\nDisallow: /\n\n" % n for n in range(5_000)) + RULES[3:]
    assert await allowed(reply(200, rules), "/view/open/1")
    assert not await allowed(reply(200, rules))


async def test_rules_that_would_cost_too_much_close_the_site() -> None:
    """protego copies each rule of a group for each of its agents: 5,000 × 5,000 would take gigabytes."""
    agents = b"".join(b"User-agent: a%d\n" % n for n in range(5_000))
    assert not await allowed(reply(200, agents + b"Disallow: /x\n" * 5_000), "/")
    assert not await allowed(reply(200, agents.replace(b"\n", b"\nSitemap: /s\n") + b"Disallow: /x\n" * 5_000), "/")


async def test_rules_are_asked_once_a_day_and_hourly_while_there_is_no_answer() -> None:
    answers = [reply(503), reply(200, RULES), reply(404)]
    clock = Hours()
    async with serving(lambda _: answers[len(server.asked) - 1]) as server, client() as http:
        robots = Robots(http, product="policyfeed", clock=clock)
        seen = list[tuple[bool, int]]()
        for hours in (0, 0.5, 0.6, 23, 1.1):
            clock.pass_by(hours)
            seen.append((await _open(robots, server), len(server.asked)))
    assert seen == [(False, 1), (False, 1), (False, 2), (False, 2), (True, 3)]


@pytest.mark.parametrize("status", [429, 503])
async def test_a_site_that_names_when_to_come_again_is_left_alone_until_then(status: int) -> None:
    answers = [reply(status, b"", ("Retry-After", "7200")), reply(404)]
    clock = Hours()
    async with serving(lambda _: answers[len(server.asked) - 1]) as server, client() as http:
        robots = Robots(http, product="policyfeed", clock=clock)
        for hours, after in ((0, 7200), (1.5, 1800)):
            clock.pass_by(hours)
            with pytest.raises(Refused) as refused:
                await robots.check(server.url("/view/1"), Manner())
            assert (refused.value.status, refused.value.after) == (status, after)
        assert len(server.asked) == 1
        clock.pass_by(0.6)
        assert await _open(robots, server)


async def test_a_429_closes_a_site_whose_rules_are_known_until_it_answers_again() -> None:
    answers = [reply(200, RULES), reply(429), reply(503)]
    clock = Hours()
    async with serving(lambda _: answers[len(server.asked) - 1]) as server, client() as http:
        robots = Robots(http, product="policyfeed", clock=clock)
        seen = list[tuple[bool, bool]]()
        for hours in (0, 25, 1.1):
            clock.pass_by(hours)
            seen.append((await allows(robots, server.url("/")), await _open(robots, server)))
    assert seen == [(True, False), (False, False), (True, False)]


async def test_known_rules_stay_while_the_site_gives_none() -> None:
    async def hang_up(writer: asyncio.StreamWriter) -> None:
        """No answer."""

    closed = reply(503, b"", ("Connection", "close"))  # one that was used before would be asked again
    answers: list[Reply] = [reply(200, RULES), closed, hang_up, reply(404)]
    clock = Hours()
    async with serving(lambda _: answers[len(server.asked) - 1]) as server, client() as http:
        robots = Robots(http, product="policyfeed", clock=clock)
        seen = list[tuple[bool, bool, int]]()
        for hours in (0, 25, 0.5, 0.6, 1.1):
            clock.pass_by(hours)
            seen.append((await allows(robots, server.url("/")), await _open(robots, server), len(server.asked)))
    assert seen == [(True, False, 1), (True, False, 2), (True, False, 2), (True, False, 3), (True, True, 4)]


async def _open(robots: Robots, server: Server) -> bool:
    return await allows(robots, server.url("/view/1"))


async def test_the_crawl_delay_is_known_once_the_site_was_asked() -> None:
    async with serving(reply(200, RULES)) as server, client() as http:
        robots = Robots(http, product="policyfeed", clock=Hours())
        assert robots.delay(server.url("/a")) is None
        await allows(robots, server.url("/a"))
        assert robots.delay(server.url("/b?c")) == 5.0


@pytest.mark.parametrize("value", [b"nan", b"inf", b"-1", b"1e9", b"soon", b""])
async def test_a_delay_that_is_none_is_none(value: bytes) -> None:
    async with serving(reply(200, b"User-agent: *\nCrawl-delay: " + value)) as server, client() as http:
        robots = Robots(http, product="policyfeed", clock=Hours())
        await allows(robots, server.url("/a"))
        assert robots.delay(server.url("/a")) is None


async def test_check_names_what_forbids() -> None:
    async with serving(reply(200, RULES)) as server, client() as http:
        robots = Robots(http, product="policyfeed", clock=Hours())
        await robots.check(server.url("/a"), Manner())
        with pytest.raises(Forbidden, match=r"robots\.txt"):
            await robots.check(server.url("/view/1"), Manner())
