"""The networks of diffusers and transformers with the weights of ours."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from nodes.checkpoints.unet_names import renamed, unet_modules
from nodes.models.clip_text import ClipText
from nodes.models.unet import UNet
from nodes.types import Denoiser

from ..models.test_unet import theirs

VERSION_NAMES = ["1", "2", "XL"]


def unet_of(denoiser: Denoiser) -> UNet:
    assert isinstance(denoiser.network, UNet)
    return denoiser.network


def reference(network: UNet) -> nn.Module:
    """diffusers' UNet with the same weights."""
    found = theirs(network.config)
    table = unet_modules(network.config)
    shapes = found.state_dict()
    state = {str(renamed(table, name)): value for name, value in network.state_dict().items()}
    found.load_state_dict({name: value.reshape(shapes[name].shape) for name, value in state.items()})
    return found.requires_grad_(False)


def inputs(network: UNet) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    made = torch.Generator().manual_seed(5)
    config = network.config
    vector = torch.randn(2, config.vector_width, generator=made) if config.vector_width else None
    x = torch.randn(2, config.in_channels, 8, 8, generator=made)
    return x, torch.tensor([7.0, 800.0]), torch.randn(2, 5, config.context_width, generator=made), vector


def output(network: nn.Module, like: UNet) -> Tensor:
    x, time, context, vector = inputs(like)
    with torch.no_grad():
        out: Tensor = network(x, time, context, vector=vector)
    return out


def clip_reference(network: ClipText) -> Any:
    """The encoder of transformers with the same weights."""
    from transformers import CLIPTextConfig, CLIPTextModel

    config = network.config
    found = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=config.vocabulary,
            hidden_size=config.width,
            intermediate_size=config.mlp_width,
            num_hidden_layers=config.depth,
            num_attention_heads=config.heads,
            max_position_embeddings=config.length,
        )
    ).eval()
    names = found.state_dict().keys()
    state = network.state_dict()
    found.load_state_dict({name: state[name if name in state else f"text_model.{name}"] for name in names}, strict=True)
    return found
