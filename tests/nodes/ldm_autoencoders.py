"""Tiny autoencoders of Stable Diffusion with random weights, in the layouts that files have."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from nodes.checkpoints.ldm_autoencoder import Attention, diffusers_autoencoder_sources
from nodes.checkpoints.sources import take
from nodes.models.configs import LdmAutoencoderConfig
from nodes.models.ldm_autoencoder import LdmAutoencoder

TINY = LdmAutoencoderConfig(channels=32, multipliers=(1, 2), res_blocks=1)


def ldm_state(config: LdmAutoencoderConfig = TINY, seed: int = 0) -> dict[str, Tensor]:
    """In the original layout; gains and biases are not 1 and 0 either."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        state = LdmAutoencoder(config).state_dict()
        return {name: value + 0.1 * torch.randn(value.shape) for name, value in state.items()}


def diffusers_state(state: dict[str, Tensor], attention: Attention = "to_q") -> dict[str, Tensor]:
    """The same in the layout of diffusers."""
    sources = diffusers_autoencoder_sources(TINY, attention)
    return {name: take(state[source.name], source) for name, source in sources.items()}


def write_autoencoder(path: Path, state: dict[str, Tensor] | None = None) -> Path:
    """A safetensors file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous() for name, value in (state or ldm_state()).items()}, path)
    return path
