"""Tiny ControlNets with random weights, in both layouts, and the models that they are for."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from nodes.adapters.controlnet import ControlNet
from nodes.adapters.controlnet_files import Layout, controlnet_names
from nodes.checkpoints.families.stable_diffusion_parts import schedule
from nodes.conditioning.unet import predict_unet
from nodes.models import controlnet as networks
from nodes.models.configs import UNetConfig
from nodes.models.unet import UNet
from nodes.parameterisations import Epsilon
from nodes.types import Denoiser, Encoding, Image, LatentSpace

from .tiny_sd import UNET1, UNET2, UNETXL, random_network

CONFIGS = {"1": UNET1, "2": UNET2, "XL": UNETXL}
"""Shapes by version."""

SPACE = LatentSpace(name="sd", channels=4, downscale=8, scale=(1.0,) * 4, shift=(0.0,) * 4)


def tiny_network(version: str = "1", seed: int = 7) -> networks.ControlNet:
    """With weights that let every layer matter, the zero convolutions too."""
    made = random_network(networks.ControlNet(CONFIGS[version]), seed)
    assert isinstance(made, networks.ControlNet)
    return made


def tiny_controlnet(version: str = "1", seed: int = 7) -> ControlNet:
    """A handle on it."""
    return ControlNet(network=tiny_network(version, seed))


def tiny_denoiser(version: str = "1", config: UNetConfig | None = None) -> Denoiser:
    """A model of the version that predicts noise."""
    network: nn.Module = random_network(UNet(config or CONFIGS[version]), 0)
    return Denoiser(network=network, predict=predict_unet, parameterisation=Epsilon(), schedule=schedule(), space=SPACE)


def encoding(version: str = "1", batch: int = 2, seed: int = 1) -> Encoding:
    """Random tokens, and the pooled text where the version has one."""
    config = CONFIGS[version]
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randn(batch, 7, config.context_width, generator=generator)
    pooled = torch.randn(batch, 64, generator=generator) if config.vector_width else None
    return Encoding(tokens=tokens, mask=torch.ones(batch, 7, dtype=torch.bool), pooled=pooled)


def latent(batch: int = 2, height: int = 8, width: int = 12) -> Tensor:
    return torch.randn(batch, 4, height, width, generator=torch.Generator().manual_seed(2))


def hint(batch: int = 1, height: int = 64, width: int = 96, seed: int = 3) -> Image:
    return Image(pixels=torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(seed)))


def tensors(version: str = "1", layout: Layout = "original", seed: int = 7) -> dict[str, Tensor]:
    """The weights as a file of that layout names them."""
    names = controlnet_names(CONFIGS[version], layout)
    return {names[name]: value.contiguous() for name, value in tiny_network(version, seed).state_dict().items()}


def write_controlnet(path: Path, state: dict[str, Tensor]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(state, path)
    return path
