"""The workflows of the repository: valid, ready by preflight, and the small ones run headless."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image as Pillow

from nodegraph import Workflow
from nodegraph.execution.preflight import preflight
from nodegraph.execution.resolve import FileResolver
from nodegraph.execution.run import Runner

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / "workflows").rglob("*.json"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=[each.stem for each in WORKFLOWS])
def test_preflight_finds_nothing_wrong(runner: Runner, path: Path) -> None:
    report = preflight(runner, Workflow.load(path))
    assert report.defects == ()
    assert report.nodes
    assert all(each.gap == "" or each.gap.startswith("depends on ") for each in report.nodes)


def test_preflight_loads_no_torch(definitions_cache: Path) -> None:
    program = """
import sys
from pathlib import Path
from nodegraph import Settings, Workflow
from nodegraph.execution.preflight import preflight
from nodegraph.execution.run import Runner
with Runner(Settings(cache=Path(sys.argv[1]))) as runner:
    for file in sys.argv[2:]:
        assert not preflight(runner, Workflow.load(file), use_cache=False).defects
print(sorted({"torch", "nodes"} & {name.partition(".")[0] for name in sys.modules}))
"""
    names = [str(definitions_cache), *map(str, WORKFLOWS)]
    done = subprocess.run([sys.executable, "-c", program, *names], capture_output=True, text=True, check=True)
    assert done.stdout == "['nodes']\n"


@pytest.fixture
def tiny(tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tiny model stands for the bundled one."""
    found = FileResolver._bundled

    def bundled(self: FileResolver, kind: str, name: str) -> Path:
        return tiny_checkpoint if kind == "checkpoint" else found(self, kind, name)

    monkeypatch.setattr(FileResolver, "_bundled", bundled)


@pytest.mark.usefixtures("tiny")
def test_a_picture_is_drawn_anew(make_runner: Callable[..., Runner]) -> None:
    workflow = Workflow.load(ROOT / "workflows" / "image_to_image.json")
    result = make_runner().run(workflow, {"prompt": "a pear", "steps": 2})
    with Pillow.open(result.files[0]) as picture:
        assert picture.size == (256, 256)


def test_a_picture_is_enlarged(runner: Runner, tmp_path: Path) -> None:
    (tmp_path / "input").mkdir()
    Pillow.new("RGB", (5, 4), "red").save(tmp_path / "input" / "small.png")
    result = runner.run(Workflow.load(ROOT / "workflows" / "enlarge.json"), {"picture": "small.png", "factor": 3.0})
    with Pillow.open(result.files[0]) as picture:
        assert picture.size == (15, 12)
