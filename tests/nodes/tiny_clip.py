"""Tiny CLIP text encoders with random weights and the full vocabulary."""

from __future__ import annotations

import torch

from nodes.conditioning.clip import ClipTextEncoder, ClipTower
from nodes.models.clip_text import ClipText
from nodes.models.configs import CLIP_END, ClipTextConfig

TINY_L = ClipTextConfig(width=16, depth=2, heads=2, mlp_width=32)
TINY_G = ClipTextConfig(width=24, depth=3, heads=3, mlp_width=48, activation="gelu", projection=20)


def tiny_network(config: ClipTextConfig = TINY_L, seed: int = 0) -> ClipText:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = ClipText(config)
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
    return network.requires_grad_(False).eval()


def tiny_clip() -> ClipTextEncoder:
    """Like Stable Diffusion 1's."""
    return ClipTextEncoder(towers=(ClipTower(network=tiny_network()),))


def tiny_clip_pair() -> ClipTextEncoder:
    """Like Stable Diffusion XL's."""
    return ClipTextEncoder(
        towers=(
            ClipTower(network=tiny_network(), pad=CLIP_END, layer=2, final_norm=False),
            ClipTower(network=tiny_network(TINY_G, 1), pad=0, layer=2, final_norm=False),
        )
    )
