"""The built wheel, alone in a fresh environment, away from the checkout: what a user installs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

import policyfeed

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the source distribution, as a release is; nothing is fetched for it."""
    folder = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT), cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``policyfeed`` of a fresh environment: the wheel is installed there, its dependencies are borrowed from here.

    Our own checkout is not borrowed: editable installs are ``.pth`` files, which a ``.pth`` file's folders do not obey.
    """
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    site = Path(_run(str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip())
    here = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    _run(
        *(sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-index", "--no-deps"),
        *("--disable-pip-version-check", str(wheel)),
        cwd=folder,
    )
    (site / "borrowed.pth").write_text("".join(f"{path}\n" for path in sorted(here)), encoding="utf-8")
    return folder / "bin" / "policyfeed"


def _run(*arguments: str, cwd: Path, given: str = "", **variables: str) -> str:
    environ = {"PATH": os.environ["PATH"], "HOME": str(cwd), "POLICYFEED_LANG": "en", "PYTHONWARNINGS": "default"}
    environ |= {"POLICYFEED_DATA": str(cwd / "var")} | variables
    done = subprocess.run(
        arguments, cwd=cwd, input=given, env=environ, capture_output=True, encoding="utf-8", check=False, timeout=300
    )
    assert done.returncode == 0, f"{' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_wheel_holds_what_it_needs_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    shipped = {f"policyfeed/_config/{path.relative_to(ROOT / 'config')}" for path in (ROOT / "config").rglob("*.toml")}
    assert len(shipped) > 30
    assert shipped <= names
    for needed in ("policyfeed/py.typed", "policyfeed/locale/ko/LC_MESSAGES/policyfeed.mo"):
        assert needed in names
    assert any(name.startswith("policyfeed/web/templates/") for name in names)
    assert any(name.startswith("policyfeed/store/migrations/versions/") for name in names)
    strangers = {name for name in names if not name.startswith(("policyfeed/", "policyfeed-"))}
    assert strangers == set()
    assert not [name for name in names if "__pycache__" in name]
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_it_runs_from_its_own_place(command: Path, tmp_path: Path) -> None:
    python = command.with_name("python")
    where = _run(str(python), "-c", "import policyfeed; print(policyfeed.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(command.parents[1])
    assert _run(str(command), "--version", cwd=tmp_path) == f"policyfeed {policyfeed.__version__}\n"


def test_the_shipped_configuration_is_right(command: Path, tmp_path: Path) -> None:
    said = _run(str(command), "check", cwd=tmp_path)
    assert str(command.parents[1]) in said
    assert "_config is right." in said


def test_it_judges_with_the_shipped_topics(command: Path, tmp_path: Path) -> None:
    titles = ["제4차 온실가스 배출권 할당계획 확정", "직원 체육대회 성황리에 마쳐"]
    given = "".join(json.dumps({"title": title}, ensure_ascii=False) + "\n" for title in titles)
    judged = [
        json.loads(line) for line in _run(str(command), "classify", "--json", cwd=tmp_path, given=given).splitlines()
    ]
    assert [one["title"] for one in judged] == titles
    assert [one["kept"] for one in judged] == [True, False]
    assert "E1" in judged[0]["topics"]


def test_it_publishes_and_speaks_korean(command: Path, tmp_path: Path) -> None:
    _run(str(command), "publish", "--out", str(tmp_path / "public"), cwd=tmp_path)
    assert (tmp_path / "public" / "feeds" / "esg.atom").read_bytes().startswith(b"<?xml")
    assert "ESG 정책뉴스" in (tmp_path / "public" / "index.html").read_text(encoding="utf-8")
    assert "이상이 없습니다" in _run(str(command), "db", "verify", cwd=tmp_path, POLICYFEED_LANG="ko")
