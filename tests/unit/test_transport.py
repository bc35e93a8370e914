"""The parts of the client that need no server: addresses, decoding, lanes, proxies, cookies."""

from __future__ import annotations

import asyncio
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyfeed.errors import ConfigError, Forbidden, TooLarge, Truncated, Unreadable
from policyfeed.transport.cookies import Cookies
from policyfeed.transport.decode import Plain, decoder
from policyfeed.transport.lanes import Lanes
from policyfeed.transport.proxies import Proxy, from_environment, proxy
from policyfeed.transport.redirects import following
from policyfeed.transport.urls import redacted, shown, take_apart
from policyfeed.types import Request

TEXT = "기후에너지환경부는 탄소중립 실천을 넓힌다. ".encode() * 50

# Addresses


def test_an_address_is_taken_apart() -> None:
    address = take_apart("HTTPS://WWW.Korea.kr.:8443/briefing?a=B#c")
    assert (address.scheme, address.host, address.port, address.target) == (
        "https",
        "www.korea.kr",
        8443,
        "/briefing?a=B",
    )
    assert (address.authority, address.site) == ("www.korea.kr:8443", "https://www.korea.kr:8443")


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("http://www.mofa.go.kr:443/", "www.mofa.go.kr:443"),
        ("https://www.mofa.go.kr:443/", "www.mofa.go.kr"),
        ("http://[2001:DB8::1]:8080/", "[2001:db8::1]:8080"),
        ("http://a_b.go.kr:/", "a_b.go.kr"),
    ],
)
def test_the_authority_names_only_an_unusual_port(url: str, authority: str) -> None:
    assert take_apart(url).authority == authority


@pytest.mark.parametrize(
    "url",
    [
        "",
        "www.korea.kr",
        "/rss",
        "//www.korea.kr/",
        "file:///etc/passwd",
        "ftp://www.korea.kr/",
        "https:/www.korea.kr/",
        "http://",
        "http:///rss",
        "http://:80/",
        "http://kim@www.korea.kr/",
        "http://kim:pass@www.korea.kr/",
        "http://www..kr/",
        "http://.kr/",
        "http://a b/",
        "http://a%00b/",
        "http://a\\b/",
        "http://www.korea.kr／.example/",
        "http://www.korea.kr：80@example/",
        "http://" + "a" * 64 + ".kr/",
        "http://" + "a." * 130 + "kr/",
        "http://www.korea.kr:80a/",
        "http://www.korea.kr:65536/",
        "http://www.korea.kr/\n",
        "http://www.korea.kr/a\tb",
        "http://www.korea.kr/a\r\nX: y",
        "http://www.korea.kr/\ud800",
        "http://\ud800.kr/",
    ],
)
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(Forbidden):
        take_apart(url)


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="#"), max_size=40))
def test_printable_targets_are_never_touched(text: str) -> None:
    assert take_apart(f"https://www.korea.kr/{text}").target == f"/{text}"


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_forbidden(text: str) -> None:
    for url in (text, f"http://{text}", f"https://www.korea.kr/{text}"):
        try:
            address = take_apart(url)
        except Forbidden:
            continue
        assert address.target.isascii()
        assert address.target.isprintable()
        assert " " not in address.target


@pytest.mark.parametrize(
    ("url", "all_but_query", "host_only"),
    [
        (
            "https://apis.data.go.kr/1371000/list?serviceKey=k#a",
            "https://apis.data.go.kr/1371000/list",
            "https://apis.data.go.kr",
        ),
        ("https://hooks.slack.com/services/T/B/x", "https://hooks.slack.com/services/T/B/x", "https://hooks.slack.com"),
        ("https://kim:pw@a.kr:8443/x", "https://a.kr:8443/x", "https://a.kr:8443"),
        ("javascript:steal()", "javascript:…", "javascript:…"),
        ("kim:pw@a.kr", "kim:…", "kim:…"),
        ("secret", "…", "…"),
        ("ht\ntps://a.kr/x", "https://a.kr/x", "https://a.kr"),
    ],
)
def test_urls_are_shown_without_their_secrets(url: str, all_but_query: str, host_only: str) -> None:
    assert shown(url) == all_but_query
    assert redacted(url) == host_only


@pytest.mark.parametrize(
    "url", ["https://kim:half/pw@a.kr/x", "https://kim:half?pw@a.kr", "https://kim:half#pw@a.kr:80"]
)
def test_half_a_password_is_no_host(url: str) -> None:
    """A / that is not percent-encoded ends what stands before the path, wherever it was meant to stand."""
    assert redacted(url) == "https:…"
    with pytest.raises(ConfigError) as caught:
        proxy(url)
    assert "half" not in str(caught.value)


# Redirects


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/b?c", "https://www.korea.kr/b?c"),
        ("b", "https://www.korea.kr/x/b"),
        ("?page=2", "https://www.korea.kr/x/a?page=2"),
        ("//m.korea.kr/", "https://m.korea.kr/"),
        ("https://m.korea.kr/%5B", "https://m.korea.kr/%5B"),
        ("/보도자료".encode().decode("latin-1"), "https://www.korea.kr/보도자료"),
        ("/보도?가=%20".encode("cp949").decode("latin-1"), "https://www.korea.kr/%BA%B8%B5%B5?%B0%A1=%20"),
        ("//정책.한국/".encode().decode("latin-1"), "https://정책.한국/"),
    ],
)
def test_locations_are_read_from_where_we_are(location: str, url: str) -> None:
    after = following(Request(url="https://www.korea.kr/x/a?b"), 302, location)
    assert after is not None
    assert after.url == url


@pytest.mark.parametrize("status", [200, 300, 304, 305, 306, 404])
def test_other_answers_lead_nowhere(status: int) -> None:
    assert following(Request(url="https://www.korea.kr/"), status, "/b") is None


def test_credentials_go_along_from_http_to_https_of_the_same_host() -> None:
    request = Request(url="http://www.korea.kr/a", headers=(("Authorization", "Bearer 비밀"),))
    upgraded = following(request, 301, "https://www.korea.kr/a")
    elsewhere = following(request, 301, "https://www.korea.kr:8443/a")
    assert upgraded is not None
    assert elsewhere is not None
    assert (upgraded.headers, elsewhere.headers) == (request.headers, ())


# Decoding


def decoding(encoding: str, limit: int) -> Plain:
    return decoder(encoding, "https://www.korea.kr", limit, lambda _size: None)


@given(st.lists(st.binary(max_size=200), max_size=5), st.integers(1, 64))
def test_gzip_comes_out_whole_however_it_is_cut(members: list[bytes], step: int) -> None:
    packed = b"".join(gzip.compress(member, mtime=0) for member in members)
    decoded = decoding("gzip", 1000)
    for start in range(0, len(packed), step):
        decoded.feed(packed[start : start + step])
    assert decoded.done() == b"".join(members)


@pytest.mark.parametrize("size", [1, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 512 * 1024, 1_000_000])
def test_gzip_of_much_in_little_comes_out_whole(size: int) -> None:
    """It is unpacked in steps: what the last bytes stand for may be more than one of them."""
    for members in ([bytes(size)], [bytes(size), bytes(size)]):
        decoded = decoding("gzip", 4_000_000)
        decoded.feed(b"".join(gzip.compress(member, mtime=0) for member in members))
        assert decoded.done() == b"".join(members)


@given(st.binary(min_size=1, max_size=300), st.integers(1, 64))
def test_hostile_bytes_are_text_or_an_error(data: bytes, step: int) -> None:
    decoded = decoding("gzip", 100)
    try:
        for start in range(0, len(data), step):
            decoded.feed(data[start : start + step])
        assert len(decoded.done()) <= 100
    except (TooLarge, Truncated, Unreadable):
        return


@given(st.integers(1, len(gzip.compress(TEXT, mtime=0)) - 1))
def test_every_cut_of_a_gzip_is_noticed(length: int) -> None:
    decoded = decoding("x-gzip", 100_000)
    decoded.feed(gzip.compress(TEXT, mtime=0)[:length])
    with pytest.raises(Truncated):
        decoded.done()


def test_a_gzip_with_a_wrong_checksum_is_unreadable() -> None:
    packed = bytearray(gzip.compress(TEXT, mtime=0))
    packed[-8] ^= 1
    with pytest.raises(Unreadable):
        decoding("gzip", 100_000).feed(bytes(packed))


@pytest.mark.parametrize("encoding", ["", "identity", "gzip", "br", "gzip, gzip"])
def test_no_bytes_are_no_bytes_in_every_encoding(encoding: str) -> None:
    assert decoding(encoding, 10).done() == b""


# Lanes


class Traffic:
    """Requests that stay until they are let go, and how many there were at a time."""

    def __init__(self, lanes: Lanes) -> None:
        self.lanes = lanes
        self.inside: list[str] = []
        self.go = asyncio.Event()

    async def request(self, host: str) -> None:
        async with self.lanes.place(host):
            self.inside.append(host)
            await self.go.wait()

    async def settle(self) -> list[str]:
        for _ in range(50):
            await asyncio.sleep(0)
        return sorted(self.inside)


async def test_a_host_has_its_places_and_all_have_theirs() -> None:
    traffic = Traffic(Lanes(2, 3, patience=3600))
    tasks = [asyncio.create_task(traffic.request(host)) for host in ("a", "a", "a", "b", "c")]
    assert await traffic.settle() == ["a", "a", "b"]
    traffic.go.set()
    await asyncio.gather(*tasks)
    assert sorted(traffic.inside) == ["a", "a", "a", "b", "c"]


async def test_slow_requests_give_up_their_places_as_far_as_there_is_room() -> None:
    traffic = Traffic(Lanes(1, 2, patience=0, slow=3))
    tasks = [asyncio.create_task(traffic.request(f"host{n}")) for n in range(9)]
    assert await traffic.settle() == [f"host{n}" for n in range(5)]
    traffic.go.set()
    await asyncio.gather(*tasks)
    assert len(traffic.inside) == 9


async def fail(lanes: Lanes) -> None:
    async with lanes.place("a"):
        await asyncio.sleep(0)
        raise ValueError("down")


async def test_places_come_back_after_errors_and_cancellation() -> None:
    lanes = Lanes(1, 1, patience=0, slow=1)
    for _ in range(5):
        with pytest.raises(ValueError, match="down"):
            await fail(lanes)
        waiting = asyncio.create_task(Traffic(lanes).request("a"))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    traffic = Traffic(lanes)
    tasks = [asyncio.create_task(traffic.request(host)) for host in "abc"]
    assert await traffic.settle() == ["a", "b"]
    traffic.go.set()
    await asyncio.gather(*tasks)


# Proxies


def test_a_proxy_is_read_and_hides_its_password() -> None:
    read = proxy("http://kim:pass%40word@proxy.example.kr:3128")
    assert read == Proxy(scheme="http", host="proxy.example.kr", port=3128, login=("kim", "pass@word"))
    assert "pass" not in repr(read)
    assert proxy("10.0.0.1:8080") == Proxy(scheme="http", host="10.0.0.1", port=8080)


@pytest.mark.parametrize(
    ("exempt", "url", "direct"),
    [
        ("10.0.0.0/8", "http://10.1.2.3/", True),
        ("10.0.0.0/8", "http://11.1.2.3/", False),
        ("::1", "http://[::1]/", True),
        ("[::1]:80", "http://[::1]/", True),
        ("fd00::/8", "http://[fd00::1]/", True),
        ("*.go.kr", "https://www.korea.go.kr/", True),
        ("korea.kr:443", "https://www.korea.kr/", True),
        ("korea.kr:80", "https://www.korea.kr/", False),
        ("10.0.0.0/8", "http://www.korea.kr/", False),
    ],
)
def test_exemptions(exempt: str, url: str, direct: bool) -> None:
    proxies = from_environment({"ALL_PROXY": "http://127.0.0.1:3128", "no_proxy": exempt})
    assert (proxies.choose(take_apart(url)) is None) == direct


def test_each_scheme_has_its_proxy() -> None:
    proxies = from_environment({"HTTP_PROXY": "http://a:1", "https_proxy": "http://b:2"})
    assert proxies.choose(take_apart("http://www.korea.kr/")) == proxy("http://a:1")
    assert proxies.choose(take_apart("https://www.korea.kr/")) == proxy("http://b:2")
    assert from_environment({}).choose(take_apart("https://www.korea.kr/")) is None


# Cookies


def test_a_server_that_heaps_up_cookies_loses_them_all() -> None:
    jar = Cookies()
    jar.keep("https://www.korea.kr/", [("set-cookie", f"c{n}={'x' * 900}") for n in range(10)])
    assert jar
    assert jar.header("https://www.korea.kr/") == ""
    assert not jar


def test_secure_cookies_stay_on_https() -> None:
    jar = Cookies()
    jar.keep("https://www.korea.kr/a", [("set-cookie", "s=1; Secure; Path=/"), ("etag", '"a"')])
    assert (jar.header("https://www.korea.kr/"), jar.header("http://www.korea.kr/")) == ("s=1", "")
