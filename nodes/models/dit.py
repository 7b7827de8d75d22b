"""A diffusion transformer on latents that looks at text by cross-attention.

Peebles & Xie 2022 (adaLN-zero), with one shared modulation network and a learned table per block as in Chen et al. 2023
(PixArt-alpha, section 2.3, adaLN-single).

    x -> patches -> linear -> + positions -> block x depth -> adaLN -> linear -> unpatch -> prediction
    t -> sincos -> MLP -> + linear(mean of text) -> shared modulation, 6 vectors
    block:  x + gate1 * self(adaLN(x));  x + cross(x, text);  x + gate2 * mlp(adaLN(x))
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from .configs import DiTConfig
from .layers import Attention, FeedForward, masked_mean, patchify, sincos_positions_2d, timestep_embedding, unpatchify


class DiTBlock(nn.Module):
    """Self-attention, cross-attention and feed-forward; the identity when it is new."""

    def __init__(self, config: DiTConfig) -> None:
        super().__init__()
        width = config.width
        self.norm1 = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.attention = Attention(width, config.heads)
        self.norm_cross = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.cross = Attention(width, config.heads, config.context_width)
        self.norm2 = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.mlp = FeedForward(width, config.mlp_ratio)
        self.table = nn.Parameter(torch.zeros(6, width))
        nn.init.zeros_(self.cross.to_out.weight)
        nn.init.zeros_(self.cross.to_out.bias)

    def forward(
        self,
        x: Float[Tensor, "b n d"],
        modulation: Float[Tensor, "b 6 d"],
        context: Float[Tensor, "b m c"],
        mask: Bool[Tensor, "b m"] | None,
    ) -> Float[Tensor, "b n d"]:
        """modulation: shift, scale and gate of the attention, then those of the feed-forward."""
        shift1, scale1, gate1, shift2, scale2, gate2 = (modulation + self.table).unsqueeze(2).unbind(1)  # each b 1 d
        x = x + gate1 * self.attention(self.norm1(x) * (1 + scale1) + shift1)
        x = x + self.cross(self.norm_cross(x), context, mask)
        out: Tensor = x + gate2 * self.mlp(self.norm2(x) * (1 + scale2) + shift2)
        return out


class DiT(nn.Module):
    """The denoiser network; predicts what it was trained to (see the checkpoint's parameterisation)."""

    def __init__(self, config: DiTConfig) -> None:
        super().__init__()
        self.config = config
        width, token = config.width, config.patch**2 * config.channels
        self.patch_in = nn.Linear(token, width)
        self.time_mlp = nn.Sequential(nn.Linear(256, width), nn.SiLU(), nn.Linear(width, width))
        self.context_in = nn.Linear(config.context_width, width)
        expand = nn.Linear(width, 6 * width)
        self.modulation = nn.Sequential(nn.SiLU(), expand)
        self.blocks = nn.ModuleList(DiTBlock(config) for _ in range(config.depth))
        self.norm_out = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.table_out = nn.Parameter(torch.zeros(2, width))
        self.patch_out = nn.Linear(width, token)
        for layer in (expand, self.patch_out):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(
        self,
        x: Float[Tensor, "b c h w"],
        t: Float[Tensor, " b"],
        context: Float[Tensor, "b m k"],
        context_mask: Bool[Tensor, "b m"] | None = None,
    ) -> Float[Tensor, "b c h w"]:
        """t: noise level in [0, 1]. context: text tokens; context_mask: True where there is a token."""
        *_, height, width = x.shape
        p, d = self.config.patch, self.config.width
        tokens = self.patch_in(patchify(x, p))  # b n d
        tokens = tokens + sincos_positions_2d(height // p, width // p, d, device=x.device).to(tokens.dtype)
        time = self.time_mlp(timestep_embedding(1000.0 * t, 256).to(tokens.dtype))  # b d
        time = time + self.context_in(masked_mean(context, context_mask))
        modulation = self.modulation(time).unflatten(1, (6, d))  # b 6 d
        for block in self.blocks:
            tokens = block(tokens, modulation, context, context_mask)
        shift, scale = (time.unsqueeze(1) + self.table_out).unsqueeze(2).unbind(1)  # each b 1 d
        out = self.patch_out(self.norm_out(tokens) * (1 + scale) + shift)  # b n p*p*c
        return unpatchify(out, p, height, width)
