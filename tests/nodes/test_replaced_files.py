"""Files that are replaced, damaged or repaired under one name, with runs before and after."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image as Pillow
from torch import Tensor

from nodegraph import NodeFailed, Workflow
from nodegraph.execution.run import Runner
from nodegraph.settings import Settings
from nodes.checkpoints.load import load_checkpoint
from nodes.image.load import load_image

from .tiny import tiny_weights, write_checkpoint

FLOW = Path(__file__).parents[2] / "workflows" / "text_to_image.json"
VALUES = {"prompt": "cat", "steps": 2, "width": 16, "height": 16}


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Three checkpoints of one size and different weights."""
    folder = tmp_path_factory.mktemp("versions")
    files = [write_checkpoint(folder / str(seed), *tiny_weights(seed)).read_bytes() for seed in range(3)]
    assert len({len(each) for each in files}) == 1
    return files


@pytest.fixture
def checkpoint(settings: Settings) -> Path:
    path = settings.folders_of("checkpoint")[0] / "model.safetensors"
    path.parent.mkdir(parents=True)
    return path


WORKFLOW = Workflow.load(FLOW).with_values({("model", "checkpoint"): "model.safetensors"})


def drawn(runner: Runner, *, use_cache: bool = True) -> Tensor:
    pixels: Tensor = runner.run(WORKFLOW, VALUES, use_cache=use_cache).outputs["image"].pixels
    return pixels


def overwrite(path: Path, content: bytes) -> None:
    """In place: the same inode, size and time of change as far as a program can set it."""
    times = path.stat()
    with path.open("r+b") as file:
        file.write(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def exchange(path: Path, content: bytes) -> None:
    """By renaming another file over it."""
    path.with_suffix(".new").write_bytes(content)
    path.with_suffix(".new").replace(path)


@pytest.mark.parametrize("replace", [overwrite, exchange])
def test_a_replaced_checkpoint_gives_the_new_picture(
    make_runner: Callable[..., Runner],
    checkpoint: Path,
    versions: list[bytes],
    replace: Callable[[Path, bytes], None],
) -> None:
    checkpoint.write_bytes(versions[0])
    runner = make_runner()
    first = drawn(runner)
    replace(checkpoint, versions[1])
    second = drawn(runner)
    assert not torch.equal(second, first)
    assert torch.equal(second, drawn(make_runner(), use_cache=False))
    assert torch.equal(second, drawn(make_runner()))
    replace(checkpoint, versions[0])
    assert runner.run(WORKFLOW, VALUES).ran == ("save",)
    assert torch.equal(drawn(runner), first)


def test_a_new_process_sees_the_replaced_checkpoint(
    make_runner: Callable[..., Runner], settings: Settings, checkpoint: Path, versions: list[bytes], tmp_path: Path
) -> None:
    checkpoint.write_bytes(versions[0])
    first = drawn(make_runner())
    overwrite(checkpoint, versions[2])
    WORKFLOW.save(tmp_path / "flow.json")
    options = [text for name, value in VALUES.items() for text in (f"--{name}", str(value))]
    folders = {name: str(getattr(settings, name)) for name in ("models", "input", "output", "state", "cache")}
    values = {**folders, "plugins": "", "threads": "1", "device": "cpu", "precision": "float32"}
    done = subprocess.run(
        [sys.executable, "-m", "nodegraph", "run", str(tmp_path / "flow.json"), *options, "--json"],
        env={**os.environ, **{f"NODEGRAPH_{name.upper()}": value for name, value in values.items()}},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    [file] = json.loads(done.stdout)["outputs"]["files"]
    expected = drawn(make_runner(), use_cache=False)
    assert not torch.equal(expected, first)
    torch.testing.assert_close(load_image(Path(file)).image.pixels, expected, rtol=0, atol=0.5 / 255 + 1e-6)


def test_a_loaded_model_does_not_change_with_its_file(checkpoint: Path, versions: list[bytes]) -> None:
    checkpoint.write_bytes(versions[0])
    model = load_checkpoint(checkpoint)
    before = {name: value.clone() for name, value in model.denoiser.network.state_dict().items()}
    overwrite(checkpoint, bytes(len(versions[0])))
    assert all(torch.equal(value, before[name]) for name, value in model.denoiser.network.state_dict().items())


def test_a_damaged_checkpoint_ends_the_run_and_loses_nothing(
    make_runner: Callable[..., Runner], checkpoint: Path, versions: list[bytes]
) -> None:
    checkpoint.write_bytes(versions[0])
    runner = make_runner()
    first = drawn(runner)
    checkpoint.write_bytes(versions[0][:-100])
    with pytest.raises(NodeFailed) as caught:
        drawn(runner)
    for words in ("'model' (load_checkpoint)", "'model.safetensors' cannot be used: 100 of", "export the file again"):
        assert words in str(caught.value)
    checkpoint.write_bytes(versions[0])
    assert make_runner().run(WORKFLOW, VALUES).ran == ("save",)
    assert torch.equal(drawn(runner), first)


def test_a_damaged_picture_ends_the_run_and_a_repaired_one_goes_on(runner: Runner, settings: Settings) -> None:
    path = settings.input / "a.png"
    settings.input.mkdir()
    Pillow.new("RGB", (8, 8), "red").save(path)
    sound = path.read_bytes()
    path.write_bytes(sound[:50])
    nodes = {"load": {"type": "load_image", "inputs": {"file": "a.png"}},
             "save": {"type": "save_image", "inputs": {"image": {"from": "load.image"}}}}  # fmt: skip
    workflow = Workflow.from_document({"format": "nodegraph/1", "nodes": nodes})
    with pytest.raises(NodeFailed, match=r"(?s)'load' \(load_image\).*'a\.png'.*damaged or cut off"):
        runner.run(workflow)
    assert not settings.output.exists()
    path.write_bytes(sound)
    assert runner.run(workflow).ran == ("load", "save")
