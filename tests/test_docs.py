"""The documentation is a contract: what the program has is described, and what is described is there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from itertools import takewhile
from pathlib import Path
from typing import Any, cast

import pytest
from scripts import messages, reference

from policyfeed import registry
from policyfeed.config import load
from policyfeed.config.models import ChannelTable
from policyfeed.workers import QUICK

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
SPAN = re.compile(r"`([^`\n]+)`")
VARIABLE = re.compile(r"POLICYFEED_[A-Z_]+")
OTHERS = {"POLICYFEED_CI"}  # of the tests


def _named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _prose(path: Path) -> str:
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def _shell(path: Path) -> list[str]:
    """The lines of commands in a page's fences, joined where they are continued, without remarks."""
    lines = []
    for language, block in FENCE.findall(path.read_text(encoding="utf-8")):
        if language in ("sh", "console"):
            found = block.replace("\\\n", " ").splitlines()
            lines += [line.removeprefix("$ ") for line in found if language == "sh" or line.startswith("$ ")]
    return [re.sub(r"\s+#.*", "", line).strip() for line in lines if line.strip()]


def _arguments(line: str) -> Iterator[list[str]]:
    """The arguments of every ``policyfeed …`` in a line of shell."""
    for part in re.split(r"\|(?![A-Z])|&&|;|>|<", re.sub(r"\$\([^)]*\)", "…", line)):
        try:
            words = shlex.split(part)
        except ValueError:
            continue
        words = [word for word in words if "=" not in word or word.startswith("-")]
        if len(words) > 1 and Path(words[0]).name == "policyfeed":
            yield words[1:]


def _called(path: Path) -> list[list[str]]:
    """What a page calls, in its commands and its code spans."""
    lines = [*_shell(path), *SPAN.findall(_prose(path))]
    return [arguments for line in lines for arguments in _arguments(line)]


def _wrong(arguments: list[str], *, whole: bool) -> str:
    """What the command line would say to these arguments; without ``whole`` some may still be missing."""
    try:
        _parse(cast("Any", reference.root_command()), "policyfeed", arguments)
    except Exception as problem:
        said, kind = str(problem), type(problem).__name__
        unfinished = kind == "MissingParameter" or "requires an argument" in said
        ended = kind in ("Exit", "NoArgsIsHelpError")  # --version and --help end early
        return "" if ended or (unfinished and not whole) else f"policyfeed {shlex.join(arguments)}: {said}"
    return ""


def _parse(command: Any, name: str, arguments: list[str]) -> None:
    """Parse as the command line would, without running anything. Raises click's UsageError."""
    context = command.make_context(name, list(arguments), ignore_unknown_options=False)
    if hasattr(command, "commands"):
        inner, found, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        _parse(found, inner, rest)


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", _prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


# What the program has is described ------------------------------------------------------------------------------


def test_the_reference_says_what_the_code_says() -> None:
    assert [_named(path) for path in reference.behind()] == [], "run `make docs`"


def test_every_setting_has_a_meaning_and_no_meaning_is_left_over() -> None:
    told = reference.meanings()
    shapes = {shape.__name__: set(shape.model_fields) for group in reference.FILES.values() for shape in group}
    assert {name: set(told[name]) for name in shapes} == shapes
    assert set(told["http"]) == set(reference.every_address())


@pytest.mark.parametrize("page", ["docs/fetching.md", "docs/reference/settings.md"])
def test_pages_say_how_long_a_document_is_a_quick_one(page: str) -> None:
    said = re.findall(r"(?:has|over) (\d\.\d) s(?= of the processor| waits)", (ROOT / page).read_text(encoding="utf-8"))
    assert [float(one) for one in said] == [QUICK]


def test_every_variable_is_described_and_there() -> None:
    sources = [*(ROOT / "src").rglob("*.py"), *(ROOT / "config").rglob("*.toml")]
    used = {name for path in sources for name in VARIABLE.findall(path.read_text(encoding="utf-8"))}
    described = {name for name in reference.meanings()["environment"] if name.startswith("POLICYFEED_")}
    assert described == used


@pytest.mark.parametrize("path", PAGES, ids=_named)
def test_every_variable_that_a_page_names_exists(path: Path) -> None:
    known = set(reference.meanings()["environment"]) | OTHERS
    assert set(VARIABLE.findall(path.read_text(encoding="utf-8"))) <= known


@pytest.mark.parametrize("group", ["sources", "formats", "channels"])
def test_every_adapter_is_described_where_one_learns_to_use_it(group: str) -> None:
    page = ROOT / "docs" / ("feeds.md" if group == "formats" else f"{group}.md")
    text = page.read_text(encoding="utf-8")
    for name in registry.names(group):
        shown = f".{registry.load(group, name).EXTENSION}`" if group == "formats" else name
        assert shown in text, f"{_named(page)} does not name {name}"


def test_every_option_of_a_source_is_described() -> None:
    said = set(re.findall(r"`(?:options\.)?(\w+)`", (ROOT / "docs/sources.md").read_text(encoding="utf-8")))
    said.add("key")  # of data.go.kr: stands there as it is written
    declared = {one.name for kind in registry.names("sources") for one in fields(registry.options("sources", kind))}
    assert declared - said == set()


def test_every_metric_has_labels_and_a_sentence() -> None:
    page = (ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8")
    metrics = list(reference.every_metric())
    assert len(metrics) > 10
    for metric in metrics:
        assert f"| `{reference.metric_name(metric)}` |" in page


@pytest.mark.parametrize("path", PAGES, ids=_named)
def test_every_metric_that_a_page_names_exists(path: Path) -> None:
    known = {reference.metric_name(metric) for metric in reference.every_metric()}
    named = set(re.findall(r"\bpolicyfeed_[a-z_]+\b", path.read_text(encoding="utf-8")))
    assert named <= known


# What is described is there -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES, ids=_named)
def test_every_command_in_a_page_parses(path: Path) -> None:
    found = [_wrong(arguments, whole=True) for line in _shell(path) for arguments in _arguments(line)]
    found += [_wrong(arguments, whole=False) for span in SPAN.findall(_prose(path)) for arguments in _arguments(span)]
    assert [said for said in found if said and "[OPTIONS]" not in said] == []


@pytest.mark.parametrize("path", PAGES, ids=_named)
def test_every_command_stands_where_it_is_tried(path: Path) -> None:
    blocks = FENCE.findall(path.read_text(encoding="utf-8"))
    unread = [line for language, block in blocks if not language for line in block.splitlines()]
    assert [line for line in unread if line.startswith("policyfeed ")] == []


def test_every_command_that_a_message_advises_exists() -> None:
    advised = [span for text in messages.collect() for span in SPAN.findall(text)]
    calls = [arguments for span in advised for arguments in _arguments(span)]
    assert len(calls) > 3
    assert [said for arguments in calls if (said := _wrong(arguments, whole=False))] == []


def test_the_readme_calls_the_commands_that_matter() -> None:
    called = [" ".join(arguments) for arguments in _called(ROOT / "README.md")]
    for wanted in (
        "explain",
        "channels test slack",
        "once",
        "publish",
        "classify",
        "check",
        "db backup",
        "sources list",
    ):
        assert any(one.startswith(wanted) for one in called), wanted


@pytest.mark.parametrize("line", ["fly", "poll --everything", "channels tset", "--colour run", "db backup a b"])
def test_a_wrong_command_would_be_noticed(line: str) -> None:
    assert _wrong(line.split(), whole=False)


@pytest.mark.parametrize("path", [page for page in PAGES if "```toml" in page.read_text("utf-8")], ids=_named)
def test_every_configuration_in_a_page_is_right(path: Path, tmp_path: Path) -> None:
    blocks = [block for language, block in FENCE.findall(path.read_text(encoding="utf-8")) if language == "toml"]
    named = [re.match(r"# (?:\w+/)?(\w+\.toml)\b", block) for block in blocks]
    for name, block in [(found[1], block) for found, block in zip(named, blocks, strict=True) if found]:
        with (tmp_path / name).open("a", encoding="utf-8") as file:
            file.write(block)
    if path.name == "topics.md":
        shutil.copytree(ROOT / "docs/examples/ai-regulation", tmp_path / "topics")
    sources = "\n".join(block for block in blocks if block.startswith("[[source]]"))
    if sources:
        (tmp_path / "sources").mkdir()
        (tmp_path / "sources" / "own.toml").write_text(sources, encoding="utf-8")
    load(tmp_path, {})


def test_the_keys_of_a_channel_are_those_that_its_page_names() -> None:
    rows = (
        (ROOT / "docs/channels.md").read_text(encoding="utf-8").partition("\n| key | meaning |\n")[2].splitlines()[1:]
    )
    named = {key for row in takewhile(str.strip, rows) for key in SPAN.findall(row.split("|")[1])}
    assert named == set(ChannelTable.model_fields)


def test_every_topic_that_is_shipped_is_listed() -> None:
    text = (ROOT / "docs/topics.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"`([ESG]\d+)` ([^·|`]+?) (?=[·|])", text))
    rules = load(ROOT / "config", {}).rules
    assert listed == {topic.id: rules.names("en")[topic.id] for topic in rules.topics}


@pytest.mark.parametrize("page", ["README.md", "README.ko.md"])
def test_the_board_in_the_readme_is_the_demos(page: str) -> None:
    (block,) = (block for language, block in FENCE.findall((ROOT / page).read_text("utf-8")) if language == "text")
    bodies = load(ROOT / "config", {}).ministries
    file = ROOT / "src/policyfeed/demo/releases.toml"
    there = tomllib.loads(file.read_text(encoding="utf-8"))["release"]
    known = {f"{one['title']} {bodies.named(one['ministry']).name}" for one in there}
    shown = [" ".join(line.split()[1:-2]) for line in block.splitlines()[1:]]
    assert shown
    assert set(shown) <= known


@pytest.mark.parametrize("path", PAGES, ids=_named)
def test_every_link_leads_somewhere(path: Path) -> None:
    for link in LINK.findall(_prose(path)):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), f"{link} leads nowhere"
        assert target.is_relative_to(ROOT)
        if anchor:
            assert anchor in _anchors(target), f"{link}: no such heading"


@pytest.mark.parametrize("path", PAGES, ids=_named)
def test_every_make_target_in_a_page_exists(path: Path) -> None:
    known = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    said = [*_shell(path), *SPAN.findall(_prose(path))]
    wanted = {name for line in said for name in re.findall(r"(?:^|\s)make ((?:[a-z-]+ ?)+)", line)}
    assert {target for names in wanted for target in names.split()} <= known


def test_the_table_of_layers_is_that_of_the_import_contracts() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = [set(re.split(r" [|:] ", one)) for one in contracts[0]["layers"]]
    rows = (ROOT / "docs" / "design.md").read_text(encoding="utf-8").partition("| layer |")[2].splitlines()[2:]
    table = [set(SPAN.findall(row.split("|")[1])) for row in takewhile(str.strip, rows)]
    assert table == layers[1:]  # without __main__


@pytest.mark.parametrize("path", PAGES, ids=_named)
def test_every_file_that_a_page_names_exists(path: Path) -> None:
    tops = ("benchmarks/", "config/", "deploy/", "docs/", "scripts/", "src/", "tests/")
    for span in SPAN.findall(_prose(path)):
        if span.startswith(tops) and re.fullmatch(r"[\w./-]+", span):
            assert (ROOT / span).exists(), span


@pytest.mark.parametrize("path", PAGES, ids=_named)
def test_no_page_is_an_island(path: Path) -> None:
    linked = {
        (page.parent / link.partition("#")[0]).resolve()
        for page in PAGES
        if page != path
        for link in LINK.findall(_prose(page))
        if not link.startswith("http")
    }
    assert path in linked or path.name == "README.md"


# What there is in two languages says the same ----------------------------------------------------------------------


def _sections(path: Path) -> list[str]:
    return re.findall(r"^(#+) ", _prose(path), re.MULTILINE)


def _links(path: Path) -> list[str]:
    """Where a page leads, in English; not to itself in the other language."""
    translated = {"docs/quickstart.ko.md": "docs/quickstart.md"}
    other = {path.name.replace(".ko.", "."), path.name.replace(".md", ".ko.md")}
    return [translated.get(link, link) for link in LINK.findall(_prose(path)) if link not in other]


@pytest.mark.parametrize("page", ["README", "docs/quickstart"])
def test_both_languages_have_the_same_sections_commands_links_and_tables(page: str) -> None:
    english, korean = ROOT / f"{page}.md", ROOT / f"{page}.ko.md"
    assert _sections(korean) == _sections(english)
    assert _shell(korean) == _shell(english)
    assert _called(korean) == _called(english)
    assert _links(korean) == _links(english)
    rows = [len(re.findall(r"^\|", _prose(path), re.MULTILINE)) for path in (english, korean)]
    assert rows[0] == rows[1] > 5


def test_the_two_commands_stand_first() -> None:
    for name in ("README.md", "README.ko.md"):
        assert _shell(ROOT / name)[:2] == ["make run", "make test"]


@pytest.mark.parametrize(("page", "language"), [("README.md", "en"), ("README.ko.md", "ko")])
def test_the_explanation_in_the_readme_is_what_the_command_says(page: str, language: str) -> None:
    (block,) = (block for _, block in FENCE.findall((ROOT / page).read_text("utf-8")) if "policyfeed explain" in block)
    command, *shown = block.splitlines()
    program = Path(sys.executable).with_name("policyfeed")
    environ = {**os.environ, "POLICYFEED_LANG": language, "COLUMNS": "120"}
    said = subprocess.run(
        [program, *next(_arguments(command.removeprefix("$ ")))],
        env=environ,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.split() for line in said.stdout.splitlines()]
    assert [line for line in shown if line != "…" and line.split() not in lines] == []


@pytest.mark.parametrize("path", PAGES, ids=_named)
def test_every_test_and_case_that_a_page_names_exists(path: Path) -> None:
    spans = set(SPAN.findall(_prose(path)))
    tests = {span for span in spans if re.fullmatch(r"test_\w+", span)}
    written = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py")) if tests else ""
    assert [one for one in sorted(tests) if f"def {one}(" not in written] == []
    kinds = "|".join(registry.names("sources"))
    cases = {span for span in spans if re.fullmatch(rf"(?:{kinds})/[\w.-]+", span)}
    folders = [ROOT / "tests/cases" / what for what in ("sources", "details")]
    assert [one for one in sorted(cases) if not any((folder / one).is_dir() for folder in folders)] == []
