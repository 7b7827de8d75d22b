"""The package's own build: the editor is inside, and is built only where it must be."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import hatch_build

ROOT = Path(__file__).parents[1]


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an editor that is built of its sources."""
    monkeypatch.delenv(hatch_build.SKIP, raising=False)
    (tmp_path / "web/src").mkdir(parents=True)
    (tmp_path / "web/src/main.ts").write_text("main()", "utf-8")
    (tmp_path / "web/package-lock.json").write_text("{}", "utf-8")
    assert hatch_build.is_needed(tmp_path)
    (tmp_path / hatch_build.EDITOR).mkdir(parents=True)
    (tmp_path / hatch_build.EDITOR / hatch_build.STAMP).write_text(hatch_build.sources_digest(tmp_path), "ascii")
    assert not hatch_build.is_needed(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["src/main.ts", "src/more.ts", "package-lock.json"])
def test_the_editor_is_built_anew_where_its_sources_changed(sources: Path, name: str) -> None:
    (sources / "web" / name).write_text("changed", "utf-8")
    assert hatch_build.is_needed(sources)


@pytest.mark.parametrize("name", ["src/main.test.ts", "node_modules/vite/index.js"])
def test_tests_and_installed_packages_are_no_sources(sources: Path, name: str) -> None:
    path = sources / "web" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("anything", "utf-8")
    assert not hatch_build.is_needed(sources)


def test_a_moved_text_is_a_change(sources: Path) -> None:
    (sources / "web/src/main.ts").rename(sources / "web/src/mai.ts")
    assert hatch_build.is_needed(sources)


def test_nobody_has_to_have_the_editor(sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (sources / hatch_build.EDITOR / hatch_build.STAMP).unlink()
    monkeypatch.setenv(hatch_build.SKIP, "1")
    assert not hatch_build.is_needed(sources)


def test_a_build_that_fails_says_what_to_do_and_leaves_what_was_there(
    sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = [sys.executable, "-c", "print('no network'); raise SystemExit(1)"]
    monkeypatch.setattr(hatch_build, "find_node", lambda: (Path(sys.executable), failing))
    with pytest.raises(hatch_build.EditorNotBuilt, match=r"(?s)no network.*NODEGRAPH_SKIP_EDITOR=1"):
        hatch_build.build_editor(sources)
    assert not hatch_build.is_needed(sources)


@pytest.mark.slow
def test_a_wheel_contains_the_editor(tmp_path: Path) -> None:
    for name in ("hatch_build.py", "pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, tmp_path / name)
    left_out = shutil.ignore_patterns("node_modules", "editor", "__pycache__")
    for name in ("web", "workflows", "nodegraph/server"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=left_out)
    for name in ("nodegraph/__init__.py", "nodes/__init__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "made"]
    environment = {name: value for name, value in os.environ.items() if name != hatch_build.SKIP}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    [wheel] = (tmp_path / "made").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        folder = hatch_build.EDITOR
        page = archive.read(f"{folder}/index.html")
        assert gzip.decompress(archive.read(f"{folder}/index.html.gz")) == page
        assert "react-dom" in archive.read(f"{folder}/THIRD_PARTY.txt").decode()
    assert {f"{folder}/run.html", f"{folder}/{hatch_build.STAMP}"} <= names
    assert any(name.startswith(f"{folder}/assets/") and name.endswith(".js") for name in names)
    assert {"nodes/workflows/text_to_image.json", "nodes/workflows/pictures/text_to_image.webp"} <= names
    assert not any(name.startswith("web/") for name in names)
