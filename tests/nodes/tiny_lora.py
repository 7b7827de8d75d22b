"""Tiny LoRA files with random factors, in the layouts that programs write."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from nodes.checkpoints.unet_names import renamed, unet_modules
from nodes.models.clip_text import ClipText
from nodes.models.configs import UNetConfig
from nodes.models.unet import UNet


@dataclass(frozen=True, kw_only=True)
class Factors:
    """Of one layer."""

    down: Tensor
    up: Tensor
    alpha: float

    @property
    def delta(self) -> Tensor:
        """alpha / rank up down, in float64, as a matrix."""
        return self.alpha / len(self.down) * self.up.double().flatten(1) @ self.down.double().flatten(1)


Layers = Mapping[str, Factors]
"""By our names of the layers."""


def factors(network: nn.Module, wanted: Callable[[str], bool], seed: int = 0, rank: int = 3) -> dict[str, Factors]:
    """For the linear layers and convolutions with these names; alphas differ from layer to layer."""
    made = torch.Generator().manual_seed(seed)
    found: dict[str, Factors] = {}
    for name, layer in network.named_modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d)) and wanted(name):
            out, *inner = layer.weight.shape
            down = torch.randn(rank, *inner, generator=made) / layer.weight[0].numel() ** 0.5
            up = 0.3 * torch.randn(out, rank, *[1] * (len(inner) - 1), generator=made)
            found[name] = Factors(down=down, up=up, alpha=1.0 + len(found) % 3)
    return found


def attention(name: str) -> bool:
    """What cloneofsimo's and diffusers' LoRAs change."""
    return name.endswith((".to_q", ".to_k", ".to_v", ".to_out.0"))


def transformer(name: str) -> bool:
    """All linear layers of the transformers."""
    return ".transformer_blocks." in name or ".proj_" in name


def everything(name: str) -> bool:
    """Also all convolutions and the time's layers: LoCon."""
    return True


def self_attention(name: str) -> bool:
    """Of a text encoder."""
    return ".self_attn." in name


def diffusers_names(config: UNetConfig, layers: Layers) -> dict[str, Factors]:
    """By the names in diffusers."""
    table = unet_modules(config)
    return {str(renamed(table, name)): each for name, each in layers.items()}


def kohya(prefix: str, layers: Layers) -> dict[str, Tensor]:
    """lora_unet_..., lora_te_..., with alphas."""
    found: dict[str, Tensor] = {}
    for name, each in layers.items():
        stem = prefix + name.replace(".", "_")
        found |= {f"{stem}.lora_down.weight": each.down, f"{stem}.lora_up.weight": each.up}
        found[f"{stem}.alpha"] = torch.tensor(each.alpha)
    return found


def without_alpha(layers: Layers) -> dict[str, Factors]:
    """The same deltas where alpha is the rank: alpha / rank goes into `up`."""
    return {
        name: Factors(down=each.down, up=each.up * (each.alpha / len(each.down)), alpha=float(len(each.down)))
        for name, each in layers.items()
    }


def dotted(layers: Layers, prefix: str, down: str, up: str) -> dict[str, Tensor]:
    """prefix + layer + factor, without alphas."""
    found: dict[str, Tensor] = {}
    for name, each in without_alpha(layers).items():
        found |= {f"{prefix}{name}{down}": each.down, f"{prefix}{name}{up}": each.up}
    return found


def processors(layers: Layers) -> dict[str, Tensor]:
    """Attention processors of early diffusers."""
    found: dict[str, Tensor] = {}
    for name, each in without_alpha(layers).items():
        block, _, leaf = name.removesuffix(".0").rpartition(".")
        for factor in ("down", "up"):
            found[f"unet.{block}.processor.{leaf}_lora.{factor}.weight"] = getattr(each, factor)
    return found


def cloneofsimo(reference: nn.Module, layers: Layers, part: str, classes: tuple[str, ...]) -> dict[str, Tensor]:
    """Numbered in the order in which `named_modules` of the reference visits layers inside modules of these classes.

    layers: by the reference's names.
    """
    flat = without_alpha(layers)
    found: dict[str, Tensor] = {}
    count = 0
    for outer, module in reference.named_modules():
        if type(module).__name__ not in classes:
            continue
        for inner, layer in module.named_modules():
            if isinstance(layer, (nn.Linear, nn.Conv2d)):
                each = flat[f"{outer}.{inner}"]
                found |= {f"{part}:{count}:up": each.up, f"{part}:{count}:down": each.down}
                count += 1
    return found


def write(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, object] | None = None) -> Path:
    """metadata: texts, or what becomes JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = {key: each if isinstance(each, str) else json.dumps(each) for key, each in (metadata or {}).items()}
    save_file({name: each.clone().contiguous() for name, each in tensors.items()}, path, texts)
    return path


def merged(network: UNet | ClipText, layers: Layers) -> dict[str, Tensor]:
    """The network's weights with the deltas added in float64."""
    state = {name: each.clone() for name, each in network.state_dict().items()}
    for name, each in layers.items():
        weight = state[f"{name}.weight"]
        state[f"{name}.weight"] = (weight.double() + each.delta.reshape(weight.shape)).to(weight.dtype)
    return state
