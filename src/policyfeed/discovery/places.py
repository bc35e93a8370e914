"""Places (selectors within a row) that hold the same thing in every row: title, link, date, department."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from policyfeed.normalize import dates
from policyfeed.normalize.text import one_line

if TYPE_CHECKING:
    from policyfeed.normalize.parsers import Node

_DAY = r"(?:19|20)\d{2}\s*[-./년]\s*\d{1,2}\s*[-./월]\s*\d{1,2}(?:\s*일)?\.?(?:\s+\d{1,2}:\d{2}(?::\d{2})?)?"
_SHORT = r"(?<![\d.-])\d{2}[.-]\d{2}[.-]\d{2}(?![\d.-])"
_DATE = re.compile(rf"{_DAY}|{_SHORT}")
_NAME = re.compile(r"[A-Za-z_][\w-]*")
_INNER = ("strong", "h2", "h3", "h4", "h5", "dt", ".title", ".tit", ".subject", ".subj", ".sbj", "b", "em", "p", "span")
_WHEN = re.compile(r"등록|작성|게시|배포|날짜|일자|date", re.IGNORECASE)
_WHO = re.compile(r"부서|담당|작성자|department", re.IGNORECASE)
_CUT = re.compile(r"(…|\.\.\.|···)\s*$")
_ALL = "td, th, span, p, dd, dt, em, i, li, div, time, strong, b"


def has_date(node: Node) -> bool:
    return bool(_DATE.search(node.text())) or node.css_first("time[datetime]") is not None


def says(link: Node) -> str:
    """A link's text, or the title of one without."""
    return one_line(link.text()) or one_line(link.attributes.get("title") or "")


def title(rows: Sequence[Node], links: Sequence[Node]) -> str:
    """The place of the titles; "" where there is none that fits all rows."""
    wanted = [says(link) for link in links]
    if sum(bool(_DATE.search(text)) for text in wanted) > len(wanted) // 2:  # the link is the whole row
        return next((place for place in _INNER if _is_title(rows, place)), "")
    cut = any(_CUT.search(text) for text in wanted) or not all(link.text().strip() for link in links)
    if cut and all(link.attributes.get("title") for link in links):
        return f"{_of(rows, links)}@title"
    return _of(rows, links)


def link(rows: Sequence[Node], links: Sequence[Node], title_place: str) -> str:
    """The place of the links: that of the titles where these are the links."""
    place = _of(rows, links)
    return title_place if title_place == place else place


def date(rows: Sequence[Node]) -> dict[str, str]:
    """The options that read a date in every row; empty where there is none that can be read."""
    if all(row.css_first("time[datetime]") is not None for row in rows):
        return {"date": "time@datetime"}
    for place in _date_places(rows[0]):
        texts = [_first_date(row, place) for row in rows]
        if not all(texts):
            continue
        if all(dates.parse(text) for text in texts):
            return {"date": place}
        if all((found := re.search(_DAY, text)) and dates.parse(found[0]) for text in texts):
            return {"date": place, "date_pattern": _DAY}
        short = [re.search(_SHORT, text) for text in texts]
        if all(short):
            sign = "." if all(one and "." in one[0] for one in short) else "-"
            return {"date": place, "date_pattern": _SHORT, "date_format": f"%y{sign}%m{sign}%d"}
    texts = [_cell_date(row) for row in rows]
    return {"date": "td", "date_pattern": rf"^{_DAY}$"} if all(texts) else {}


def department(row: Node) -> dict[str, str]:
    """The column that its heading calls the department."""
    column = _column(row, _WHO)
    return {"department": f"td:nth-child({column})"} if column else {}


def attributes(rows: Sequence[Node], links: Sequence[Node]) -> Iterator[tuple[str, list[str]]]:
    """(place, its values) of the attributes that may bear an id: of the links first, then of the rows."""
    place = _of(rows, links)
    names = list(dict.fromkeys(name for name in links[0].attributes if _may_bear(name)))
    for name in names:
        yield f"{place}@{name}", [one.attributes.get(name) or "" for one in links]
    for name in (name for name in rows[0].attributes if _may_bear(name)):
        yield f"@{name}", [one.attributes.get(name) or "" for one in rows]
    inner = next((node for node in rows[0].css("*") if node.attributes.get("onclick")), None)
    if inner is not None:
        yield f"{_tag(inner)}@onclick", [_attribute(row, _tag(inner), "onclick") for row in rows]


def selectors(row: Node) -> Iterator[str]:
    """Selectors of a row, the plainest first: by its own class, then under each ancestor that has a name."""
    own = row.tag or ""
    yield from (f"{own}.{name}" for name in classes(row))
    ancestor, path = row.parent, ""
    for _ in range(8):
        if ancestor is None or ancestor.tag in ("html", "body", None):
            break
        named = [f"{_tag(ancestor)}#{id_}"] if (id_ := _id(ancestor)) else []
        named += [f"{_tag(ancestor)}.{name}" for name in classes(ancestor)]
        yield from (f"{name} {path}{own}" for name in named)
        if ancestor.tag in ("table", "tbody", "ul", "ol"):
            path = f"{ancestor.tag} {path}"
        ancestor = ancestor.parent
    yield f"{path}{own}"


def _may_bear(name: str) -> bool:
    return name in ("onclick", "href") or name.startswith("data-")


def _attribute(row: Node, css: str, name: str) -> str:
    return next((value for node in row.css(css) if (value := node.attributes.get(name))), "")


def _of(rows: Sequence[Node], links: Sequence[Node]) -> str:
    """The plainest selector whose first node with text is the link, in every row."""
    first = links[0]
    cell = first.parent
    while cell is not None and cell.tag not in ("td", "li", "dd", "dt", "div", "p", "strong", "span"):
        cell = cell.parent
    within = [f".{name} a" for name in (classes(cell) if cell is not None else ())]
    column = _position(first)
    within += [f"td:nth-child({column}) a"] if column else []
    for place in ("a", *within, *(f"a.{name}" for name in classes(first))):
        if all(_same(_first(row, place), one) for row, one in zip(rows, links, strict=True)):
            return place
    return "a"


def _first(row: Node, css: str) -> Node | None:
    return next((node for node in row.css(css) if says(node)), None)


def _same(one: Node | None, other: Node) -> bool:
    return one is not None and one.mem_id == other.mem_id


def _is_title(rows: Sequence[Node], place: str) -> bool:
    nodes = [_first(row, place) for row in rows]
    texts = [one_line(node.text()) for node in nodes if node is not None]
    long_enough = sum(map(len, texts)) / max(1, len(texts)) >= 6
    return len(texts) == len(rows) and long_enough and len(set(texts)) > 1 and not any(map(_DATE.search, texts))


def _date_places(row: Node) -> list[str]:
    """Places in the row that hold a date, the plainest first; of several columns the one that is headed so."""
    leaves = [node for node in row.css(_ALL) if _DATE.search(node.text()) and not _inner_date(node)]
    column = _column(row, _WHEN)
    leaves.sort(key=lambda node: _position(node) != column)
    places: list[str] = []
    for node in leaves:
        tag, position = _tag(node), _nth(node)
        data = [name for name in node.attributes if name.startswith("data-") or name == "aria-label"]
        places += [f"{tag}.{name}" for name in classes(node)]
        places += [f'{tag}[{name}="{node.attributes[name]}"]' for name in data if _plain(name, node.attributes[name])]
        places += [f"{tag}:nth-child({position})"] if position else []
        parent = node.parent
        if parent is not None and node.tag not in ("td", "th"):
            places += [f".{name} > {tag}:nth-child({position})" for name in classes(parent)]
        places.append(tag)
    return places


def _plain(name: str, value: str | None) -> bool:
    return bool(value and _NAME.fullmatch(name)) and not re.search(r'["\\\n]', str(value))


def _tag(node: Node) -> str:
    """The node's tag, or * for one that cannot be written in a selector: a torn one may be called h2026.05<ul."""
    return node.tag if node.tag and _NAME.fullmatch(node.tag) else "*"


def _inner_date(node: Node) -> bool:
    return any(one.mem_id != node.mem_id and _DATE.search(one.text()) for one in node.css(_ALL))


def _first_date(row: Node, place: str) -> str:
    """What a table's ``date`` would read there: the first text; it has to hold a date."""
    text = next((said for node in row.css(place) if (said := node.text().strip())), "")
    return text if _DATE.search(text) else ""


def _cell_date(row: Node) -> str:
    texts = (cell.text().strip() for cell in row.css("td"))
    return next((text for text in texts if re.match(rf"^{_DAY}$", text) and dates.parse(text)), "")


def _column(row: Node, said: re.Pattern[str]) -> int:
    """The number of the column whose heading says so; 0 = none does."""
    table = row.parent
    while table is not None and table.tag != "table":
        table = table.parent
    head = table.css_first("thead tr") if table is not None and row.tag == "tr" else None
    headings = [one_line(cell.text()) for cell in head.css("th, td")] if head is not None else []
    return next((number for number, text in enumerate(headings, 1) if said.search(text)), 0)


def _position(node: Node) -> int:
    """The number of the table cell that holds the node; 0 = it is in none."""
    cell: Node | None = node
    while cell is not None and cell.tag not in ("td", "tr"):
        cell = cell.parent
    return _nth(cell) if cell is not None and cell.tag == "td" else 0


def _nth(node: Node) -> int:
    """Which child of its parent it is, counting elements from 1."""
    siblings = list(node.parent.iter()) if node.parent is not None else []
    return next((number for number, one in enumerate(siblings, 1) if one.mem_id == node.mem_id), 0)


def classes(node: Node) -> list[str]:
    """Classes that can be written in a selector; those with digits are often numbers of the row."""
    found = [name for name in (node.attributes.get("class") or "").split() if _NAME.fullmatch(name)]
    return sorted(found, key=lambda name: any(map(str.isdigit, name)))


def _id(node: Node) -> str:
    id_ = node.attributes.get("id") or ""
    return id_ if _NAME.fullmatch(id_) and not re.search(r"\d{2}", id_) else ""
