"""The checkout itself: pins that fit what is declared, set-up that a bare machine can run."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from scripts import constraints

ROOT = Path(__file__).parents[1]


def _pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def test_every_dependency_is_pinned_within_its_range() -> None:
    pins = _pins()
    for line in constraints.declared():
        wanted = Requirement(line)
        assert wanted.specifier.contains(pins[canonicalize_name(wanted.name)]), line


def test_every_dependency_says_since_when_it_fits() -> None:
    """Else an installer may choose one that is for Python 2."""
    ranges = {line: Requirement(line).specifier for line in constraints.declared()}
    assert [line for line, found in ranges.items() if not any(one.operator == ">=" for one in found)] == []


def test_whatever_they_need_is_pinned_too() -> None:
    assert set(constraints.closure(constraints.declared())) <= set(_pins()), "run `make constraints`"


def test_the_pins_run_on_the_oldest_python() -> None:
    assert constraints.too_new(constraints.closure(constraints.declared())) == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["requires-python"] == ">=3.11"


def test_a_package_that_is_too_new_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constraints, "OLDEST", "2.7")
    assert any(said.startswith("pytest wants Python") for said in constraints.too_new(["pytest"]))


@pytest.mark.parametrize("file", ["compose.yaml", "policyfeed.env"])
def test_what_is_deployed_passes_every_secret_and_proxy_on(file: str) -> None:
    shipped = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "config").rglob("*.toml"))
    meanings = tomllib.loads((ROOT / "scripts" / "meanings.toml").read_text(encoding="utf-8"))
    proxies = {name for name in meanings["environment"] if name.endswith("_PROXY")}
    wanted = proxies | set(re.findall(r'"env:(\w+)"', shipped))
    assert len(wanted) >= 9
    assert wanted <= set(
        re.findall(r"^[ #]*(\w+)[:=]", (ROOT / "deploy" / file).read_text(encoding="utf-8"), re.MULTILINE)
    )


def test_a_migration_is_not_ended_by_the_services_supervisor() -> None:
    """systemd's own limit of a start is 90 seconds: killed and begun anew, a long migration would never end."""
    unit = (ROOT / "deploy" / "policyfeed.service").read_text(encoding="utf-8")
    assert re.search(r"^TimeoutStartSec=(\d+h|infinity)$", unit, re.MULTILINE)


def test_commands_beside_the_service_work_as_it_does() -> None:
    unit = (ROOT / "deploy" / "policyfeed.service").read_text(encoding="utf-8")
    docs = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    (beside,) = re.findall(r"systemd-run(?:.*\\\n)*.*", docs)
    (program,) = re.findall(r"ExecStart=(.*) run", unit)
    settings = re.findall(r"^(?:EnvironmentFile|Environment|DynamicUser|StateDirectory)=.*", unit, re.MULTILINE)
    assert len(settings) == 4
    assert all(f"-p {setting}" in beside for setting in settings)
    assert program in beside


@pytest.mark.parametrize("script", ["scripts/setup", "scripts/try-wheel", ".ci/run"])
def test_shell_scripts_are_executable_and_whole(script: str) -> None:
    path = ROOT / script
    assert path.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", str(path)], check=True)


def test_without_python_the_set_up_says_what_to_do() -> None:
    environ = {"PATH": "/usr/bin:/bin", "PYTHON": "python-that-is-not-there", "VENV": "never-made"}
    done = subprocess.run(
        [str(ROOT / "scripts/setup"), "venv"], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Install Python 3.11 or later" in done.stderr
    assert "Traceback" not in done.stderr
