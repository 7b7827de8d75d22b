"""ControlNet files: both layouts, all versions, every tensor used once, and what is refused."""

from __future__ import annotations

import json
import math
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from nodegraph import InvalidInput
from nodegraph.testing import local_context
from nodes.adapters.apply_controlnet import load_controlnet
from nodes.adapters.apply_lora import load_lora
from nodes.adapters.controlnet_files import Layout, controlnet_names, read_controlnet_file
from nodes.checkpoints import errors
from nodes.checkpoints.autoencoder import load_autoencoder
from nodes.checkpoints.load import load_checkpoint
from nodes.checkpoints.load_parts import load_denoiser
from nodes.models.configs import SD1, SD2, SDXL, UNetConfig
from nodes.models.unet_shapes import controlnet_shapes

from ..ldm_autoencoders import ldm_state
from ..models.test_unet import diffusers_options
from ..tiny_controlnet import CONFIGS, tensors, tiny_network, write_controlnet
from ..tiny_sd import original_tensors

LAYOUTS: tuple[Layout, ...] = ("original", "diffusers")


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize("version", CONFIGS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_names_go_both_ways(tmp_path: Path, version: str, layout: Layout) -> None:
    written = tensors(version, layout)
    path = write_controlnet(tmp_path / "x.safetensors", written)
    file = read_controlnet_file(path)
    assert (file.layout, file.config) == (layout, CONFIGS[version])
    assert sorted(source.name for source in file.sources.values()) == sorted(written)
    loaded = load_controlnet(path).network.state_dict()
    assert equal(loaded, dict(tiny_network(version).state_dict()))
    names = controlnet_names(file.config, layout)
    assert equal({names[name]: value for name, value in loaded.items()}, written)


@pytest.mark.parametrize("config", [SD1, SD2, SDXL])
def test_full_size_names_are_those_of_diffusers(config: UNetConfig) -> None:
    from diffusers import ControlNetModel

    options = diffusers_options(config)
    if config.vector_width:
        options["addition_time_embed_dim"] = 256
    with torch.device("meta"):
        theirs = ControlNetModel(conditioning_embedding_out_channels=(16, 32, 96, 256), **options)
    names = controlnet_names(config, "diffusers")
    shapes = controlnet_shapes(config)
    if config == SD1:
        assert sum(math.prod(shape) for shape in shapes.values()) == 361_279_120
    assert {names[name]: shape for name, shape in shapes.items()} == {
        name: tuple(value.shape) for name, value in theirs.state_dict().items()
    }


def test_it_is_found_in_the_checkpoint_it_was_trained_in(tmp_path: Path) -> None:
    whole = original_tensors("1") | tensors("1") | {"alphas_cumprod": torch.ones(3)}
    path = write_controlnet(tmp_path / "whole.safetensors", whole)
    assert equal(dict(load_controlnet(path).network.state_dict()), dict(tiny_network("1").state_dict()))
    with pytest.raises(errors.InvalidMatch, match=r"it is a ControlNet \(original layout\) .*load_controlnet"):
        load_checkpoint(path)


def test_names_without_a_prefix(tmp_path: Path) -> None:
    bare = {name.removeprefix("control_model."): value for name, value in tensors("2").items()}
    path = write_controlnet(tmp_path / "bare.safetensors", bare)
    assert equal(dict(load_controlnet(path).network.state_dict()), dict(tiny_network("2").state_dict()))
    with pytest.raises(errors.UnknownTensors, match=r"model\.diffusion_model\.x"):
        load_controlnet(write_controlnet(path, bare | {"model.diffusion_model.x": torch.ones(1)}))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(tmp_path: Path, dtype: torch.dtype) -> None:
    state = {name: value.to(dtype) for name, value in tensors("1").items()}
    loaded = load_controlnet(write_controlnet(tmp_path / "half.safetensors", state)).network.state_dict()
    for name, value in loaded.items():
        assert value.dtype is torch.float32
        assert torch.equal(value, state[f"control_model.{name}"].float())
    there = load_controlnet(tmp_path / "half.safetensors", local_context(tmp_path, precision="bfloat16"))
    for name, value in there.network.state_dict().items():
        assert torch.equal(value, state[f"control_model.{name}"].bfloat16())


def folder(path: Path, **about: Any) -> Path:
    write_controlnet(path / "diffusion_pytorch_model.safetensors", tensors("1", "diffusers"))
    (path / "config.json").write_text(json.dumps({"_class_name": "ControlNetModel", **about}))
    return path


def test_a_folder_tells_what_shapes_do_not(tmp_path: Path) -> None:
    file = read_controlnet_file(folder(tmp_path / "plain"))
    assert (file.config, file.bgr, file.pooled) == (CONFIGS["1"], False, False)
    about = {
        "attention_head_dim": 4, "controlnet_conditioning_channel_order": "bgr", "global_pool_conditions": True,
    }  # fmt: skip
    file = read_controlnet_file(folder(tmp_path / "other", **about))
    assert (file.config.heads, file.bgr, file.pooled) == (4, True, True)
    handle = load_controlnet(tmp_path / "other")
    assert (handle.network.config.heads, handle.bgr, handle.pooled) == (4, True, True)
    with pytest.raises(errors.InvalidMatch, match="7 heads, which do not divide"):
        read_controlnet_file(folder(tmp_path / "broken", attention_head_dim=7))
    with pytest.raises(errors.InvalidMatch, match="in 2 levels"):
        read_controlnet_file(folder(tmp_path / "broken", attention_head_dim=[1, 2, 3]))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_missing_unknown_and_misshapen_tensors_are_named(tmp_path: Path, layout: Layout) -> None:
    state = tensors("1", layout)
    middle = controlnet_names(CONFIGS["1"], layout)["middle_block_out.0.weight"]
    path = tmp_path / "x.safetensors"
    with pytest.raises(errors.MissingTensors, match=middle):
        load_controlnet(write_controlnet(path, {name: each for name, each in state.items() if name != middle}))
    with pytest.raises(errors.UnknownTensors, match="task_embedding"):
        load_controlnet(write_controlnet(path, state | {"task_embedding": torch.ones(2)}))
    with pytest.raises(errors.WrongShapes, match=r"middle_block_out.0.weight \[64, 64, 3, 3\]"):
        load_controlnet(write_controlnet(path, state | {middle: torch.ones(64, 64, 3, 3)}))
    with pytest.raises(errors.DamagedWeights, match=middle):
        load_controlnet(write_controlnet(path, state | {middle: torch.full((64, 64, 1, 1), torch.nan)}))


def test_other_files_are_called_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    unet = {n.removeprefix("model.diffusion_model."): v for n, v in original_tensors("1").items() if ".diffusion_" in n}
    others = [
        ({"lora_unet_x.lora_up.weight": torch.ones(2, 2)}, r"a LoRA \(kohya layout\)"),
        ({"lora_controlnet": torch.ones(1)}, r"a ControlNet as LoRA"),
        (ldm_state(), r"an autoencoder \(original layout\)"),
        (unet, r"the denoiser of .* alone \(original layout\)"),
        (original_tensors("1"), "a whole checkpoint"),
    ]
    for state, phrase in others:
        with pytest.raises(InvalidInput, match=f"it is {phrase}"):
            load_controlnet(write_controlnet(path, state))
    path.write_bytes(pickle.dumps({"control_model.x": 1}, protocol=4))
    with pytest.raises(errors.PickleRefused):
        load_controlnet(path)
    path.write_bytes(b"")
    with pytest.raises(errors.EmptyCheckpoint):
        load_controlnet(path)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_controlnet_given_as_something_else_is_named(tmp_path: Path, layout: Layout) -> None:
    path = write_controlnet(tmp_path / "control.safetensors", tensors("1", layout))
    phrase = rf"it is a ControlNet \({layout} layout\)"
    with pytest.raises(errors.UnknownFamily, match=phrase):
        load_checkpoint(path)
    for load in (load_lora, load_autoencoder, load_denoiser):
        with pytest.raises(InvalidInput, match=phrase):
            load(path)
