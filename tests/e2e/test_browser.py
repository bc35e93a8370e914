"""The pages in a real browser, as people on a desk and on a phone see them. POLICYFEED_SHOTS=DIR keeps pictures."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from playwright.async_api import ViewportSize as Size

from policyfeed import publish
from policyfeed.health import conditions
from policyfeed.store import Store
from policyfeed.types import Source
from policyfeed.web import Buttons, Context, Published, create_app
from tests import releases
from tests.releases import NOW
from tests.serving import serving

TOPIC_NAMES = {"E1": "Win-win growth, social economy, small merchants' safety net"}
LONG = "가" * 200
LONG_NAME = Source(id="long", kind="feed", url="https://www.example.go.kr/rss", name=LONG)
CHROMIUM = shutil.which("chromium")
DESK, PHONE = Size(width=1280, height=900), Size(width=375, height=812)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]


@asynccontextmanager
async def served(store: Store, out: Path) -> AsyncIterator[str]:
    """The address of the web over a store, on a free port of the loopback."""
    origin = ""
    feeds = (releases.feed(), releases.EVERYTHING)
    publish.publish(store, feeds, out, NOW)
    published = Published(out)
    published.load()
    context = Context(
        store=store,
        published=published,
        feeds=lambda: feeds,
        topic_names=lambda language: releases.TOPIC_NAMES if language == "ko" else TOPIC_NAMES,
        sources=lambda: releases.SOURCES,
        conditions=lambda: conditions(store, [LONG_NAME], NOW),
        buttons=lambda: Buttons(origin=origin, topics=("E1", "S2")),
        page_size=10,
    )
    async with serving(create_app(context)) as address:
        origin = address
        yield address


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[str]:
    store = releases.stored(tmp_path / "var", [*releases.many(23), releases.joint(24)])
    async with served(store, tmp_path / "out") as address:
        yield address
    store.close()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    assert CHROMIUM, "Debian's chromium is missing: apt-get install chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


async def _shot(page: Page, name: str) -> None:
    if folder := os.environ.get("POLICYFEED_SHOTS"):
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


async def _context(
    browser: Browser,
    size: Size = DESK,
    language: str = "ko-KR",
    scheme: Literal["light", "dark"] = "light",
    scripts: bool = True,
) -> BrowserContext:
    return await browser.new_context(viewport=size, locale=language, color_scheme=scheme, java_script_enabled=scripts)


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_a_reader_finds_an_article_and_why_it_is_there(browser: Browser, address: str, size: Size) -> None:
    context = await _context(browser, size)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    name = "desk" if size is DESK else "phone"

    await page.goto(address)
    assert await page.title() == "ESG 정책뉴스"
    first = page.locator("tbody tr").first
    await first.locator("summary").click()
    assert await first.get_by_text("탄소중립(제목)").is_visible()
    await _shot(page, f"board-{name}")
    await _fits(page)

    await first.locator("a.headline").click()
    assert await page.get_by_role("heading", name="이 글을 고른 까닭").is_visible()
    assert await page.get_by_role("link", name="원문 보기").get_attribute("href") == releases.article(24).url
    await _shot(page, f"article-{name}")
    await _fits(page)

    await page.get_by_role("link", name="← 목록으로").click()
    await page.get_by_role("link", name="지난 글 →").click()
    assert await page.get_by_text("2쪽 가운데 2쪽").is_visible()
    assert complaints == []
    await context.close()


async def _fits(page: Page) -> None:
    """Nothing makes the page wider than the screen, and nothing has to be scrolled sideways by itself."""
    wider = await page.evaluate(
        """() => [...document.querySelectorAll('html, main *')]
            .filter(one => one.scrollWidth > one.clientWidth)
            .filter(one => one.tagName == 'HTML' || getComputedStyle(one).overflowX == 'auto')
            .map(one => one.outerHTML.slice(0, 80))"""
    )
    assert wider == []


async def test_a_phone_shows_every_reason_whole(browser: Browser, address: str) -> None:
    context = await _context(browser, PHONE, language="en-GB")
    page = await context.new_page()
    await page.goto(f"{address}/articles/24")
    await _shot(page, "reasons-phone")
    await _fits(page)
    shown = await page.get_by_role("row").nth(1).inner_text()
    assert shown.split("\n") == ["탄소중립 (title)", "term", f"E1 {TOPIC_NAMES['E1']}", "+50.0"]
    assert await page.get_by_role("columnheader").count() == 4
    await context.close()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_what_has_no_gap_is_broken_all_the_same(browser: Browser, tmp_path: Path, size: Size) -> None:
    release = releases.judged(1, title=LONG, content=f"<p>{LONG}</p><pre>{LONG}</pre>")
    context = await _context(browser, size)
    page = await context.new_page()
    with closing(releases.stored(tmp_path / "var", [release])) as store:
        async with served(store, tmp_path / "out") as address:
            for path in ("/", "/articles/1", "/sources"):
                await page.goto(f"{address}{path}")
                assert await page.get_by_text(LONG).count() > 0
                await _fits(page)
    await context.close()


async def test_an_editor_says_what_is_relevant(browser: Browser, address: str) -> None:
    context = await _context(browser, PHONE, scripts=False)
    page = await context.new_page()
    await page.goto(address)
    first = page.locator("tbody tr").first
    await first.locator("summary").click()
    await first.get_by_role("button", name="관련 없음").click()
    await first.locator("summary").click()
    assert await first.get_by_role("button", name="관련 없음", pressed=True).is_visible()

    await first.locator("a.headline").click()
    await page.get_by_label("주제").select_option("E1")
    await page.get_by_role("button", name="관련 있음").click()
    assert await page.get_by_role("button", name="관련 있음", pressed=True).is_visible()
    assert await page.get_by_label("주제").input_value() == "E1"
    await _shot(page, "feedback-phone")
    await _fits(page)
    await context.close()


async def test_a_korean_browser_sees_korean_and_an_english_one_english(browser: Browser, address: str) -> None:
    for language, expected in (("ko-KR", "고른 까닭 · 82점"), ("en-GB", "Why? 82 points")):
        context = await _context(browser, language=language)
        page = await context.new_page()
        await page.goto(address)
        assert await page.get_by_text(expected).first.is_visible()
        await _shot(page, f"board-{language}")
        await context.close()


async def test_the_language_can_be_changed(browser: Browser, address: str) -> None:
    context = await _context(browser)
    page = await context.new_page()
    await page.goto(f"{address}/articles/24")
    await page.get_by_role("link", name="English").click()
    assert await page.get_by_role("heading", name="Why it was kept").is_visible()
    await page.get_by_role("link", name="← Back to the list").click()
    assert await page.locator("html").get_attribute("lang") == "en"
    await context.close()


async def test_everything_works_without_scripts(browser: Browser, address: str) -> None:
    context = await _context(browser, PHONE, scripts=False)
    page = await context.new_page()
    await page.goto(address)
    summary = page.locator("tbody tr").first.locator("summary")
    await summary.focus()
    await page.keyboard.press("Enter")
    assert await page.locator("tbody tr").first.locator(".reasons").is_visible()
    await context.close()


async def test_dark_mode_is_dark_and_readable(browser: Browser, address: str) -> None:
    context = await _context(browser, scheme="dark")
    page = await context.new_page()
    await page.goto(f"{address}/articles/24")
    await _shot(page, "article-dark")
    colours = await page.evaluate(
        """() => ['body', '.muted', '.pillar', '.button'].map(name => {
            const element = document.querySelector(name);
            const paint = one => getComputedStyle(one).backgroundColor;
            let back = element;
            while (paint(back) === 'rgba(0, 0, 0, 0)') back = back.parentElement;
            return [getComputedStyle(element).color, paint(back)];
        })"""
    )
    assert all(_contrast(front, back) >= 4.5 for front, back in colours), colours
    await context.close()


async def test_the_keyboard_reaches_the_content_first(browser: Browser, address: str) -> None:
    context = await _context(browser)
    page = await context.new_page()
    await page.goto(address)
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    focused = page.locator(":focus")
    assert await focused.get_attribute("class") == "headline"
    assert await focused.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    await context.close()


async def test_tables_stay_tables_for_screen_readers_on_a_phone(browser: Browser, address: str) -> None:
    context = await _context(browser, PHONE)
    page = await context.new_page()
    await page.goto(address)
    assert await page.get_by_role("row").count() == 11
    assert await page.get_by_role("columnheader", name="부처").count() == 1
    await context.close()


async def test_print_leaves_out_what_paper_cannot_do(browser: Browser, address: str) -> None:
    context = await _context(browser)
    page = await context.new_page()
    await page.goto(address)
    await page.emulate_media(media="print")
    assert not await page.locator("footer section").is_visible()
    assert not await page.locator(".paging").is_visible()
    assert await page.locator("tbody tr").first.is_visible()
    await _shot(page, "board-print")
    await context.close()


def _contrast(front: str, back: str) -> float:
    """WCAG 2.2's contrast of two CSS colours."""
    light, dark = sorted((_luminance(front), _luminance(back)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
