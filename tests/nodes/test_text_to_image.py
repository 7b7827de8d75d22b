"""The workflow of the first run, from file to picture, on a tiny model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from shutil import copyfile

import pytest
import torch

from nodegraph import Workflow
from nodegraph.catalog import Catalog
from nodegraph.execution.run import Runner
from nodegraph.recipe import read_recipe
from nodegraph.workflow.validate import check
from nodes.types import Image

FLOW = Path(__file__).parents[2] / "workflows" / "text_to_image.json"


@pytest.fixture
def workflow(runner: Runner, tiny_checkpoint: Path) -> Workflow:
    folder = runner.settings.folders_of("checkpoint")[0]
    folder.mkdir(parents=True, exist_ok=True)
    copyfile(tiny_checkpoint, folder / "tiny.safetensors")
    return Workflow.load(FLOW).with_values({("model", "checkpoint"): "tiny.safetensors"})


def test_the_file_is_valid(catalog: Catalog) -> None:
    check(Workflow.load(FLOW), catalog)


def test_it_makes_a_picture_that_carries_its_recipe(runner: Runner, workflow: Workflow) -> None:
    values = {"prompt": "cat", "steps": 3, "width": 16, "height": 24, "batch": 2, "seed": 4}
    result = runner.run(workflow, values, check_purity=True)
    image, files = result.outputs["image"], result.outputs["files"]
    assert isinstance(image, Image)
    assert image.pixels.shape == (2, 3, 96, 64)
    assert len(files) == 2
    recipe = read_recipe(Path(files[0]))
    assert recipe is not None
    assert recipe["workflow"]["nodes"]["prompt"]["inputs"]["text"] == "cat"  # type: ignore[index, call-overload]


def test_the_same_values_give_the_same_files(make_runner: Callable[..., Runner], workflow: Workflow) -> None:
    values = {"prompt": "cat", "steps": 2, "width": 16, "height": 16}
    one = make_runner().run(workflow, values, use_cache=False)
    content = Path(one.outputs["files"][0]).read_bytes()
    two = make_runner().run(workflow, values, use_cache=False)
    assert one.outputs["files"] == two.outputs["files"]
    assert Path(two.outputs["files"][0]).read_bytes() == content
    three = make_runner().run(workflow, {**values, "seed": 1}, use_cache=False)
    assert not torch.equal(three.outputs["image"].pixels, one.outputs["image"].pixels)


def test_a_list_of_prompts_makes_a_batch(runner: Runner, workflow: Workflow) -> None:
    result = runner.run(workflow, {"prompt": ["cat", "a red apple"], "steps": 2, "width": 16, "height": 16})
    assert len(result.outputs["image"]) == 2


def test_every_input_and_output_is_described(catalog: Catalog) -> None:
    rooms = ("schedules", "samplers", "guidance", "conditioning", "image", "checkpoints", "latents")
    mine = [d for d in catalog.values() if d.module.split(".")[1] in rooms]
    assert len(mine) >= 17
    missing = [f"{d.id}.{port.name}" for d in mine for port in d.inputs if not port.doc]
    assert not missing
