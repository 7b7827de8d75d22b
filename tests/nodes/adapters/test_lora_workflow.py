"""A workflow with LoRAs, from files to a picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from nodegraph import Workflow
from nodegraph.execution.preflight import preflight
from nodegraph.execution.run import Runner
from nodegraph.settings import Settings
from nodes.adapters import specs as lora_specs

from .. import tiny_lora as tiny
from ..tiny_sd import networks, write_sd


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"type": kind, "inputs": inputs}


def wire(source: str) -> dict[str, str]:
    return {"from": source}


def workflow(strength: float = 1.0, mode: str = "merge", lora: str = "style.safetensors") -> Workflow:
    nodes = {
        "model": node("load_checkpoint", checkpoint="sd.safetensors"),
        "lora": node("load_lora", lora=lora),
        "changed": node(
            "apply_lora", denoiser=wire("model.denoiser"), lora=wire("lora.lora"), strength=strength, mode=mode
        ),
        "reader": node(
            "apply_lora_text", text_encoder=wire("model.text_encoder"), lora=wire("lora.lora"), strength=strength,
            mode=mode,
        ),
        "prompt": node("encode_text", encoder=wire("reader.text_encoder"), text="a house"),
        "guidance": node(
            "classifier_free_guidance", denoiser=wire("changed.denoiser"), positive=wire("prompt.conditioning")
        ),
        "sampler": node("euler"),
        "sigmas": node("karras_sigmas", denoiser=wire("model.denoiser"), steps=2),
        "empty": node("empty_latent", model=wire("model.denoiser"), width=64, height=48),
        "sample": node(
            "sample", guider=wire("guidance.guider"), sampler=wire("sampler.sampler"), sigmas=wire("sigmas.sigmas"),
            latent=wire("empty.latent"), seed=1,
        ),
        "picture": node("decode_latent", autoencoder=wire("model.autoencoder"), latent=wire("sample.latent")),
    }  # fmt: skip
    outputs = {"image": wire("picture.image"), "latent": wire("sample.latent")}
    return Workflow.from_document({"format": "nodegraph/1", "nodes": nodes, "inputs": {}, "outputs": outputs})


@pytest.fixture
def files(settings: Settings) -> Path:
    """A model, and a LoRA for its UNet and its text encoder."""
    write_sd(settings.models / "checkpoint" / "sd.safetensors")
    unet, _, [tower] = networks("1")
    tensors = tiny.kohya("lora_unet_", tiny.factors(unet, tiny.everything))
    tensors |= tiny.kohya("lora_te_", tiny.factors(tower, tiny.self_attention))
    tiny.write(settings.models / "lora" / "style.safetensors", tensors)
    return settings.models


@pytest.mark.usefixtures("files")
def test_from_files_to_a_picture(make_runner: Callable[..., Runner]) -> None:
    def latent(*options: Any) -> torch.Tensor:
        found: torch.Tensor = make_runner().run(workflow(*options), check_purity=True).outputs["latent"].samples
        return found

    plain, merged, beside, off = latent(0.0), latent(0.7), latent(0.7, "runtime"), latent(0.0, "runtime")
    assert torch.equal(plain, off)
    assert (merged - plain).abs().max() > 1e-2
    assert (merged - beside).abs().max() <= 1e-4 * float(merged.abs().max())
    assert torch.equal(latent(0.7), merged)


def test_another_file_under_the_same_name_is_noticed(make_runner: Callable[..., Runner], files: Path) -> None:
    runner = make_runner()
    first = runner.run(workflow()).outputs["latent"].samples
    made = tiny.factors(networks("1")[0], tiny.attention, seed=3)
    tiny.write(files / "lora" / "style.safetensors", tiny.kohya("lora_unet_", made))
    assert not torch.equal(runner.run(workflow()).outputs["latent"].samples, first)


@pytest.mark.usefixtures("files")
def test_preflight_counts_merged_weights_once(runner: Runner) -> None:
    specs = {
        mode: {each.name: each.outputs for each in preflight(runner, workflow(1.0, mode)).nodes}
        for mode in ("merge", "runtime")
    }
    merged, beside = (specs[mode]["changed"]["denoiser"] for mode in ("merge", "runtime"))
    unet, _, [tower] = networks("1")
    numbers = sum(unet.get_parameter(f"{name}.weight").numel() for name in tiny.factors(unet, tiny.everything))
    size = (2, 6, 8, 77)
    assert merged.cost(*size).elements - beside.cost(*size).elements == numbers  # type: ignore[union-attr]
    lora = specs["merge"]["lora"]["lora"]
    again: Any = lora_specs.apply_lora(merged, lora, 0.5, "merge", []).outputs["denoiser"]  # type: ignore[arg-type]
    assert again.cost(*size) == merged.cost(*size)  # type: ignore[union-attr]
    texts: Any = [specs[mode]["reader"]["text_encoder"] for mode in ("merge", "runtime")]
    numbers = sum(tower.get_parameter(f"{name}.weight").numel() for name in tiny.factors(tower, tiny.self_attention))
    assert texts[0].cost(1, 77).elements - texts[1].cost(1, 77).elements == numbers


def test_a_lora_for_another_model_is_found_before_the_run(runner: Runner, files: Path) -> None:
    made = tiny.factors(networks("XL")[0], tiny.attention)
    tiny.write(files / "lora" / "style.safetensors", tiny.kohya("lora_unet_", made))
    [defect] = preflight(runner, workflow()).defects
    assert defect.node == "changed"
    assert "do not fit this model" in str(defect)
