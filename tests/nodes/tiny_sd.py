"""Tiny Stable Diffusion checkpoints with random weights, in the original layout of single files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from nodes.checkpoints.open_clip import open_clip_sources, to_open_clip
from nodes.models.clip_text import ClipText
from nodes.models.configs import ClipTextConfig, LdmAutoencoderConfig, UNetConfig
from nodes.models.ldm_autoencoder import LdmAutoencoder
from nodes.models.unet import UNet

AUTOENCODER = LdmAutoencoderConfig(channels=32, multipliers=(1, 1, 1, 2), res_blocks=1)
OPENAI = ClipTextConfig(width=64, depth=2, heads=1, mlp_width=96)
OPENCLIP = ClipTextConfig(width=64, depth=3, heads=1, mlp_width=96, activation="gelu", projection=64)
UNET1 = UNetConfig(channels=32, multipliers=(1, 2), depths=(1, 0), context_width=64)
UNET2 = replace(UNET1, channels=64, heads=0, linear_projections=True)
UNETXL = replace(UNET2, depths=(0, 2), middle_depth=2, context_width=128, vector_width=64 + 6 * 256)
REFINER = replace(UNET2, depths=(0, 2), middle_depth=2, vector_width=64 + 5 * 256)


@dataclass(frozen=True, kw_only=True)
class Version:
    """What a tiny file holds. towers: prefix and shape of each text encoder."""

    unet: UNetConfig
    towers: tuple[tuple[str, ClipTextConfig], ...]


VERSIONS: Mapping[str, Version] = {
    "1": Version(unet=UNET1, towers=(("cond_stage_model.transformer.", OPENAI),)),
    "1 inpainting": Version(unet=replace(UNET1, in_channels=9), towers=(("cond_stage_model.transformer.", OPENAI),)),
    "2": Version(unet=UNET2, towers=(("cond_stage_model.model.", OPENCLIP),)),
    "XL": Version(
        unet=UNETXL,
        towers=(("conditioner.embedders.0.transformer.", OPENAI), ("conditioner.embedders.1.model.", OPENCLIP)),
    ),
    "XL refiner": Version(unet=REFINER, towers=(("conditioner.embedders.0.model.", OPENCLIP),)),
}


def random_network(network: nn.Module, seed: int) -> nn.Module:
    """With weights that let every layer matter."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, each in network.named_parameters():
            if each.ndim > 1:
                each.normal_(std=0.7 / each[0].numel() ** 0.5, generator=generator)
            else:
                each.normal_(mean=1.0 if name.endswith("weight") else 0.0, std=0.1, generator=generator)
    return network.requires_grad_(False).eval()


def networks(version: str) -> tuple[UNet, LdmAutoencoder, list[ClipText]]:
    """Of a version."""
    about = VERSIONS[version]
    unet, vae = random_network(UNet(about.unet), 0), random_network(LdmAutoencoder(AUTOENCODER), 1)
    towers = [random_network(ClipText(config), 2 + index) for index, (_, config) in enumerate(about.towers)]
    assert isinstance(unet, UNet)
    assert isinstance(vae, LdmAutoencoder)
    return unet, vae, [each for each in towers if isinstance(each, ClipText)]


def original_tensors(version: str) -> dict[str, Tensor]:
    """The weights under the names of the original layout."""
    unet, vae, towers = networks(version)
    found = {f"model.diffusion_model.{name}": value for name, value in unet.state_dict().items()}
    found |= {f"first_stage_model.{name}": value for name, value in vae.state_dict().items()}
    for (prefix, config), tower in zip(VERSIONS[version].towers, towers, strict=True):
        state = tower.state_dict()
        if prefix.endswith("model."):
            state = to_open_clip(state, open_clip_sources(config.depth, config.projection is not None))
        found |= {prefix + name: value for name, value in state.items()}
    return {name: value.clone().contiguous() for name, value in found.items()}


def write_sd(path: Path, version: str = "1", **changes: Tensor | None) -> Path:
    """A single file. changes: tensors to add or, where None, to leave out; __ stands for a dot."""
    tensors: dict[str, Tensor | None] = {**original_tensors(version)}
    tensors |= {name.replace("__", "."): value for name, value in changes.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value for name, value in tensors.items() if value is not None}, path)
    return path
