"""cloneofsimo's layout, which numbers layers in the order in which `named_modules` visits them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from nodegraph import InvalidInput
from nodes.adapters.apply_lora import apply_lora, apply_lora_text, load_lora
from nodes.checkpoints.load import LoadedCheckpoint
from nodes.models.clip_text import ClipText
from nodes.models.unet import UNet

from .. import tiny_lora as tiny
from .references import output, reference, unet_of


def test_numbered_layers_of_older_versions(models: dict[str, LoadedCheckpoint], tmp_path: Path) -> None:
    """Older versions of diffusers visited the feed-forward layer between the attentions."""
    denoiser = models["1"].denoiser
    unet = unet_of(denoiser)
    made = tiny.factors(unet, lambda name: tiny.attention(name) or name.endswith(".ff.net.0.proj"))
    younger = tiny.cloneofsimo(reference(unet), tiny.diffusers_names(unet.config, made), "unet", ("Attention", "GEGLU"))
    count = len(younger) // 2 // 9
    older: dict[str, Tensor] = {}
    for block in range(count):
        first = 9 * block
        for place, number in enumerate([0, 1, 2, 3, 8, 4, 5, 6, 7]):
            for factor in ("up", "down"):
                older[f"unet:{first + place}:{factor}"] = younger[f"unet:{first + number}:{factor}"]
    found = [
        output(apply_lora(denoiser, load_lora(tiny.write(tmp_path / f"{i}.safetensors", each))).patched, unet)
        for i, each in enumerate((younger, older))
    ]
    assert torch.equal(*found)


def test_numbered_layers_with_residual_blocks(models: dict[str, LoadedCheckpoint], tmp_path: Path) -> None:
    """The extended set of classes, which the metadata name."""
    denoiser = models["1"].denoiser
    unet = unet_of(denoiser)
    classes = ("Attention", "GEGLU", "ResnetBlock2D")
    made = tiny.factors(unet, tiny.everything)
    tensors = tiny.cloneofsimo(reference(unet), tiny.diffusers_names(unet.config, made), "unet", classes)
    assert {each.ndim for each in tensors.values()} == {2, 4}
    lora = load_lora(tiny.write(tmp_path / "a.safetensors", tensors, {"unet": list(classes)}))
    changed = apply_lora(denoiser, lora)
    [patch] = changed.patches
    names = [name.removesuffix(".weight") for name in patch.layers]  # type: ignore[attr-defined]
    assert len(names) == len(tensors) // 2
    assert any("in_layers" in name for name in names)
    exact = UNet(unet.config).eval()
    exact.load_state_dict(tiny.merged(unet, {name: made[name] for name in names}))
    found, wanted = output(changed.patched, unet), output(exact, unet)
    assert (found - wanted).abs().max() <= 1e-5 * max(1.0, float(wanted.abs().max()))
    with pytest.raises(InvalidInput, match="do not fit this model"):
        apply_lora(denoiser, load_lora(tiny.write(tmp_path / "b.safetensors", tensors)))


def test_numbered_layers_read_back_bit_for_bit(models: dict[str, LoadedCheckpoint], tmp_path: Path) -> None:
    unet = unet_of(models["1"].denoiser)
    made = tiny.without_alpha(tiny.factors(unet, tiny.attention, rank=4))
    tensors = tiny.cloneofsimo(reference(unet), tiny.diffusers_names(unet.config, made), "unet", ("Attention",))
    halves = {name: each.half() for name, each in tensors.items()}
    metadata = {"unet": ["CrossAttention", "Attention"], "unet:0:rank": "4", "<s1>": "<embed>"}
    path = tiny.write(tmp_path / "a.safetensors", halves | {"<s1>": torch.zeros(64)}, metadata)
    lora = load_lora(path)
    changed = apply_lora(models["1"].denoiser, lora)
    [patch] = changed.patches
    layers = patch.layers  # type: ignore[attr-defined]
    assert {name.removesuffix(".weight") for name in layers} == made.keys()
    for name, each in made.items():
        found = layers[f"{name}.weight"]
        assert torch.equal(found.up.half(), each.up.half())
        assert torch.equal(found.down.half(), each.down.half())
        assert found.scale == 1.0


def test_numbered_text_layers(models: dict[str, LoadedCheckpoint], tmp_path: Path) -> None:
    encoder: Any = models["1"].text_encoder
    network = encoder.towers[0].network
    made = tiny.without_alpha(tiny.factors(network, tiny.self_attention))
    order = [
        f"text_model.encoder.layers.{layer}.self_attn.{each}"
        for layer in range(network.config.depth)
        for each in ("k_proj", "v_proj", "q_proj", "out_proj")
    ]
    tensors = {
        f"text_encoder:{number}:{factor}": getattr(made[name], factor)
        for number, name in enumerate(order)
        for factor in ("up", "down")
    }
    changed: Any = apply_lora_text(encoder, load_lora(tiny.write(tmp_path / "a.safetensors", tensors)))
    exact = ClipText(network.config).eval()
    exact.load_state_dict(tiny.merged(network, made))
    ids = torch.tensor([[49406, 320, 736, 3055, 49407]])
    assert (changed.towers[0].patched(ids).hidden - exact(ids).hidden).abs().max() <= 1e-5
