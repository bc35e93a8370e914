"""A ``page`` table for a list page, found by looking for repeated rows with a link and a date."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from policyfeed.discovery import places, scripts
from policyfeed.errors import Remark
from policyfeed.normalize import parsers
from policyfeed.normalize.links import absolute
from policyfeed.normalize.text import one_line

if TYPE_CHECKING:
    from policyfeed.normalize.parsers import Node, Tree

LEAST_ROWS = 3
MOST_ROW = 3_000
"""Characters of a row: what is longer is a page's part, not a row."""
_ROWS = "tr, li, dl, article, div"
_FILE = re.compile(
    r"down|file|attach|\.(hwpx?|pdf|zip|docx?|xlsx?|odt|jpe?g|png)($|[?&])|preview|바로보기", re.IGNORECASE
)
_PINNED = re.compile(r"notice|noti\b|top|fix|pin|공지|important", re.IGNORECASE)
_LINK_PAGE = re.compile(r"(?:link_?page|go_?page|page_?move|move_?page|paging|select_?page)\w*\s*\(", re.IGNORECASE)
_PAGE_NAMES = ("pageIndex", "page", "pageNo", "currPage", "currentPage", "cpage", "curPage", "pageNum", "nowPage", "pg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Options of a source of kind ``page``, and what a person should look at. ``rows`` were found on the page."""

    options: Mapping[str, str | int]
    rows: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Rows under one parent, and the link of each that bears its title."""

    rows: tuple[Node, ...]
    links: tuple[Node, ...]

    @property
    def weight(self) -> float:
        lengths = [min(len(places.says(link)), 60) for link in self.links]
        return len(self.rows) * (sum(lengths) / len(lengths) + 5)


def propose(text: str, url: str) -> Proposal | None:
    """The table for the page's largest list; None where nothing is repeated that has a link and a date."""
    tree = parsers.html(text)
    group = max(_groups(tree), key=lambda one: one.weight, default=None)
    if group is None:
        return None
    title = places.title(group.rows, group.links)
    date = places.date(group.rows)
    if not title or not date:
        return None
    where, notes = _where(tree, url, group, title)
    if not where:
        return None
    item, pinned = _item(tree, group)
    options: dict[str, str | int] = {"item": item, "title": title, **where, **date}
    options |= places.department(group.rows[0]) | _paging(tree, url)
    if pinned:
        notes = (*notes, Remark("pinned notices look like other rows: they are read as entries, once"))
    return Proposal(options=options, rows=len(group.rows), notes=notes)


def _groups(tree: Tree) -> Iterator[_Group]:
    under: dict[tuple[int, str], list[tuple[Node, Node]]] = {}
    for node in tree.css(_ROWS):
        parent, said = node.parent, node.text()
        if parent is None or len(said) > MOST_ROW or not places.has_date(node):
            continue
        if (link := _title_link(node)) is not None:
            under.setdefault((parent.mem_id, node.tag or ""), []).append((node, link))
    for found in under.values():
        titles = {places.says(link) for _, link in found}
        if len(found) >= LEAST_ROWS and len(titles) > len(found) // 2:
            rows, links = zip(*found, strict=True)
            yield _Group(rows=rows, links=links)


def _title_link(row: Node) -> Node | None:
    """The row's link with the longest text; links to files bear no titles."""
    found = [node for node in row.css("a") if places.says(node) and not _FILE.search(_leads(node))]
    return max(found, key=lambda node: len(places.says(node)), default=None)


def _leads(node: Node) -> str:
    said = node.attributes
    return f"{said.get('href') or ''} {said.get('onclick') or ''} {said.get('class') or ''}"


def _item(tree: Tree, group: _Group) -> tuple[str, bool]:
    """A selector of the rows and of no others; pinned notices are left out where a class marks them."""
    wanted = {row.mem_id for row in group.rows}
    classes = {row.mem_id: set(places.classes(row)) for row in group.rows}
    marks = {name for names in classes.values() for name in names if _PINNED.search(name)}
    plain = {row for row, names in classes.items() if not names & marks}
    ending = ""
    if len(marks) == 1 and plain:
        wanted, ending = plain, f":not(.{marks.pop()})"
    words = (one_line(cell.text()) for row in group.rows for cell in row.css("td, span")[:3])
    pinned = not ending and any(word in ("공지", "알림", "중요") for word in words)
    for selector in places.selectors(group.rows[-1]):
        for more in ("", ":has(a)", ":has(a):has(td)", ending, f":has(a){ending}", f":has(a):has(td){ending}"):
            if {node.mem_id for node in tree.css(f"{selector}{more}")} == wanted:
                return f"{selector}{more}", pinned
    return f"{group.rows[0].tag}:has(a){ending}", pinned


def _where(tree: Tree, url: str, group: _Group, title: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """How a row's address is found: its link, or an id and the template that makes an address of it."""
    hrefs = [link.attributes.get("href") or "" for link in group.links]
    if all(absolute(href, url) for href in hrefs) and len(set(hrefs)) > len(hrefs) // 2:
        return {"link": places.link(group.rows, group.links, title)}, ()
    for place, values in places.attributes(group.rows, group.links):
        attribute = place.rpartition("@")[2]
        call = scripts.call_of(values)
        if call is not None:
            made = scripts.template_of(tree, url, call)
            guess = "the address is a guess: what {function}() does was not found in the page"
            notes = () if made else (Remark(guess, function=call.function),)
            template = made or scripts.guessed(url, "id")
            return {"id": place, "id_pattern": call.pattern, "link_template": template}, notes
        if attribute.startswith("data-") and len(set(values)) == len(values) and all(map(_is_id, values)):
            made = scripts.template_of_data(tree, url, attribute)
            guess = "the address is a guess: nothing in the page says what {attribute} is for"
            notes = () if made else (Remark(guess, attribute=attribute),)
            return {"id": place, "link_template": made or scripts.guessed(url, attribute.removeprefix("data-"))}, notes
    return {}, ()


def _is_id(value: str) -> bool:
    return bool(re.fullmatch(r"[\w-]*\d[\w-]*", value)) and len(value) <= 80


def _paging(tree: Tree, url: str) -> dict[str, str | int]:
    """How to come to the next page: a parameter that other pages' links have, or that the paging script fills."""
    ours = dict(parse_qsl(urlsplit(url).query))
    steps: dict[str, set[int]] = {}
    for node in tree.css("a[href]"):
        link = absolute(node.attributes.get("href") or "", url)
        if not link or urlsplit(link).path != urlsplit(url).path:
            continue
        theirs = dict(parse_qsl(urlsplit(link).query))
        changed = {name for name in theirs if theirs[name] != ours.get(name) and theirs[name].isdigit()}
        if len(changed) == 1 and one_line(node.text()).isdigit():
            name = changed.pop()
            steps.setdefault(name, set()).add(int(theirs[name]))
    if steps:
        name, numbers = max(steps.items(), key=lambda one: len(one[1]))
        return {"page_param": name} | _step(sorted(numbers))
    return _scripted(tree)


def _step(numbers: Sequence[int]) -> dict[str, int]:
    """Links to 10, 20, 30 count rows and begin with 0; links to 2, 3, 4 count pages."""
    steps = [later - earlier for earlier, later in pairwise(numbers) if later > earlier]
    step = min(steps, default=1)
    return {"page_start": 0, "page_step": step} if step > 1 and all(number % step == 0 for number in numbers) else {}


def _scripted(tree: Tree) -> dict[str, str | int]:
    clicks = (_leads(node) for node in tree.css("a, button"))
    if not any(_LINK_PAGE.search(said) for said in clicks):
        return {}
    names = {one.attributes.get("name") or "" for one in tree.css("input")}
    return next(({"page_param": name} for name in _PAGE_NAMES if name in names), {})
