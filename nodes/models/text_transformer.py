"""A small bidirectional transformer over word pieces: a caption becomes one vector per token."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from .configs import TextConfig
from .layers import Attention, FeedForward


class TextBlock(nn.Module):
    """Attention and feed-forward, each normalised before."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(config.width), Attention(config.width, config.heads)
        self.norm2, self.mlp = nn.LayerNorm(config.width), FeedForward(config.width, config.mlp_ratio)

    def forward(self, x: Float[Tensor, "b n d"], mask: Bool[Tensor, "b n"]) -> Float[Tensor, "b n d"]:
        """mask: True where there is a token."""
        x = x + self.attention(self.norm1(x), None, mask)
        out: Tensor = x + self.mlp(self.norm2(x))
        return out


class TextTransformer(nn.Module):
    """Token ids to token vectors. The first token of every caption is a start token, so that no caption is empty."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.config = config
        self.tokens = nn.Embedding(config.vocabulary, config.width)
        self.positions = nn.Parameter(0.02 * torch.randn(config.length, config.width))
        self.blocks = nn.ModuleList(TextBlock(config) for _ in range(config.depth))
        self.norm_out = nn.LayerNorm(config.width)
        nn.init.normal_(self.tokens.weight, std=0.02)

    def forward(self, ids: Int[Tensor, "b n"], mask: Bool[Tensor, "b n"]) -> Float[Tensor, "b n d"]:
        """ids: at most `length` tokens. mask: True where there is a token; others change nothing."""
        if ids.shape[1] > self.config.length:
            raise ValueError(f"{ids.shape[1]} tokens; this text transformer takes at most {self.config.length}")
        x = self.tokens(ids) + self.positions[: ids.shape[1]]
        for block in self.blocks:
            x = block(x, mask)
        out: Tensor = self.norm_out(x) * mask.unsqueeze(2)
        return out
