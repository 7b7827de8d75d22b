"""Checkpoints that a warm process has mapped into memory: they cost one copy, and what happens to the file is noticed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from nodegraph import NodeFailed, Workflow
from nodegraph.execution.events import NodeFinished
from nodegraph.execution.run import Runner
from nodegraph.settings import Settings
from nodes.checkpoints import weights
from nodes.checkpoints.load import load_checkpoint
from nodes.types import Denoiser

from .tiny_sd import write_sd


@pytest.fixture(autouse=True)
def mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    """As files of the size of real ones are."""
    monkeypatch.setattr(weights, "MAPPED_FROM", 0)


@pytest.fixture
def checkpoint(settings: Settings) -> Path:
    return write_sd(settings.folders_of("checkpoint")[0] / "model.safetensors")


def flow(prompt: str, *, name: str = "model", outputs: dict[str, str] | None = None) -> Workflow:
    """A picture of 4 x 4 latent pixels. name: of the node that loads."""

    def of(part: str) -> dict[str, str]:
        return {"from": f"{name}.{part}"}

    nodes: dict[str, Any] = {
        name: {"type": "load_checkpoint", "inputs": {"checkpoint": "model.safetensors"}},
        "text": {"type": "encode_text", "inputs": {"encoder": of("text_encoder"), "text": prompt}},
        "guide": {
            "type": "classifier_free_guidance",
            "inputs": {"denoiser": of("denoiser"), "positive": {"from": "text.conditioning"}},
        },
        "grid": {"type": "scheduler_sigmas", "inputs": {"denoiser": of("denoiser"), "steps": 2}},
        "empty": {"type": "empty_latent", "inputs": {"model": of("denoiser"), "width": 32, "height": 32}},
        "way": {"type": "euler"},
        "draw": {
            "type": "sample",
            "inputs": {
                "guider": {"from": "guide.guider"},
                "sampler": {"from": "way.sampler"},
                "sigmas": {"from": "grid.sigmas"},
                "latent": {"from": "empty.latent"},
                "seed": 1,
            },
        },
        "picture": {
            "type": "decode_latent",
            "inputs": {"autoencoder": of("autoencoder"), "latent": {"from": "draw.latent"}},
        },
    }
    shown = {"image": "picture.image", **(outputs or {})}
    document = {
        "format": "nodegraph/1",
        "nodes": nodes,
        "outputs": {key: {"from": port} for key, port in shown.items()},
    }
    return Workflow.from_document(document)


def pixels(runner: Runner, prompt: str, **options: Any) -> Tensor:
    found: Tensor = runner.run(flow(prompt), **options).outputs["image"].pixels
    return found


# one copy


def addresses(denoiser: Denoiser) -> dict[str, int]:
    return {name: each.data_ptr() for name, each in denoiser.network.named_parameters()}


def test_two_graphs_use_one_copy(make_runner: Callable[..., Runner], checkpoint: Path) -> None:
    runner = make_runner()
    first = runner.run(flow("a fox", outputs={"model": "model.denoiser"}))
    second = runner.run(flow("a dog", name="other", outputs={"model": "other.denoiser"}))
    assert not torch.equal(first.outputs["image"].pixels, second.outputs["image"].pixels)
    assert "other" not in second.ran
    assert addresses(first.outputs["model"]) == addresses(second.outputs["model"])


def test_one_graph_that_names_a_file_twice_uses_one_copy(make_runner: Callable[..., Runner], checkpoint: Path) -> None:
    load = {"type": "load_checkpoint", "inputs": {"checkpoint": "model.safetensors"}}
    outputs = {name: {"from": f"{name}.denoiser"} for name in "ab"}
    workflow = Workflow.from_document({"format": "nodegraph/1", "nodes": {"a": load, "b": load}, "outputs": outputs})
    found = make_runner().run(workflow).outputs
    assert addresses(found["a"]) == addresses(found["b"])


def resident(path: Path) -> tuple[int, int]:
    """Bytes of a file that this process has in memory, shared pages counted once; and of them those that are copies."""
    smaps = Path("/proc/self/smaps").read_text()
    entries = re.findall(rf"{re.escape(str(path))}\n(.*?)VmFlags", smaps, re.DOTALL)
    assert entries
    found = [[int(re.findall(rf"^{word}: +(\d+) kB", each, re.MULTILINE)[0]) for each in entries] for word in WORDS]
    return 1024 * sum(found[0]), 1024 * sum(found[1])


WORDS = ("Pss", "Anonymous")


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="Linux tells it in /proc")
def test_loading_a_file_twice_costs_its_pages_once(checkpoint: Path) -> None:
    models = [load_checkpoint(checkpoint) for _ in range(2)]
    total = sum(float(each.sum()) for model in models for each in model.denoiser.network.parameters())
    assert total == total
    used, copied = resident(checkpoint)
    assert 0 < used <= 1.05 * checkpoint.stat().st_size
    assert copied == 0


# files that change under a warm process


def overwrite(path: Path, content: bytes) -> None:
    with path.open("r+b") as file:
        file.write(content)


def cut_off(path: Path, content: bytes) -> None:
    with path.open("r+b") as file:
        file.truncate(len(content) // 3)


def zeros(path: Path, content: bytes) -> None:
    overwrite(path, bytes(len(content)))


@pytest.mark.parametrize("damage", [cut_off, zeros])
def test_a_warm_process_refuses_a_damaged_file_and_takes_a_repaired_one(
    make_runner: Callable[..., Runner], checkpoint: Path, damage: Callable[[Path, bytes], None]
) -> None:
    runner = make_runner()
    before = pixels(runner, "a fox")
    sound = checkpoint.read_bytes()
    damage(checkpoint, sound)
    with pytest.raises(NodeFailed, match=r"(?s)'model' \(load_checkpoint\).*'model\.safetensors' cannot be used"):
        pixels(runner, "a dog")
    checkpoint.write_bytes(sound)
    with pytest.raises(NodeFailed, match="written to while its model was in use; run again, which loads it anew"):
        pixels(runner, "a dog")  # the model in memory lies in what was overwritten
    assert not torch.equal(pixels(runner, "a dog"), before)
    assert torch.equal(pixels(runner, "a fox"), before)


def test_a_warm_process_takes_what_was_written_over_its_file(
    make_runner: Callable[..., Runner], checkpoint: Path, tmp_path: Path
) -> None:
    runner = make_runner()
    before = pixels(runner, "a fox")
    other = write_sd(tmp_path / "b.safetensors", model__diffusion_model__out__2__bias=torch.ones(4)).read_bytes()
    overwrite(checkpoint, other)
    after = pixels(runner, "a fox")
    assert not torch.equal(after, before)
    assert torch.equal(after, pixels(make_runner(), "a fox", use_cache=False))


@pytest.mark.parametrize("damage", [cut_off, zeros])
def test_a_file_that_is_damaged_within_a_run_ends_it_with_its_name(
    make_runner: Callable[..., Runner], checkpoint: Path, damage: Callable[[Path, bytes], None]
) -> None:
    runner, sound = make_runner(), checkpoint.read_bytes()

    def watch(event: object) -> None:
        if isinstance(event, NodeFinished) and event.node == "guide":
            damage(checkpoint, sound)

    with pytest.raises(NodeFailed, match=r"(?s)model\.safetensors.*written to while its model was in use; run again"):
        runner.run(flow("a fox"), on_event=watch)
    checkpoint.write_bytes(sound)
    assert torch.equal(pixels(runner, "a fox"), pixels(make_runner(), "a fox", use_cache=False))
