"""The client's manners, read from the log of a real server (docs/fetching.md names the test of each)."""

from __future__ import annotations

import asyncio
import gc
import gzip
import logging
import re
import ssl
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from policyfeed.errors import ConfigError, Forbidden, Misconfigured, PolicyfeedError, TooLarge, Truncated, Unreachable
from policyfeed.transport.http import Manner
from policyfeed.transport.wire import PlainBackend
from policyfeed.types import Request
from tests.loopback import (
    NOW,
    SMALL,
    USER_AGENT,
    Asked,
    Reply,
    Writer,
    client,
    names,
    redirect,
    reply,
    serving,
    streams,
)

NEWS = "<rss><channel><title>국토교통부 보도자료</title></channel></rss>".encode()
SESSION = ("Set-Cookie", "JSESSIONID=a1; Path=/; HttpOnly")


@pytest.fixture(scope="session")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(ca: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture(scope="session")
def tls(ca: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1", "www.example.kr", "*.go.example.kr").configure_cert(context)
    return context


# What is sent


async def test_requests_say_who_asks_and_what_is_understood() -> None:
    async with serving(reply(200, NEWS)) as server, client() as http:
        await http.fetch(Request(url=server.url("/rss.xml")))
    asked = server.asked[0]
    assert asked.all("User-Agent") == [USER_AGENT]
    assert re.fullmatch(r"policyfeed/[\w.]+ \(\+https://\S+\)", USER_AGENT)
    assert asked.all("Accept-Encoding") == ["gzip"]
    assert "application/atom+xml" in (asked.header("Accept") or "")
    assert asked.all("Host") == [f"127.0.0.1:{server.port}"]
    unasked = {"referer", "cookie", "authorization", "cache-control", "pragma", "content-length", "te", "upgrade"}
    assert not unasked & {name.lower() for name, _ in asked.headers}


async def test_the_callers_headers_win_but_not_over_what_keeps_us_safe() -> None:
    given = (("Accept", "application/json"), ("accept-encoding", "br, zstd"), ("X-Api-Key", "열쇠"), ("Host", "x.kr"))
    async with serving(reply()) as server, client() as http:
        await http.fetch(Request(url=server.url("/"), headers=given))
    asked = server.asked[0]
    assert asked.all("Accept") == ["application/json"]
    assert asked.all("Accept-Encoding") == ["gzip"]
    assert asked.all("Host") == [f"127.0.0.1:{server.port}"]
    assert asked.all("X-Api-Key") == ["열쇠".encode().decode("latin-1")]


EXACT = [
    "/briefing/pressReleaseList.do?pageIndex=1&srchWord=",
    "/rss.do?a=%ED%83%84%EC%86%8C%20중립".replace("중립", "%EC%A4%91%EB%A6%BD"),
    "/api?serviceKey=abc%2Bdef%3D%3D&x=%5B1%5D",
    "/a%2fb/%7Euser/~user/%2e%2e/..;/./c//d",
    "/q?a[]=1&b={2}|3^4`5\"<6>'7\\8",
    "/trailing?",
    "/?",
    "/a;jsessionid=1?b#".removesuffix("#"),
    "/%",
    "/%zz?%",
    "/a+b?c+d=e+f",
    "/a:b@c,d;e=f!$&'()*",
]


@pytest.mark.parametrize("target", EXACT)
async def test_addresses_are_sent_byte_for_byte(target: str) -> None:
    async with serving(reply()) as server, client() as http:
        document = await http.fetch(Request(url=server.url(target)))
        assert server.asked[0].target == target
        assert document.url == server.url(target)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (
            "/탄소 중립?검색=수소&x=a b",
            "/%ED%83%84%EC%86%8C%20%EC%A4%91%EB%A6%BD?%EA%B2%80%EC%83%89=%EC%88%98%EC%86%8C&x=a%20b",
        ),
        ("/a#본문", "/a"),
        ("", "/"),
        ("?a=1", "/?a=1"),
    ],
)
async def test_what_cannot_be_sent_is_encoded_once(given: str, sent: str) -> None:
    async with serving(reply()) as server, client() as http:
        await http.fetch(Request(url=server.url(given)))
        assert server.asked[0].target == sent


async def test_korean_host_names_are_asked_in_punycode() -> None:
    async with serving(reply()) as server, client() as http:
        await http.fetch(Request(url=server.url("/", "정책.한국")))
        assert server.asked[0].header("Host") == f"xn--2y5bq0f.xn--3e0b707e:{server.port}"


@pytest.mark.parametrize("encoding", ["utf-8", "cp949", "latin-1"])
async def test_validators_come_and_go_byte_for_byte(encoding: str) -> None:
    etag = 'W/"a,b  \\"c\' /판"'.encode(encoding, "replace") + b"\xe9"
    modified = "목,  21 5월 2026 9:00:00 KST".encode(encoding, "replace")
    head = b"HTTP/1.1 200 OK\r\nETag: " + etag + b"\r\nlast-modified:" + modified
    answer = head + b"\r\nContent-Length: 0\r\n\r\n"
    async with serving(answer) as server, client() as http:
        said = (await http.fetch(Request(url=server.url()))).headers
        sent = (("If-None-Match", said["etag"]), ("If-Modified-Since", said["last-modified"]))
        await http.fetch(Request(url=server.url(), headers=sent))
        first, second = server.asked
    assert first.header("If-None-Match") is first.header("If-Modified-Since") is None
    assert (second.header("If-None-Match") or "").encode("latin-1") == etag
    assert (second.header("If-Modified-Since") or "").encode("latin-1") == modified


# What comes back


@pytest.mark.parametrize("status", [200, 204, 301, 304, 401, 404, 410, 429, 500, 503])
async def test_every_status_comes_back_as_a_document(status: int) -> None:
    answer = reply(status, b"", ("Retry-After", "120"), length=status not in {204, 304})
    async with serving(answer) as server, client() as http:
        document = await http.fetch(Request(url=server.url()))
        assert (document.status, document.headers["retry-after"]) == (status, "120")
        assert (document.fetched, document.moved_to) == (NOW, None)


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(NEWS, mtime=0),
        gzip.compress(NEWS[:20], mtime=0) + gzip.compress(NEWS[20:], mtime=0),
        gzip.compress(NEWS, mtime=0) + bytes(64),
    ],
    ids=["one member", "two members", "padded"],
)
async def test_gzip_is_unpacked(body: bytes) -> None:
    async with serving(reply(200, body, ("Content-Encoding", "gzip"))) as server, client() as http:
        assert (await http.fetch(Request(url=server.url()))).body == NEWS


async def test_a_body_of_the_largest_size_is_taken() -> None:
    limits = replace(SMALL, wire=100_000, decoded=150_000)
    packed = gzip.compress(bytes(150_000), mtime=0)
    routes: dict[str, Reply] = {"/packed": reply(200, packed, ("Content-Encoding", "gzip"))}
    async with serving(routes) as server, client(limits=limits) as http:
        routes["/one-more"] = reply(200, gzip.compress(bytes(150_001)), ("Content-Encoding", "gzip"))
        assert len((await http.fetch(Request(url=server.url("/packed")))).body) == 150_000
        with pytest.raises(TooLarge):
            await http.fetch(Request(url=server.url("/one-more")))


@pytest.mark.parametrize("encoding", ["gzip", "br", "gzip, br"])
async def test_an_answer_without_a_body_may_claim_any_encoding(encoding: str) -> None:
    answer = reply(304, b"", ("Content-Encoding", encoding), length=False)
    async with serving(answer) as server, client() as http:
        assert (await http.fetch(Request(url=server.url()))).status == 304


@pytest.mark.parametrize("said", ["utf-8", "None", "8bit", "identity, gzip", "gzip,"])
async def test_words_that_name_no_packing_say_nothing(said: str) -> None:
    body = gzip.compress(NEWS) if "gzip" in said else NEWS
    async with serving(reply(200, body, ("Content-Encoding", said))) as server, client() as http:
        assert (await http.fetch(Request(url=server.url()))).body == NEWS


async def test_a_broken_error_page_does_not_hide_the_status() -> None:
    answer = reply(503, b"<html>\xb0\xa1", ("Content-Encoding", "br"), ("Retry-After", "3600"))
    async with serving(answer) as server, client() as http:
        document = await http.fetch(Request(url=server.url()))
        assert (document.status, document.headers["retry-after"], document.body) == (503, "3600", b"")


async def test_a_truncated_body_is_a_failure() -> None:
    answer = reply(200, NEWS, ("Content-Length", "5000"), ("Connection", "close"), length=False)
    async with serving(answer) as server, client() as http:
        with pytest.raises(Truncated):
            await http.fetch(Request(url=server.url()))


# Redirects


@pytest.mark.parametrize(
    ("statuses", "adopted"),
    [
        ((301,), True),
        ((308,), True),
        ((301, 308, 301), True),
        ((302,), False),
        ((303,), False),
        ((307,), False),
        ((301, 302), False),
        ((307, 301), False),
    ],
)
async def test_only_permanent_redirects_move_a_source(statuses: Sequence[int], adopted: bool) -> None:
    routes: dict[str, Reply] = {f"/{n}": redirect(f"/{n + 1}", status) for n, status in enumerate(statuses)}
    routes[f"/{len(statuses)}"] = reply(200, NEWS)
    async with serving(routes) as server, client() as http:
        document = await http.fetch(Request(url=server.url("/0")))
        final = server.url(f"/{len(statuses)}")
        assert (document.url, document.body) == (final, NEWS)
        assert document.moved_to == (final if adopted else None)
        assert document.hops == len(statuses), "each is a request"
        assert not any(asked.header("Referer") for asked in server.asked)


async def test_a_source_moves_only_where_its_whole_request_may_go() -> None:
    """Else what stays behind on the way would be sent there as soon as the address is its own."""
    async with serving(reply(200, NEWS)) as there, serving(redirect(there.url("/"), 301)) as here, client() as http:
        secret = Request(url=here.url("/"), headers=(("Authorization", "Bearer moonlit"),))
        assert (await http.fetch(secret)).moved_to is None
        assert (await http.fetch(Request(url=here.url("/")))).moved_to == there.url("/")
        assert not any(asked.header("Authorization") for asked in there.asked)


async def test_five_redirects_are_followed_and_no_sixth() -> None:
    routes = {f"/{n}": redirect(f"/{n + 1}") for n in range(6)} | {"/6": reply(200, NEWS)}
    async with serving(routes) as server, client() as http:
        assert (await http.fetch(Request(url=server.url("/1")))).body == NEWS
        server.asked.clear()
        with pytest.raises(Unreachable, match="more than 5 times"):
            await http.fetch(Request(url=server.url("/0")))
        assert [asked.target for asked in server.asked] == [f"/{n}" for n in range(6)]


@pytest.mark.parametrize("circle", [["/a"], ["/a", "/b"], ["/a", "/b", "/c"]])
async def test_circles_are_seen_at_the_first_round(circle: Sequence[str]) -> None:
    routes: dict[str, Reply] = {a: redirect(b, 301) for a, b in zip(circle, [*circle[1:], "/a"], strict=True)}
    async with serving(routes) as server, client() as http:
        with pytest.raises(Unreachable, match="circle"):
            await http.fetch(Request(url=server.url("/a")))
        assert len(server.asked) == len(circle)


async def test_the_way_from_https_to_http_is_refused(tls: ssl.SSLContext, ca_file: str) -> None:
    async with serving(reply(200, NEWS)) as plain, serving(redirect(plain.url("/")), tls=tls) as secure:
        async with client(environ={"SSL_CERT_FILE": ca_file}) as http:
            with pytest.raises(Forbidden, match="plain http"):
                await http.fetch(Request(url=secure.url()))
        assert plain.connections == 0


SECRETS = (
    ("Authorization", "Bearer 비밀"),
    ("Cookie", "a=b"),
    ("X-Api-Key", "비밀"),
    ("Proxy-Authorization", "Basic eA=="),
)


async def test_credentials_stay_with_their_origin() -> None:
    harmless = (("If-None-Match", '"a"'), ("Accept", "text/html"))
    async with (
        serving(reply(200, NEWS)) as other,
        serving({"/": redirect("/here"), "/here": redirect(other.url())}) as own,
    ):
        async with client() as http:
            document = await http.fetch(Request(url=own.url(), headers=SECRETS + harmless))
        assert document.url == other.url()
        assert own.asked[1].header("Authorization") == own.asked[0].header("Authorization") is not None
        assert own.asked[1].header("X-Api-Key") is not None
        given = {name.lower() for name, _ in other.asked[0].headers}
        assert not given & {name.lower() for name, _ in SECRETS}
        assert [other.asked[0].header(name) for name, _ in harmless] == [value for _, value in harmless]


@pytest.mark.parametrize(
    ("status", "method", "body"),
    [(301, "GET", b""), (302, "GET", b""), (303, "GET", b""), (307, "POST", b"a=1"), (308, "POST", b"a=1")],
)
async def test_a_redirected_post_keeps_its_method_only_with_307_and_308(status: int, method: str, body: bytes) -> None:
    form = ("Content-Type", "application/x-www-form-urlencoded")
    async with serving({"/": redirect("/list", status), "/list": reply(200, NEWS)}) as server, client() as http:
        await http.fetch(Request(url=server.url(), method="POST", headers=(form,), body=b"a=1"))
        assert (server.asked[0].method, server.asked[0].body) == ("POST", b"a=1")
        assert (server.asked[1].method, server.asked[1].body) == (method, body)
        assert (server.asked[1].header("Content-Type") is not None) == bool(body)


async def test_who_wants_to_follow_no_redirect_gets_it_as_the_answer() -> None:
    async with serving({"/": redirect("/list", 307), "/list": reply(200, NEWS)}) as server, client() as http:
        answer = await http.fetch(Request(url=server.url(), method="POST", body=b"a=1"), Manner(follow=False))
        assert (answer.status, answer.url, len(server.asked)) == (307, server.url(), 1)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_post_does_not_leave_its_origin(status: int) -> None:
    async with serving(reply()) as other, serving(redirect(other.url("/hook"), status)) as own, client() as http:
        with pytest.raises(Forbidden, match="POST"):
            await http.fetch(Request(url=own.url("/services/secret"), method="POST", body=b"{}"))
        assert other.connections == 0


# Cookies


def gate(asked: Asked) -> Reply:
    """Like some ministries' sites: 307 to itself with a cookie, then the feed."""
    if "JSESSIONID=a1" in (asked.header("Cookie") or ""):
        return reply(200, NEWS)
    return redirect(asked.target, 307, SESSION)


async def test_a_cookie_opens_the_circle_for_a_source_that_keeps_cookies() -> None:
    async with serving(gate) as server, client() as http:
        document = await http.fetch(Request(url=server.url("/rss.do")), Manner(cookies="mofa-press"))
        assert (document.body, document.moved_to) == (NEWS, None)
        await http.fetch(Request(url=server.url("/rss.do")), Manner(cookies="mofa-press"))
        assert [asked.header("Cookie") for asked in server.asked] == [None, "JSESSIONID=a1", "JSESSIONID=a1"]


async def test_no_cookie_is_kept_unless_the_source_wants_it_nor_shared() -> None:
    async with serving(gate) as server, client() as http:
        with pytest.raises(Unreachable, match="circle"):
            await http.fetch(Request(url=server.url("/rss.do")))
        await http.fetch(Request(url=server.url("/rss.do")), Manner(cookies="mofa-press"))
        server.asked.clear()
        await http.fetch(Request(url=server.url("/rss.do")), Manner(cookies="other"))
        with pytest.raises(Unreachable, match="circle"):
            await http.fetch(Request(url=server.url("/rss.do")))
        assert server.asked[0].header("Cookie") is server.asked[2].header("Cookie") is None


async def test_a_cookie_goes_back_byte_for_byte() -> None:
    cookie = "이름=값".encode("cp949").decode("latin-1")
    answer = reply(200, b"", ("Set-Cookie", cookie)).decode().encode("latin-1")
    async with serving(answer) as server, client() as http:
        for _ in range(2):
            await http.fetch(Request(url=server.url()), Manner(cookies="molit"))
    assert server.asked[1].header("Cookie") == cookie


async def test_cookies_do_not_cross_hosts_nor_reach_the_document() -> None:
    routes: dict[str, Reply] = {"/set": reply(200, NEWS, SESSION), "/to": redirect("http://b.example.kr:{port}/x")}
    async with serving(routes) as server, client() as http:
        routes["/to"] = redirect(server.url("/x", "b.example.kr"))
        manner = Manner(cookies="a")
        document = await http.fetch(Request(url=server.url("/set", "a.example.kr")), manner)
        assert "set-cookie" not in document.headers
        await http.fetch(Request(url=server.url("/to", "a.example.kr")), manner)
        assert [asked.header("Cookie") for asked in server.asked] == [None, "JSESSIONID=a1", None]


class HomePageGate:
    """Like molit: 307 to itself until the home page's cookie comes; sessions can be ended."""

    def __init__(self) -> None:
        self.session = 1

    def __call__(self, asked: Asked) -> Reply:
        if asked.target == "/":
            return reply(200, b"<html>", ("Set-Cookie", f"S={self.session}; Path=/"))
        known = asked.header("Cookie") == f"S={self.session}"
        return reply(200, NEWS) if known else redirect(asked.target, 307)


async def test_the_home_page_is_asked_for_its_cookie_when_it_is_needed() -> None:
    site = HomePageGate()
    async with serving(site) as server, client() as http:
        manner = Manner(cookies="molit-press", warm_up=server.url("/"))
        rss = Request(url=server.url("/rss.jsp"))
        answers = [await http.fetch(rss, manner) for _ in range(2)]
        assert [(one.body, one.hops) for one in answers] == [(NEWS, 1), (NEWS, 0)], "each is a request"
        assert [asked.target for asked in server.asked] == ["/", "/rss.jsp", "/rss.jsp"]
        server.asked.clear()
        site.session = 2
        answer = await http.fetch(rss, manner)
        assert (answer.body, answer.hops) == (NEWS, 2)
        assert [asked.target for asked in server.asked] == ["/rss.jsp", "/", "/rss.jsp"]


async def test_a_circle_that_no_cookie_opens_is_given_up() -> None:
    async with serving({"/": reply(200, b"", SESSION), "/rss": redirect("/rss", 307)}) as server, client() as http:
        with pytest.raises(Unreachable, match="circle"):
            await http.fetch(Request(url=server.url("/rss")), Manner(cookies="a", warm_up=server.url("/")))
        assert len(server.asked) <= 4


# Connections


async def test_connections_are_kept_alive() -> None:
    routes: dict[str, Reply] = {
        "/": reply(200, NEWS),
        "/304": reply(304, length=False),
        "/moved": redirect("/"),
        "/404": reply(404, NEWS),
        "/post": reply(200, b"ok"),
    }
    async with serving(routes) as server, client() as http:
        for target in [*routes, *routes]:
            method = "POST" if target == "/post" else "GET"
            await http.fetch(Request(url=server.url(target), method=method, body=b"x" if method == "POST" else b""))
        assert server.connections == 1


async def _hang_up(_writer: asyncio.StreamWriter) -> None:
    """Close the connection without a word."""


async def _half_an_answer(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    await writer.drain()


@pytest.mark.parametrize(
    ("method", "later", "asked"),
    [("GET", _hang_up, 3), ("GET", _half_an_answer, 2), ("POST", _hang_up, 2)],
    ids=["asked again", "what was begun is not asked again", "a POST is sent once"],
)
async def test_a_connection_that_closes_while_it_is_used_again(method: str, later: Writer, asked: int) -> None:
    """RFC 9112 §9.3.1: servers close idle connections whenever they like; then a new one is asked, once."""

    def answer(asked: Asked) -> Reply:
        return reply(200, NEWS) if asked.target == "/first" or asked.connection > 1 else later

    async with serving(answer) as server, client() as http:
        await http.fetch(Request(url=server.url("/first")))
        again = http.fetch(Request(url=server.url("/again"), method=method))
        if asked == 3:
            assert (await again).body == NEWS
        else:
            with pytest.raises(Unreachable):
                await again
        assert len(server.asked) == asked


async def test_a_server_that_hangs_up_at_once_is_asked_once() -> None:
    async with serving(streams(_hang_up)) as server, client() as http:
        with pytest.raises(Unreachable):
            await http.fetch(Request(url=server.url()))
        assert len(server.asked) == 1


async def test_of_two_connections_to_one_place_one_is_kept_and_one_closed() -> None:
    async with serving(reply(200, NEWS)) as server, client() as http:
        await asyncio.gather(*(http.fetch(Request(url=server.url(f"/{number}"))) for number in range(2)))
        await asyncio.wait_for(server.left.wait(), 5)
        await http.fetch(Request(url=server.url()))
        assert server.connections == 2


@pytest.mark.parametrize("farewell", [b"", reply(200, b"not asked for")], ids=["closed", "spoke unasked"])
async def test_an_idle_connection_that_was_closed_or_spoke_is_not_used_again(farewell: bytes) -> None:
    answered, left = asyncio.Event(), asyncio.Event()

    async def leave(writer: asyncio.StreamWriter) -> None:
        writer.write(reply(200, NEWS))
        await answered.wait()
        writer.write(farewell)
        await writer.drain()
        writer.write_eof()
        left.set()

    def answer(asked: Asked) -> Reply:
        return leave if asked.connection == 1 else reply(200, NEWS)

    async with serving(answer) as server, client() as http:
        for _ in range(2):
            assert (await http.fetch(Request(url=server.url()))).body == NEWS
            answered.set()
            await left.wait()
        assert server.connections == 2


@pytest.mark.parametrize(
    "said", [reply(304, b"<p>the same</p>"), reply(200, b"a") + reply(200, b"b")], ids=["a body of none", "two answers"]
)
@pytest.mark.parametrize("site", ["", "http://www.example.kr", "https://www.example.kr"], ids=["", "proxy", "tunnel"])
async def test_what_comes_after_an_answer_is_not_the_next_ones(
    said: bytes, site: str, tls: ssl.SSLContext, ca_file: str
) -> None:
    def answer(asked: Asked) -> Reply:
        return said if asked.target.endswith("/more") else reply(200, NEWS)

    async with serving(answer, inner_tls=tls) as server:
        proxied = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY"), server.url()) | {"SSL_CERT_FILE": ca_file}
        async with client(environ=proxied if site else {}) as http:
            await http.fetch(Request(url=f"{site or server.url()}/more"))
            assert (await http.fetch(Request(url=f"{site or server.url()}/next"))).body == NEWS
        assert server.connections == 2


@pytest.mark.usefixtures("few_files")
async def test_of_many_idle_connections_those_that_waited_longest_are_closed() -> None:
    hosts = [f"h{number}.example.kr" for number in range(260)]
    async with serving(reply(200, NEWS)) as server, client() as http:
        for host in [*hosts, hosts[-1], hosts[100]]:
            await http.fetch(Request(url=server.url("/", host)))
        assert server.connections == len(hosts)
        await http.fetch(Request(url=server.url("/", hosts[0])))
        assert server.connections == len(hosts) + 1


async def test_at_most_two_requests_at_a_time_to_one_host() -> None:
    flying, peak, both, go = 0, 0, asyncio.Event(), asyncio.Event()

    async def hold(writer: asyncio.StreamWriter) -> None:
        nonlocal flying, peak
        flying += 1
        peak = max(peak, flying)
        if flying == 2:
            both.set()
        await go.wait()
        flying -= 1
        writer.write(reply(200, NEWS, ("Connection", "close")))

    async with serving(lambda _: hold) as server, client() as http:
        tasks = [asyncio.create_task(http.fetch(Request(url=server.url(f"/{n}")))) for n in range(20)]
        await both.wait()
        go.set()
        assert {document.body for document in await asyncio.gather(*tasks)} == {NEWS}
        assert (peak, len(server.asked)) == (2, 20)


async def test_the_second_address_is_tried_when_the_first_is_dead() -> None:
    resolver = names({"www.example.kr": ["127.0.0.2", "127.0.0.1"]})
    async with serving(reply(200, NEWS)) as server, client(allow=["127.0.0.0/8"], resolver=resolver) as http:
        assert (await http.fetch(Request(url=server.url("/", "www.example.kr")))).body == NEWS


async def test_refused_connections_and_unknown_names_are_named() -> None:
    async def nowhere(host: str, port: int) -> Sequence[str]:
        raise OSError(-2, "Name or service not known")

    async with serving(reply()) as server:
        port = server.port
    async with client(resolver=nowhere) as http:
        with pytest.raises(Unreachable, match=f"http://127.0.0.1:{port}/ cannot be reached: Connection refused"):
            await http.fetch(Request(url=f"http://127.0.0.1:{port}/"))
        with pytest.raises(Unreachable, match=r"nowhere\.example\.kr has no address"):
            await http.fetch(Request(url="http://nowhere.example.kr/"))


# TLS


async def test_few_encrypted_connections_are_kept(tls: ssl.SSLContext, ca_file: str) -> None:
    """Each holds a buffer of a quarter of a megabyte."""
    hosts = [f"h{number}.go.example.kr" for number in range(33)]
    async with serving(reply(200, NEWS), tls=tls) as server, client(environ={"SSL_CERT_FILE": ca_file}) as http:
        for host in [*hosts, hosts[-1], hosts[1]]:
            await http.fetch(Request(url=server.url("/", host)))
        assert server.connections == len(hosts)
        await http.fetch(Request(url=server.url("/", hosts[0])))
        assert server.connections == len(hosts) + 1


async def test_a_closed_connection_leaves_no_cycle(tls: ssl.SSLContext, ca_file: str) -> None:
    """Of an encrypted one that would be a quarter of a megabyte, and the daemon collects seldom."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        async with serving(reply(200, NEWS), tls=tls) as server:
            stream = await PlainBackend().connect_tcp("127.0.0.1", server.port)
            stream = await stream.start_tls(ssl.create_default_context(cafile=ca_file), "127.0.0.1")
            left = weakref.ref(stream)
            await stream.aclose()
            del stream
            for _ in range(10):
                await asyncio.sleep(0)
            assert left() is None
    finally:
        if collecting:
            gc.enable()


async def test_tls_is_verified_against_the_given_authorities(tls: ssl.SSLContext, ca_file: str) -> None:
    async with serving(reply(200, NEWS), tls=tls) as server:
        async with client() as http:
            with pytest.raises(Unreachable, match="could not prove who it is"):
                await http.fetch(Request(url=server.url()))
            trusting = await http.fetch(Request(url=server.url()), Manner(ca_bundle=ca_file))
            assert trusting.body == NEWS
            with pytest.raises(Unreachable, match="could not prove who it is"):
                await http.fetch(Request(url=server.url()))
        async with client(environ={"SSL_CERT_FILE": ca_file}) as http:
            assert (await http.fetch(Request(url=server.url("/", "www.example.kr")))).body == NEWS
            with pytest.raises(Unreachable, match="could not prove who it is"):
                await http.fetch(Request(url=server.url("/", "other.example.kr")))
        assert len(server.asked) == 2


@pytest.mark.parametrize("tunnelled", [False, True])
async def test_answers_of_several_tls_records_come_in_whole(
    tls: ssl.SSLContext, ca_file: str, *, tunnelled: bool
) -> None:
    """A record holds 16 KiB; asyncio reads several of them into one buffer."""
    body = b"".join(b"%08d" % number for number in range(20_000))
    environ = {"SSL_CERT_FILE": ca_file}
    async with serving(reply(200, body), tls=None if tunnelled else tls, inner_tls=tls) as server:
        url = server.url()
        if tunnelled:
            url, environ["HTTPS_PROXY"] = "https://www.example.kr/", f"http://127.0.0.1:{server.port}"
        async with client(environ=environ) as http:
            assert (await http.fetch(Request(url=url))).body == body


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_unreadable_authorities_are_a_configuration_error(content: str | None, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    if content:
        file.write_text(content)
    with pytest.raises(ConfigError, match=re.escape(str(file))):
        client(environ={"SSL_CERT_FILE": str(file)})


async def test_unreadable_authorities_of_one_source_stop_no_other(tmp_path: Path) -> None:
    async with serving(reply(200, NEWS)) as server, client() as http:
        with pytest.raises(Misconfigured, match=r"gone\.pem"):
            await http.fetch(Request(url=server.url()), Manner(ca_bundle=str(tmp_path / "gone.pem")))
        assert (await http.fetch(Request(url=server.url()))).body == NEWS


# Proxies


async def _unasked(host: str, port: int) -> Sequence[str]:
    raise AssertionError(f"the proxy resolves names, {host} was resolved here")


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_plain_requests_take_the_proxy_of_the_environment(name: str) -> None:
    async with serving(reply(200, NEWS)) as proxy:
        async with client(allow=(), environ={name: proxy.url()}, resolver=_unasked) as http:
            await http.fetch(Request(url="http://www.example.kr/rss?a=%5B"))
        assert proxy.asked[0].target == "http://www.example.kr/rss?a=%5B"
        assert proxy.asked[0].header("Host") == "www.example.kr"


async def test_secure_requests_go_through_a_tunnel(tls: ssl.SSLContext, ca_file: str) -> None:
    async with serving(reply(200, NEWS), inner_tls=tls) as proxy:
        environ = {"HTTPS_PROXY": f"http://kim:pass%40word@127.0.0.1:{proxy.port}", "SSL_CERT_FILE": ca_file}
        async with client(allow=(), environ=environ, resolver=_unasked) as http:
            for _ in range(3):
                assert (await http.fetch(Request(url="https://www.example.kr/rss"))).body == NEWS
            with pytest.raises(Unreachable, match="prove") as caught:
                await http.fetch(Request(url="https://other.example.kr/rss"))
            assert "word" not in str(caught.value)
        assert proxy.tunnels == ["www.example.kr:443", "other.example.kr:443"]
        assert proxy.asked[0].header("Proxy-Authorization") is None
        assert proxy.asked[0].target == "/rss"


@pytest.mark.parametrize(
    ("exempt", "direct"),
    [
        ("www.example.kr", True),
        ("example.kr", True),
        (".example.kr", True),
        ("*", True),
        ("a.kr, EXAMPLE.kr ,b.kr", True),
        ("ample.kr", False),
        ("www.example.kr:1", False),
        ("", False),
        (",", False),
    ],
)
async def test_no_proxy_is_honoured(exempt: str, direct: bool) -> None:
    async with serving(reply(200, b"direct")) as server, serving(reply(200, b"proxy")) as proxy:
        async with client(environ={"HTTP_PROXY": proxy.url(), "NO_PROXY": exempt}) as http:
            document = await http.fetch(Request(url=server.url("/", "www.example.kr")))
        assert document.body == (b"direct" if direct else b"proxy")


async def test_a_source_may_have_its_own_proxy_or_none() -> None:
    async with serving(reply(200, b"all")) as everyones, serving(reply(200, b"own")) as own, serving(reply()) as server:
        async with client(environ={"HTTP_PROXY": everyones.url()}) as http:
            for manner, body in [(Manner(), b"all"), (Manner(proxy=own.url()), b"own"), (Manner(proxy=""), b"")]:
                document = await http.fetch(Request(url=server.url("/", "www.example.kr")), manner)
                assert document.body == body
        assert len(server.asked) == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_cannot_be_reached_is_named(scheme: str) -> None:
    async with serving(reply()) as gone:
        url = gone.url()
    async with client(allow=(), environ={"HTTP_PROXY": url, "HTTPS_PROXY": url}) as http:
        with pytest.raises(Unreachable, match="The proxy did not let us through"):
            await http.fetch(Request(url=f"{scheme}://www.example.kr/rss"))


@pytest.mark.parametrize("url", ["socks5://127.0.0.1:1080", "http://", "http://[::1", "http://a:b:c"])
def test_an_unusable_proxy_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigError, match="HTTP proxy"):
        client(environ={"HTTPS_PROXY": url})


# Secrets

FAILURES: Mapping[str, Reply] = {
    "closes": b"",
    "nonsense": b"nonsense\r\n\r\n",
    "circle": redirect("/services/T0/B0/비밀"),
    "elsewhere": redirect("http://127.0.0.3/services/T0/B0/비밀"),
    "bomb": reply(200, gzip.compress(bytes(1_000_000)), ("Content-Encoding", "gzip")),
    "cut": reply(200, NEWS, ("Content-Length", "999"), ("Connection", "close"), length=False),
}


@pytest.mark.parametrize("answer", FAILURES.values(), ids=FAILURES)
async def test_a_secret_address_is_never_told(answer: Reply, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def write(writer: asyncio.StreamWriter) -> None:
        assert isinstance(answer, bytes)
        writer.write(answer)

    async with serving(lambda _: write) as server, client() as http:
        request = Request(url=server.url("/services/T0/B0/비밀"), headers=(("Authorization", "Bearer 비밀"),))
        with pytest.raises(PolicyfeedError) as caught:
            await http.fetch(request, Manner(secret_url=True))
    told = f"{caught.value} {caught.value.facts} {caplog.text}"
    assert "비밀" not in told
    assert "%EB%B9%84" not in told
    assert "/services" not in told
    assert "127.0.0." in told


def test_libraries_log_no_addresses() -> None:
    for name in ("httpcore", "httpx", "httpcore.http11", "httpcore.connection"):
        assert not logging.getLogger(name).isEnabledFor(logging.INFO)
