"""korea.kr's page of one release, its document viewer and its attachments: what the kind ``korea_kr`` reads of them.

The page itself holds title, subtitles, the time of publication, the attachments and the licence mark. Its text stands
in a few releases in the page, else in a viewer (``1.html``, ``2.html`` … until there is none), else only in the files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urljoin, urlsplit

from policyfeed.errors import Blocked, Deleted, LayoutChanged, Unreadable
from policyfeed.normalize import attachments, html, parsers
from policyfeed.normalize.listing import blocked, is_block_page
from policyfeed.normalize.text import one_line, text_of
from policyfeed.types import Attachment, Detail, Document, Request, Source

if TYPE_CHECKING:
    from policyfeed.normalize.parsers import Node, Tree

SITE, MOBILE = "https://www.korea.kr", "https://m.korea.kr"
MOST_PAGES = 100
"""Pages of the viewer that are read of one release."""
MOST_FILES = 3
"""Attachments that are tried until one gives text."""
_RELEASE = re.compile(r"https?://(?:www\.|m\.)?korea\.kr/[^?#]*\?(?:[^#]*&)?newsId=\d{1,12}(?:[&#]|$)")
_ACCEPT = (("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1"),)
_FILE = 'div.filedown a[href*="download.do"], div.file_down a[href*="download.do"]'
_VIEWER = re.compile(r"/docViewer/.{1,300}\.files/(\d{1,4})\.html")
_PLACE = re.compile(r"/docViewer/[\w./-]{1,200}")
_NAME = re.compile(r"[\w-]{1,100}")
_NO_TEXT = "script, style, iframe, .docConversion, .remark, .filedown, .file_down"
_REMARK = re.compile(r"^.{0,80}전재하여 제공함을 알려드립니다\W*$", re.MULTILINE)
_GONE = re.compile("삭제되었거나|존재하지 않는 (?:기사|게시물)|삭제된 (?:기사|게시물)")
_NOT_FOUND = re.compile("페이지를 찾을 수 없습니다|요청하신 페이지|404 not found", re.IGNORECASE)
_KOGL = re.compile(r"공공누리\s*제?\s*([0-4])\s*유형")
_OPEN_TYPE = re.compile(r"open_?type0?([0-4])", re.IGNORECASE)


def detail(source: Source, url: str) -> Request | None:  # noqa: ARG001
    """The request for a release's page."""
    return Request(url=url, headers=_ACCEPT) if _RELEASE.match(url) else None


def elsewhere(request: Request) -> Request | None:
    """The same on m.korea.kr, which answers some networks that www.korea.kr refuses."""
    if not request.url.startswith(f"{SITE}/"):
        return None
    return replace(request, url=MOBILE + request.url.removeprefix(SITE))


def read_detail(source: Source, document: Document, so_far: Detail | None) -> Detail:
    """One more document of a release: its page, a page of the viewer, or an attachment.

    Raises Blocked, LayoutChanged, Unreadable (gone, or a file without text).
    """
    if so_far is None:
        return _page(source, document)
    if _VIEWER.search(so_far.ways[0].url):
        return _viewed(source, document, so_far)
    return replace(so_far, content=html.paragraphs(attachments.text(document.body)), ways=())


def _page(source: Source, document: Document) -> Detail:
    text = text_of(document, source.encoding)
    tree = parsers.html(text)
    body = tree.css_first(".view_cont")
    if body is None or tree.css_first(".view_title h1, .article_head h1, h1") is None:
        raise _no_release(text, document)
    files = tuple(_files(tree))
    said = _json_ld(tree)
    meta = tree.css_first('meta[property="article:published_time"]')
    found = Detail(
        subtitles=tuple(one_line(node.text()) for node in tree.css(".article_head h2")),
        published=str(said.get("datePublished") or (meta.attributes.get("content") if meta else "") or ""),
        updated=str(said.get("dateModified") or ""),
        licence=_licence(tree),
        attachments=files,
    )
    ways = (*_viewer(tree, document.url), *_readable(files, document.url))
    inline = _inline(body)
    return replace(found, content=html.paragraphs(inline)) if inline else replace(found, ways=ways)


def _no_release(text: str, document: Document) -> Blocked | Deleted | LayoutChanged:
    if _GONE.search(text):
        return Deleted("{url} says that the release does not exist or was deleted.", url=document.url)
    if is_block_page(text):
        return blocked(document.url)
    return LayoutChanged("{url} is no release's page as it is known: it was rebuilt.", url=document.url)


def _files(tree: Tree) -> Iterator[Attachment]:
    """The attachments, each once, by their addresses on www.korea.kr wherever the page came from."""
    seen: set[str] = set()
    for node in tree.css(_FILE):
        url = urljoin(SITE, node.attributes.get("href") or "")
        if (name := one_line(node.text())) and url not in seen:
            seen.add(url)
            yield Attachment(name=name, url=url, type=attachments.media_type(name))


def _json_ld(tree: Tree) -> dict[str, Any]:
    """The first piece of JSON-LD that tells when something was published."""
    for node in tree.css('script[type="application/ld+json"]'):
        try:
            said = json.loads(node.text())
        except (ValueError, RecursionError):
            continue
        pieces = said if isinstance(said, list) else said.get("@graph", [said]) if isinstance(said, dict) else []
        for piece in pieces if isinstance(pieces, list) else []:
            if isinstance(piece, dict) and piece.get("datePublished"):
                return piece
    return {}


def _licence(tree: Tree) -> str:
    """The mark of the Korea Open Government License at the page's end; "" = none that is known."""
    for node in tree.css('img[src*="open"]'):
        if found := _OPEN_TYPE.search(node.attributes.get("src") or ""):
            return f"공공누리 제{found[1]}유형"
    footer = tree.css_first(".article_footer")
    text = one_line(footer.text()) if footer else ""
    if found := _KOGL.search(text):
        return f"공공누리 제{found[1]}유형"
    plain = "공공누리" in text and "출처표시" in text and "금지" not in text
    return "공공누리 제1유형" if plain else ""


def _viewer(tree: Tree, base: str) -> Iterator[Request]:
    """The viewer's first page: the frame's address names a folder (``rs``) and a document (``fn``)."""
    frame = tree.css_first("#content_press, iframe[src*=docViewer]")
    named = parse_qs(urlsplit((frame.attributes.get("src") or "") if frame else "").query)
    place, name = named.get("rs", [""])[0], named.get("fn", [""])[0]
    if _PLACE.fullmatch(place) and ".." not in place and _NAME.fullmatch(name):
        yield Request(url=urljoin(base, f"{place.rstrip('/')}/{name}.files/1.html"), headers=_ACCEPT)


def _readable(files: tuple[Attachment, ...], base: str) -> list[Request]:
    """The attachments that may give the text, the best format first, asked for where the page came from."""
    known = [one for one in files if attachments.extension(one.name) in attachments.READABLE]
    best = sorted(known, key=lambda one: attachments.READABLE.index(attachments.extension(one.name)))
    return [Request(url=urljoin(base, one.url.removeprefix(SITE))) for one in best[:MOST_FILES]]


def _inline(body: Node) -> str:
    """The text in the page itself, without what stands beside it."""
    for node in body.css(_NO_TEXT):
        node.decompose()
    return _REMARK.sub("", _text(body)).strip()


def _viewed(source: Source, document: Document, so_far: Detail) -> Detail:
    asked, *left = so_far.ways
    place = _VIEWER.search(asked.url)
    number = int(place[1]) if place else 1
    if not _VIEWER.search(document.url):
        raise Unreadable("{url} is no page of the viewer: it was redirected.", url=document.url)
    tree = parsers.html(text_of(document, source.encoding))
    for node in tree.css("script, style"):
        node.decompose()
    said = html.paragraphs(_text(tree.body)) if tree.body else ""
    if number == 1 and (not said or _is_error_page(said)):
        return replace(so_far, ways=tuple(left))  # pictures, or nothing converted (yet): the files may hold the text
    if _is_error_page(said) or _is_repeated(said, so_far.content):
        return replace(so_far, ways=())
    following = replace(asked, url=asked.url.removesuffix(f"{number}.html") + f"{number + 1}.html")
    return replace(so_far, content=so_far.content + said, ways=(following,) if number < MOST_PAGES else ())


def _is_error_page(said: str) -> bool:
    """Whether a server that has no such page shows its error page with status 200."""
    return len(said) < 1_000 and _NOT_FOUND.search(said) is not None


def _is_repeated(said: str, before: str) -> bool:
    """Whether a server that has no such page shows the last page again. A line may stand on two pages, on no third."""
    return bool(said) and before.endswith(said if len(said) > 200 else said * 2)


def _text(node: Node) -> str:
    """The text of a part: words are cut into spans, and joined with nothing."""
    return html.to_text(node.html or "")
