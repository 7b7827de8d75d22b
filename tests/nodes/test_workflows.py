"""The workflows of the repository: valid, ready by preflight, and the small ones run headless."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from nodegraph import Workflow
from nodegraph.execution.events import Event, NodeStarted
from nodegraph.execution.preflight import preflight
from nodegraph.execution.resolve import FileResolver
from nodegraph.execution.run import Runner, RunResult

from .tiny_sd import write_sd

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / "workflows").rglob("*.json"))


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with a tiny file where users have Stable Diffusion."""
    folder = tmp_path_factory.mktemp("models")
    write_sd(folder / "checkpoint" / "sd15.safetensors")
    return folder


@pytest.mark.parametrize("path", WORKFLOWS, ids=[each.stem for each in WORKFLOWS])
def test_preflight_finds_nothing_wrong(make_runner: Callable[..., Runner], models: Path, path: Path) -> None:
    runner = make_runner(models=models)
    report = preflight(runner, Workflow.load(path))
    assert report.defects == ()
    assert report.nodes
    assert all(each.gap == "" or each.gap.startswith("depends on ") for each in report.nodes)


def test_preflight_loads_no_torch(definitions_cache: Path, models: Path) -> None:
    program = """
import sys
from pathlib import Path
from nodegraph import Settings, Workflow
from nodegraph.execution.preflight import preflight
from nodegraph.execution.run import Runner, RunResult
with Runner(Settings(cache=Path(sys.argv[1]), models=Path(sys.argv[2]))) as runner:
    for file in sys.argv[3:]:
        assert not preflight(runner, Workflow.load(file), use_cache=False).defects
print(sorted({"torch", "nodes"} & {name.partition(".")[0] for name in sys.modules}))
"""
    names = [str(definitions_cache), str(models), *map(str, WORKFLOWS)]
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


def test_stable_diffusion_draws_a_picture(make_runner: Callable[..., Runner], models: Path) -> None:
    workflow = Workflow.load(ROOT / "workflows" / "stable_diffusion.json")
    result = make_runner(models=models).run(workflow, {"prompt": "a pear", "steps": 2, "width": 128, "height": 64})
    with Pillow.open(result.files[0]) as picture:
        assert picture.size == (128, 64)


def test_a_picture_is_enlarged(runner: Runner, tmp_path: Path) -> None:
    (tmp_path / "input").mkdir()
    Pillow.new("RGB", (5, 4), "red").save(tmp_path / "input" / "small.png")
    result = runner.run(Workflow.load(ROOT / "workflows" / "enlarge.json"), {"picture": "small.png", "factor": 3.0})
    with Pillow.open(result.files[0]) as picture:
        assert picture.size == (15, 12)


def run(runner: Runner, workflow: Workflow, inputs: dict[str, Any]) -> tuple[RunResult, list[str]]:
    """What a run gives, and which nodes sampled."""
    sampled: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, NodeStarted) and event.type_id == "sample":
            sampled.append(event.node)

    return runner.run(workflow, inputs, on_event=listen), sampled


@pytest.mark.usefixtures("tiny")
def test_a_contact_sheet_draws_only_the_lines_that_changed(make_runner: Callable[..., Runner]) -> None:
    workflow = Workflow.load(ROOT / "workflows" / "contact_sheet.json")
    first, sampled = run(make_runner(), workflow, {"prompts": "a\nb\nc", "steps": 2})
    assert sampled == [f"each[{index}]/sample" for index in range(3)]
    second, sampled = run(make_runner(), workflow, {"prompts": "a\nnew\nb\nc", "steps": 2})
    assert sampled == ["each[1]/sample"]
    with Pillow.open(first.files[0]) as one, Pillow.open(second.files[0]) as two:
        assert one.size < two.size


@pytest.mark.usefixtures("tiny")
def test_a_picture_changes_a_little_in_each_round(make_runner: Callable[..., Runner]) -> None:
    workflow = Workflow.load(ROOT / "workflows" / "metamorphosis.json")
    made, sampled = run(make_runner(), workflow, {"rounds": 3, "prompt": "a"})
    assert sampled == [f"change[{index}]/sample" for index in range(3)]
    longer, sampled = run(make_runner(), workflow, {"rounds": 4, "prompt": "a"})
    assert sampled == ["change[3]/sample"]
    with Pillow.open(made.files[0]) as three, Pillow.open(longer.files[0]) as four:
        both = (0, 0, three.width - 8, three.height)  # the frame beside an edge shows a little in it
        assert three.crop(both).tobytes() == four.crop(both).tobytes()
