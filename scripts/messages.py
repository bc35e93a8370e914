"""Keeps the Korean catalogue: collects every text that a user may see, and writes ``policyfeed.po`` and ``.mo``.

``make messages`` adds new texts with an empty translation, drops those that are gone, compiles, and lists what still
has to be translated. ``--check`` changes nothing and fails when something is missing or behind.

Collected are: the first literal of ``_("…")``, ``say``, ``progress``, ``Remark`` and every error class; all literals of
``table``; what reaches a parameter called ``template``, ``message`` or ``remedy``, directly or through a name;
``_("…")`` of templates; and what typer asks gettext for, which looks into this catalogue.
"""

from __future__ import annotations

import ast
import gettext
import io
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import typer
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from policyfeed import errors
from policyfeed.relevance.checking import Severity
from policyfeed.types import ConditionName, DeliveryState

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "policyfeed"
PO = SOURCE / "locale" / "ko" / "LC_MESSAGES" / "policyfeed.po"
HEADER = "# Korean texts of policyfeed. English is the text in the source."

FIRST = {"_", "gettext", "marked", "say", "progress", "Remark"}
ALL = {"table"}
CARRIERS = ("template", "remedy", "message")
ERRORS = {name for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, Exception)}
STATES = {
    *("new", "ok", "unchanged", "off"),
    *(state.value for state in (*ConditionName, *DeliveryState, *Severity)),
    *(one.__name__ for one in errors.UpstreamError.__subclasses__()),
}
"""Values that are shown translated: states of sources and deliveries, severities of findings."""
SYSTEM = {
    *("No such file or directory", "Permission denied", "permission denied", "Operation not permitted", "File exists"),
    *("Is a directory", "Not a directory", "File name too long", "Too many levels of symbolic links"),
    *("Read-only file system", "No space left on device", "Disk quota exceeded", "Input/output error"),
    *("Too many open files", "Address already in use", "Cannot assign requested address", "Connection refused"),
    *("Connection reset by peer", "No route to host", "Network is unreachable", "Connection timed out"),
    *("Name or service not known", "Temporary failure in name resolution", "No address associated with hostname"),
    *("certificate has expired", "self-signed certificate", "self-signed certificate in certificate chain"),
    *("unable to get local issuer certificate", "unable to open database file", "database or disk is full"),
    *("file is not a database", "database disk image is malformed", "attempt to write a readonly database"),
    *("disk I/O error", "database is locked", "the connection broke"),
}
"""What the system, TLS and SQLite say most often, as the facts of errors that quote them."""
PLACES = re.compile(r"%\((\w+)\)s|(?<!\{)\{(\w+)(?:![rsa])?(?::[^{}]*)?\}(?!\})")


@dataclass(slots=True)
class _Module:
    """What one module says. ``names``: name → the expressions assigned to it; ``carriers``: function → positions."""

    tree: ast.Module
    names: dict[str, list[ast.expr]] = field(default_factory=dict)
    carriers: dict[str, set[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    self._assign(target, node.value)
            elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
                self._assign(node.target, node.value)
            elif isinstance(node, ast.FunctionDef):
                names = [one.arg for one in (*node.args.posonlyargs, *node.args.args) if one.arg != "self"]
                self._carry(node.name, names)
            elif isinstance(node, ast.ClassDef):
                fields = [one.target for one in node.body if isinstance(one, ast.AnnAssign)]
                self._carry(node.name, [one.id for one in fields if isinstance(one, ast.Name)])

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self.names.setdefault(target.id, []).append(value)
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for one, its in zip(target.elts, value.elts, strict=False):
                self._assign(one, its)

    def _carry(self, function: str, parameters: list[str]) -> None:
        found = {place for place, name in enumerate(parameters) if name in CARRIERS}
        if found:
            self.carriers.setdefault(function, set()).update(found)

    def literals(self, node: ast.expr, depth: int = 0) -> Iterator[str]:
        """The texts that an expression may be, as far as literals in this module tell."""
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                yield node.value
            return
        inner: list[ast.expr] = []
        if isinstance(node, ast.IfExp):
            inner = [node.body, node.orelse]
        elif isinstance(node, ast.BoolOp | ast.Dict):
            inner = node.values
        elif isinstance(node, ast.Subscript):
            inner = [node.value]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
            inner = [node.func.value, *node.args[1:]]
        elif isinstance(node, ast.Name) and depth < 4:
            inner = self.names.get(node.id, [])
        for one in inner:
            yield from self.literals(one, depth + 1)

    def texts(self, imported: dict[str, set[int]]) -> Iterator[str]:
        """Everything that this module shows. ``imported``: carriers of other modules."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield from self._said(node, imported)

    def _said(self, call: ast.Call, imported: dict[str, set[int]]) -> Iterator[str]:
        name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
        plain = [argument for argument in call.args if not isinstance(argument, ast.Starred)]
        if name in ALL:
            chosen = plain
        elif name in FIRST or name in ERRORS:
            chosen = plain[:1]
        else:
            chosen = []
        for one in chosen:
            yield from self.literals(one)
        places = self.carriers.get(name) or imported.get(name, set())
        carried = [plain[place] for place in sorted(places) if place < len(plain)]
        carried += [keyword.value for keyword in call.keywords if keyword.arg in CARRIERS]
        for one in carried:
            yield from (text for text in self.literals(one) if " " in text)  # sentences: keys and names pass here too


def collect() -> dict[str, set[str]]:
    """Every text → the files (relative to the checkout) that show it."""
    found: dict[str, set[str]] = {text: set() for text in STATES | SYSTEM}
    for text, file in (*_in_code(), *_in_templates(), *_in_typer()):
        found.setdefault(text, set()).add(file)
    found.pop("", None)
    return found


def _in_code() -> Iterator[tuple[str, str]]:
    modules = {path: _Module(ast.parse(path.read_text(encoding="utf-8"))) for path in sorted(SOURCE.rglob("*.py"))}
    imported: dict[str, set[int]] = {}
    for module in modules.values():
        for name, places in module.carriers.items():
            imported.setdefault(name, set()).update(places)
    for path, module in modules.items():
        yield from ((text, path.relative_to(ROOT).as_posix()) for text in module.texts(imported))


def _in_templates() -> Iterator[tuple[str, str]]:
    for path in sorted((SOURCE / "web" / "templates").rglob("*.html")):
        for _, function, said, _ in babel_extract(io.BytesIO(path.read_bytes()), ("_", "gettext", "ngettext"), (), {}):
            given = said if isinstance(said, tuple) else (said,)
            for one in given[: 2 if function == "ngettext" else 1]:  # its other arguments follow
                if isinstance(one, str):
                    yield one, path.relative_to(ROOT).as_posix()


def _in_typer() -> Iterator[tuple[str, str]]:
    for path in sorted(Path(typer.__file__).parent.rglob("*.py")):
        yield from ((str(said), "typer") for _, said, *_ in extract_from_file("python", path, {"_": None}))


def read() -> Catalog:
    """The catalogue as it is in the file."""
    with PO.open("rb") as file:
        return read_po(file, locale="ko", domain="policyfeed")


def placeholders(text: str) -> set[str]:
    """The names of the facts that a text wants."""
    return {one or other for one, other in PLACES.findall(text)}


def problems(catalog: Catalog, wanted: dict[str, set[str]]) -> list[str]:
    """What is wrong with the catalogue, one line each."""
    found = []
    for text in sorted(wanted):
        message = catalog.get(text)
        said = str(message.string) if message is not None else ""
        if message is None or not said.strip():
            found.append(f"not translated: {text!r}")
        elif message.fuzzy:
            found.append(f"marked fuzzy: {text!r}")
        elif placeholders(said) != placeholders(text):
            found.append(f"other placeholders in {said!r} than in {text!r}")
    known = {message.id for message in catalog if message.id}
    found += [f"no longer used: {text!r}" for text in sorted(map(str, known - set(wanted)))]
    if _compiled() != {str(one.id): str(one.string) for one in catalog if one.id and one.string and not one.fuzzy}:
        found.append("policyfeed.mo is older than policyfeed.po")
    return found


def _compiled() -> dict[str, str]:
    with PO.with_suffix(".mo").open("rb") as file:
        texts: dict[str, str] = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]  # no public list
    return {str(text): said for text, said in texts.items() if text}


def write(catalog: Catalog, wanted: dict[str, set[str]]) -> Catalog:
    """The catalogue brought up to date, in the files too."""
    fresh = Catalog(locale="ko", domain="policyfeed", project="policyfeed", version="1", header_comment=HEADER)
    fresh.creation_date = catalog.creation_date
    fresh.revision_date = catalog.revision_date
    for text in sorted(wanted):
        old = catalog.get(text)
        said = str(old.string) if old is not None and not old.fuzzy else ""
        fresh.add(text, said, locations=[(file, None) for file in sorted(wanted[text])])  # type: ignore[misc]
    with PO.open("wb") as file:
        write_po(file, fresh, width=120, include_lineno=False, ignore_obsolete=True)
    with PO.with_suffix(".mo").open("wb") as file:
        write_mo(file, fresh)
    return fresh


def main(arguments: list[str]) -> int:
    wanted, catalog = collect(), read()
    if "--check" not in arguments:
        catalog = write(catalog, wanted)
    found = problems(catalog, wanted)
    for line in found:
        sys.stderr.write(f"{line}\n")
    if found:
        sys.stderr.write(f"{len(found)} problems in {PO.relative_to(ROOT)}: translate there, then `make messages`.\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
