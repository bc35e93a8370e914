"""Where a javascript: link leads: the call's changing arguments, and the address that the page's own script makes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

if TYPE_CHECKING:
    from policyfeed.normalize.parsers import Node, Tree

_CALL = re.compile(r"(?:^|[;\s:{]|return\s)([\w$.]+)\s*\(([^()]*)\)")
_ARGUMENT = re.compile(r"\s*(?:'([^']*)'|\"([^\"]*)\"|([^,'\"]+))\s*(?:,|$)")
_GOES = re.compile(r"(?:location(?:\.href)?\s*=|location\.(?:assign|replace)\s*\(|window\.open\s*\()\s*([^;\n]{1,600})")
_TOKEN = re.compile(r"\s*(?:'([^']*)'|\"([^\"]*)\"|([\w$.]+)|(\+)|(.))", re.DOTALL)
_ACTION = re.compile(r"""(?:\.action\s*=\s*|attr\(\s*["']action["']\s*,\s*)["']([^"']{1,400})["']""")
_FILLED = (
    r"""(?:(?:\.|\[["'])(\w+)(?:["']\])?\.value\s*=|\(\s*["'](?:\w*\[name=['"]?)?#?([\w-]+)['"]?\]?["']\s*\)\.val\(|"""
    r"""elements\[["'](\w+)["']\]\.value\s*=)\s*%s\b"""
)
_LIST = re.compile(r"list", re.IGNORECASE)
_POSITION = re.compile(r"^(page\w*|curr\w*|search\w*|srch\w*|sch\w*|keyword)$", re.IGNORECASE)
ID = "__id__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A function that rows call with changing arguments. ``pattern`` finds these in the row's attribute.

    ``arguments`` are those of one row.
    """

    function: str
    pattern: str
    arguments: tuple[str, ...]
    changing: tuple[int, ...]


def call_of(values: Sequence[str]) -> Call | None:
    """The call that all these attributes (``goView('12','345')``) make; None where they make none, or always one."""
    calls = [_CALL.search(value.removeprefix("javascript:").strip()) for value in values]
    if not all(calls):
        return None
    names = {found[1] for found in calls if found}
    arguments = [_arguments(found[2]) for found in calls if found]
    if len(names) != 1 or len({len(one) for one in arguments}) != 1:
        return None
    columns = list(zip(*arguments, strict=True))
    changing = tuple(place for place, column in enumerate(columns) if len(set(column)) > len(column) // 2)
    if not changing or not any(re.search(r"\d", columns[place][0]) for place in changing):
        return None
    parts = [
        r"""['"]?([^'",)\s]+)['"]?""" if place in changing else _constant(column)
        for place, column in enumerate(columns[: changing[-1] + 1])
    ]
    name = names.pop()
    return Call(
        function=name,
        pattern=rf"{re.escape(name)}\(\s*" + r"\s*,\s*".join(parts),
        arguments=arguments[0],
        changing=changing,
    )


def template_of(tree: Tree, url: str, call: Call) -> str:
    """The address that the called function makes, ``{id}`` and ``{2}`` … in place of what changes; "" when unknown."""
    scripts = _scripts(tree)
    name = re.escape(call.function.rpartition(".")[2])
    found = re.search(rf"(?:function\s+{name}\s*|\b{name}\s*[=:]\s*(?:function\s*)?)\(([^)]*)\)", scripts)
    if not found:
        return ""
    parameters = [one.strip() for one in found[1].split(",")]
    places = dict(zip(parameters, map(quote, call.arguments), strict=False))
    places |= {parameters[at]: _place(n) for n, at in enumerate(call.changing, 1) if at < len(parameters)}
    return _address(tree, url, _body(scripts[found.end() :]), places)


def template_of_data(tree: Tree, url: str, attribute: str) -> str:
    """The same for rows with ``data-id="…"``, which a script reads (``$(this).data("id")``, ``dataset.id``)."""
    scripts = _scripts(tree)
    short = re.escape(attribute.removeprefix("data-"))
    ways = (
        rf"""\.data\(\s*["']{short}["']\s*\)""",
        rf"""(?:attr|getAttribute)\(\s*["']data-{short}["']\s*\)""",
        rf"""\.dataset\.{short}\b""",
    )
    reading = rf"[\w$().]*?(?:{'|'.join(ways)})"
    marked = re.sub(reading, ID, scripts)
    if ID not in marked:
        return ""
    names = re.findall(rf"(?:var|let|const)\s+(\w+)\s*=\s*{ID}", marked)
    return _address(tree, url, marked, dict.fromkeys([*names, ID], "{id}"))


def _scripts(tree: Tree) -> str:
    """What stands in the page's own script elements."""
    return "\n".join(node.text() for node in tree.css("script") if not node.attributes.get("src"))


def guessed(url: str, name: str) -> str:
    """What an item's address often is where its list is at ``url``: a guess that has to be proven."""
    parts = urlsplit(url)
    head, _, last = parts.path.rpartition("/")
    last = (
        _LIST.sub(lambda found: "View" if found[0][0].isupper() else "view", last) if _LIST.search(last) else "view.do"
    )
    pairs = [pair for pair in parse_qsl(parts.query) if not _POSITION.match(pair[0])]
    query = urlencode(pairs) + ("&" if pairs else "") + name + "={id}"
    return urlunsplit(parts._replace(path=f"{head}/{last}", query=query, fragment=""))


def _place(number: int) -> str:
    return "{id}" if number == 1 else f"{{{number}}}"


def _arguments(text: str) -> tuple[str, ...]:
    found = _ARGUMENT.finditer(text) if text.strip() else ()
    return tuple((one[1] or one[2] or one[3] or "").strip() for one in found)


def _constant(column: Sequence[str]) -> str:
    same = column[0] if len(set(column)) == 1 else None
    return rf"""['"]?{re.escape(same)}['"]?""" if same is not None else r"""['"]?[^'",)]*['"]?"""


def _body(text: str) -> str:
    """A function's body: to the brace that closes it."""
    depth = 0
    for place, sign in enumerate(text[:8_000]):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if sign == "}" and depth <= 0:
            return text[:place]
    return text[:8_000]


def _address(tree: Tree, url: str, body: str, places: dict[str, str]) -> str:
    for found in _GOES.finditer(body):
        said = _joined(found[1], places)
        if "{" in said:
            return _absolute(url, said)
    actions = _ACTION.findall(body)
    filled = {}
    for name, place in places.items():
        for found in re.finditer(_FILLED % re.escape(name), body):
            filled[next(one for one in found.groups() if one)] = place
    if not any("{" in place for place in filled.values()):
        return ""
    form = _form(tree, set(filled))
    target = actions[-1] if actions else ((form.attributes.get("action") or "") if form else "")
    if not target:
        return ""
    query = urlencode([pair for pair in _hidden(form) if pair[0] not in filled])
    names = "&".join(f"{name}={place}" for name, place in filled.items())
    joined = "&".join(part for part in (query, names) if part)
    return _absolute(url, f"{target}{'&' if '?' in target else '?'}{joined}")


def _joined(expression: str, places: dict[str, str]) -> str:
    """``"view.do?no=" + id + "&p=1"`` with what is known filled in; what is not known is left out."""
    said = ""
    for found in _TOKEN.finditer(expression):
        if found[5] is not None and found[5].strip():
            break
        said += found[1] or found[2] or places.get(found[3] or "", "")
    return said


def _form(tree: Tree, names: set[str]) -> Node | None:
    """The form that has the inputs."""
    for form in tree.css("form"):
        if names & {one.attributes.get("name") or one.attributes.get("id") or "" for one in form.css("input")}:
            return form
    return None


def _hidden(form: Node | None) -> list[tuple[str, str]]:
    """The form's constants; where in the list the reader was is none."""
    inputs = form.css('input[type="hidden"]') if form is not None else []
    pairs = ((one.attributes.get("name") or "", one.attributes.get("value") or "") for one in inputs)
    return [(name, value) for name, value in pairs if name and value and not _POSITION.match(name)]


def _absolute(url: str, link: str) -> str:
    """urljoin leaves braces as they are; an address of another scheme is none."""
    made = urljoin(url, link.replace("&amp;", "&"))
    return made if made.startswith(("http://", "https://")) else ""
