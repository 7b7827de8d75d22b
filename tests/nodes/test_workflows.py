"""The workflows of the repository: valid, ready by preflight, and the small ones run headless."""

from __future__ import annotations

import json
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

from . import tiny_lora
from .tiny_controlnet import tensors, write_controlnet
from .tiny_sd import networks, write_sd

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / "workflows").rglob("*.json"))


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with tiny files where users have those of Stable Diffusion."""
    folder = tmp_path_factory.mktemp("models")
    write_sd(folder / "checkpoint" / "sd15.safetensors")
    write_controlnet(folder / "controlnet" / "canny.safetensors", tensors("1"))
    layers = tiny_lora.factors(networks("1")[0], tiny_lora.attention)
    tiny_lora.write(folder / "lora" / "style.safetensors", tiny_lora.kohya("lora_unet_", layers))
    return folder


@pytest.mark.parametrize("path", WORKFLOWS, ids=[each.stem for each in WORKFLOWS])
def test_preflight_finds_nothing_wrong(make_runner: Callable[..., Runner], models: Path, path: Path) -> None:
    runner = make_runner(models=models)
    report = preflight(runner, Workflow.load(path))
    assert report.defects == ()
    assert report.nodes
    assert all(each.gap == "" or each.gap.startswith("depends on ") for each in report.nodes)


def test_a_file_that_has_to_be_brought_is_named_with_its_folder(runner: Runner) -> None:
    (defect,) = preflight(runner, Workflow.load(ROOT / "workflows" / "stable_diffusion.json")).defects
    assert (defect.code, defect.node, defect.value) == ("missing_file", "model", "sd15.safetensors")
    assert "checkpoint" in defect.reason


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


@pytest.mark.usefixtures("tiny")
def test_two_prompts_share_a_picture(make_runner: Callable[..., Runner]) -> None:
    workflow = Workflow.load(ROOT / "workflows" / "regions.json")
    made = [make_runner().run(workflow, {"right": right, "steps": 2}) for right in ("a pear", "an old house")]
    with Pillow.open(made[0].files[0]) as one, Pillow.open(made[1].files[0]) as two:
        assert one.size == two.size == (512, 256)
        assert one.tobytes() != two.tobytes()


@pytest.mark.usefixtures("tiny")
def test_a_part_of_a_picture_is_drawn_anew(make_runner: Callable[..., Runner]) -> None:
    document = json.loads((ROOT / "workflows" / "inpaint.json").read_text("utf-8"))
    document["outputs"] |= {"old": {"from": "encode.latent"}, "new": {"from": "sample.latent"}}
    result = make_runner().run(Workflow.from_document(document), {"prompt": "a pear", "steps": 2, "height": 20})
    old, new = (result.outputs[name].samples for name in ("old", "new"))
    changed = (old != new).any(dim=1)[0]
    assert changed.shape == (old.shape[2], old.shape[3])
    rows = 20 * len(changed) // 64
    assert changed[:rows].all()
    assert not changed[rows:].any()
    with Pillow.open(result.files[0]) as picture:
        assert picture.size == (256, 256)


@pytest.mark.usefixtures("tiny")
def test_a_picture_is_drawn_on_to_the_right(make_runner: Callable[..., Runner]) -> None:
    document = json.loads((ROOT / "workflows" / "outpaint.json").read_text("utf-8"))
    document["outputs"] |= {"old": {"from": "encode.latent"}, "new": {"from": "sample.latent"}}
    values = {"prompt": "a pear", "steps": 2, "feather": 0}
    result = make_runner().run(Workflow.from_document(document), values)
    old, new = (result.outputs[name].samples for name in ("old", "new"))
    changed = (old != new).any(dim=1)[0]
    middle = changed.shape[1] // 2
    assert not changed[:, :middle].any()
    assert changed[:, middle:].all()
    with Pillow.open(result.files[0]) as picture:
        assert picture.size == (256, 256)


@pytest.mark.usefixtures("tiny")
def test_a_picture_is_drawn_twice_as_large(make_runner: Callable[..., Runner]) -> None:
    workflow = Workflow.load(ROOT / "workflows" / "hires_fix.json")
    result, sampled = run(make_runner(), workflow, {"prompt": "a pear", "steps": 2})
    assert sampled == ["first", "second"]
    with Pillow.open(result.files[0]) as picture:
        assert picture.size == (256, 256)


def test_stable_diffusion_draws_a_picture(make_runner: Callable[..., Runner], models: Path) -> None:
    workflow = Workflow.load(ROOT / "workflows" / "stable_diffusion.json")
    result = make_runner(models=models).run(workflow, {"prompt": "a pear", "steps": 2, "width": 128, "height": 64})
    with Pillow.open(result.files[0]) as picture:
        assert picture.size == (128, 64)


def test_lora_and_controlnet_change_the_picture(make_runner: Callable[..., Runner], models: Path) -> None:
    workflow = Workflow.load(ROOT / "workflows" / "controlnet.json")
    found = []
    for strengths in ({}, {"lora_strength": 0.0}, {"control_strength": 0.0}):
        values = {"steps": 2, "width": 64, "height": 64, **strengths}
        with Pillow.open(make_runner(models=models).run(workflow, values).files[0]) as picture:
            found.append(picture.tobytes())
    assert len(set(found)) == 3


@pytest.mark.parametrize("version", ["1", "2", "XL"])
def test_a_checkpoint_of_stable_diffusion_draws(
    make_runner: Callable[..., Runner], tmp_path: Path, version: str
) -> None:
    write_sd(tmp_path / "models" / "checkpoint" / "mine.safetensors", version)
    workflow = Workflow.load(ROOT / "workflows" / "stable_diffusion.json")
    values = {"checkpoint": "mine.safetensors", "width": 64, "height": 128, "steps": 2}
    with Pillow.open(make_runner().run(workflow, values).files[0]) as picture:
        assert picture.size == (64, 128)


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
