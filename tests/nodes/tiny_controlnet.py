"""Tiny ControlNets with random weights, in both layouts, and the models that they are for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from nodes.adapters.controlnet import ControlNet
from nodes.adapters.controlnet_files import Layout, controlnet_names
from nodes.checkpoints.families.stable_diffusion_parts import schedule
from nodes.conditioning.unet import predict_unet
from nodes.guidance.classifier_free import classifier_free_guidance
from nodes.models import controlnet as networks
from nodes.models.configs import UNetConfig
from nodes.models.unet import UNet
from nodes.parameterisations import Epsilon
from nodes.samplers.ddim import ddim
from nodes.samplers.loop import drive
from nodes.schedules.discrete import discrete_sigmas
from nodes.types import Conditioning, Denoiser, Encoding, Image, LatentSpace

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


class Still:
    """No noise."""

    def __call__(self, step: int, draw: int) -> Tensor:
        raise AssertionError("nothing here draws noise")


class Recorded:
    """A denoiser whose network's inputs and outputs are kept."""

    def __init__(self, denoiser: Denoiser) -> None:
        self.x, self.time, self.out = torch.zeros(0), torch.zeros(0), torch.zeros(0)

        def predict(network: nn.Module, x: Tensor, time: Tensor, said: Encoding, taps: Any) -> Tensor:
            self.x, self.time, self.out = x, time, predict_unet(network, x, time, said, taps)
            return self.out

        self.denoiser = replace(denoiser, predict=predict)


class Counted(nn.Module):
    """A ControlNet's network that counts how often it is used."""

    def __init__(self, network: networks.ControlNet) -> None:
        super().__init__()
        self.network, self.config = network, network.config
        self.calls, self.hints = 0, list[Tensor]()

    def read(self, given: Tensor) -> Tensor:
        self.hints.append(given)
        return self.network.read(given)

    def forward(self, *arguments: Any, **options: Any) -> Any:
        self.calls += 1
        return self.network(*arguments, **options)


def counted(seed: int = 7) -> tuple[ControlNet, Counted]:
    network: Any = Counted(tiny_controlnet("1", seed).network)
    return ControlNet(network=network), network


def sigma_at(denoiser: Denoiser, *steps: float) -> Tensor:
    schedule: Any = denoiser.schedule
    levels: Tensor = schedule.level(torch.tensor(steps, dtype=torch.float64))
    return levels


def denoised(denoiser: Denoiser, version: str = "1", sigma: Tensor | None = None, **size: Any) -> Tensor:
    x = latent(**size)
    sigma = sigma_at(denoiser, 400.0)[0] if sigma is None else sigma
    return denoiser.denoise(x * 3.0, sigma, encoding(version, len(x)))


def drawn(denoiser: Denoiser, positive: Conditioning, negative: Conditioning, noise: Tensor, steps: int = 3) -> Tensor:
    """Of DDIM with guidance."""
    guider = classifier_free_guidance(denoiser, positive, negative, 5.0)
    sigmas = discrete_sigmas(denoiser, steps, "leading", 1.0, 1).values

    class Asked:
        schedule = guider.schedule

        def __call__(self, x: Tensor, sigma: Tensor) -> Tensor:
            return guider.denoise(x, sigma)

    sampler = ddim()
    start = noise * (1.0 + sigmas[0] ** 2).sqrt().float()
    return drive(sampler, Asked(), Still(), sampler.init(start, sigmas)).x
