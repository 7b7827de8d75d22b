"""Small pieces that several architectures share."""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


def timestep_embedding(t: Float[Tensor, " batch"], width: int, *, max_period: float = 10_000.0) -> Tensor:
    """Sines and cosines of `t` at geometrically spaced frequencies, shape (batch, width).

    t: any real; models over [0, 1] multiply by 1000 first. width: even. Vaswani et al. 2017, section 3.5; cosines
    first.
    """
    half = width // 2
    frequencies = torch.exp(-math.log(max_period) * torch.arange(half, device=t.device, dtype=torch.float32) / half)
    angles = t.float()[:, None] * frequencies[None]
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def sincos_positions_2d(
    height: int, width: int, channels: int, *, device: torch.device
) -> Float[Tensor, "tokens width"]:
    """Fixed 2-D sine-cosine positions, rows of the grid one after the other.

    channels: divisible by 4; the first half tells the column, the second the row. Dosovitskiy et al. 2020; He et al.
    2021.
    """
    rows = torch.arange(height, device=device, dtype=torch.float32).repeat_interleave(width)
    columns = torch.arange(width, device=device, dtype=torch.float32).repeat(height)
    return torch.cat([timestep_embedding(columns, channels // 2), timestep_embedding(rows, channels // 2)], dim=1)


def patchify(x: Float[Tensor, "b c h w"], patch: int) -> Float[Tensor, "b n d"]:
    """Cut an image into patches, each a token of patch * patch * c numbers (row, column, channel)."""
    b, c, h, w = x.shape
    if h % patch or w % patch:
        raise ValueError(f"patchify: {h} x {w} cannot be cut into patches of {patch}; use multiples of {patch}")
    cut = x.reshape(b, c, h // patch, patch, w // patch, patch)
    return cut.permute(0, 2, 4, 3, 5, 1).reshape(b, (h // patch) * (w // patch), patch * patch * c)


def unpatchify(tokens: Float[Tensor, "b n d"], patch: int, height: int, width: int) -> Float[Tensor, "b c h w"]:
    """The inverse of `patchify` for an image of `height` x `width` pixels."""
    b, _, d = tokens.shape
    c = d // (patch * patch)
    cut = tokens.reshape(b, height // patch, width // patch, patch, patch, c)
    return cut.permute(0, 5, 1, 3, 2, 4).reshape(b, c, height, width)


def masked_mean(x: Float[Tensor, "b m k"], mask: Bool[Tensor, "b m"] | None) -> Float[Tensor, "b k"]:
    """The mean over the positions where `mask` is True; zero where it is nowhere True."""
    if mask is None:
        return x.mean(1)
    weight = mask.to(x.dtype).unsqueeze(2)  # b m 1
    return (x * weight).sum(1) / weight.sum(1).clamp(min=1.0)


class Attention(nn.Module):
    """Multi-head attention of `x` to itself or to a context, with layer-normalised queries and keys.

    width: of x. context_width: of the context; None attends to x itself. heads: divides width. Normalised
    queries and keys: Dehghani et al. 2023.
    """

    def __init__(self, width: int, heads: int, context_width: int | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(width, width)
        self.to_k = nn.Linear(context_width or width, width)
        self.to_v = nn.Linear(context_width or width, width)
        self.q_norm = nn.LayerNorm(width // heads, eps=1e-6, bias=False)
        self.k_norm = nn.LayerNorm(width // heads, eps=1e-6, bias=False)
        self.to_out = nn.Linear(width, width)

    def forward(self, x: Float[Tensor, "b n d"], context: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """x: (b, n, d). context: (b, m, d'). mask: (b, m), True where the context may be looked at."""
        source = x if context is None else context
        q = self.q_norm(self._heads(self.to_q(x)))  # b h n k
        k = self.k_norm(self._heads(self.to_k(source)))  # b h m k
        v = self._heads(self.to_v(source))  # b h m k
        allowed = None if mask is None else mask[:, None, None, :]  # b 1 1 m
        mixed = nn.functional.scaled_dot_product_attention(q.to(v.dtype), k.to(v.dtype), v, attn_mask=allowed)
        out: Tensor = self.to_out(mixed.transpose(1, 2).flatten(2))  # b n d
        return out

    def _heads(self, x: Tensor) -> Tensor:
        b, n, d = x.shape
        return x.reshape(b, n, self.heads, d // self.heads).transpose(1, 2)


class FeedForward(nn.Sequential):
    """Two linear layers with a GELU between; `ratio` times wider inside."""

    def __init__(self, width: int, ratio: int = 4) -> None:
        super().__init__(nn.Linear(width, ratio * width), nn.GELU(), nn.Linear(ratio * width, width))


class ResidualBlock(nn.Module):
    """x + conv(silu(norm(conv(silu(norm(x)))))), the last convolution starting at zero."""

    def __init__(self, width: int, groups: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(groups, width), nn.Conv2d(width, width, 3, padding=1)
        self.norm2, self.conv2 = nn.GroupNorm(groups, width), nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Same shape."""
        h = self.conv1(nn.functional.silu(self.norm1(x)))
        h = self.conv2(nn.functional.silu(self.norm2(h)))
        out: Tensor = x + h
        return out
