"""A workflow with a ControlNet, from files to a picture."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image as Pillow

from nodegraph import Workflow
from nodegraph.execution.preflight import preflight
from nodegraph.execution.run import Runner
from nodegraph.settings import Settings
from nodes.models.unet_costs import controlnet_pass
from nodes.specs.models import DenoiserSpec

from ..tiny_controlnet import CONFIGS, tensors, write_controlnet
from ..tiny_sd import write_sd


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"type": kind, "inputs": inputs}


def wire(source: str) -> dict[str, str]:
    return {"from": source}


def workflow(controlnet: str = "edges.safetensors", strength: float = 1.0) -> Workflow:
    nodes = {
        "model": node("load_checkpoint", checkpoint="sd.safetensors"),
        "prompt": node("encode_text", encoder=wire("model.text_encoder"), text="a house"),
        "hint": node("load_image", file="edges.png"),
        "controlnet": node("load_controlnet", controlnet=controlnet),
        "steered": node(
            "apply_controlnet", denoiser=wire("model.denoiser"), controlnet=wire("controlnet.controlnet"),
            hint=wire("hint.image"), strength=strength, end=0.6,
        ),
        "guidance": node(
            "classifier_free_guidance", denoiser=wire("steered.denoiser"), positive=wire("prompt.conditioning")
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
    return Workflow.from_document(
        {"format": "nodegraph/1", "nodes": nodes, "inputs": {}, "outputs": {"image": wire("picture.image")}}
    )


@pytest.fixture
def files(settings: Settings) -> Path:
    """The model, the ControlNet as a file and as a folder, and the hint."""
    models = settings.models
    write_sd(models / "checkpoint" / "sd.safetensors")
    write_controlnet(models / "controlnet" / "edges.safetensors", tensors("1"))
    folder = models / "controlnet" / "edges"
    write_controlnet(folder / "diffusion_pytorch_model.safetensors", tensors("1", "diffusers"))
    (folder / "config.json").write_text(json.dumps({"_class_name": "ControlNetModel"}))
    settings.input.mkdir(parents=True)
    Pillow.linear_gradient("L").resize((80, 48)).save(settings.input / "edges.png")
    return models


@pytest.mark.usefixtures("files")
def test_from_files_to_a_picture(make_runner: Callable[..., Runner]) -> None:
    found = [
        make_runner().run(workflow(name, strength), check_purity=True).outputs["image"].pixels
        for name, strength in (("edges.safetensors", 1.0), ("edges", 1.0), ("edges", 0.0))
    ]
    assert found[0].shape == (1, 3, 48, 64)
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


@pytest.mark.usefixtures("files")
def test_preflight_counts_the_controlnet(runner: Runner) -> None:
    reports = [preflight(runner, workflow(strength=strength)) for strength in (0.0, 1.0)]
    assert all(report.defects == () for report in reports)
    without, with_it = ({each.name: each for each in report.nodes} for report in reports)
    assert (with_it["sample"].seconds or 0.0) > (without["sample"].seconds or 0.0)
    denoisers = [each["steered"].outputs["denoiser"] for each in (without, with_it)]
    assert all(isinstance(each, DenoiserSpec) for each in denoisers)
    work = [each.cost(2, 6, 8, 77).work for each in denoisers]  # type: ignore[attr-defined]
    alone = controlnet_pass(CONFIGS["1"], 2, 6, 8, 77).work
    assert work[1] - work[0] == pytest.approx(0.6 * alone)
    assert with_it["controlnet"].outputs["controlnet"] in denoisers[1].parts  # type: ignore[attr-defined]


@pytest.mark.usefixtures("files")
def test_another_versions_controlnet_is_found_before_the_run(runner: Runner, files: Path) -> None:
    write_controlnet(files / "controlnet" / "edges.safetensors", tensors("XL"))
    [defect] = preflight(runner, workflow()).defects
    assert defect.node == "steered"
    assert "context width 128" in str(defect)
