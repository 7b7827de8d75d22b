"""The blocks of Stable Diffusion's UNet and ControlNet. Their modules are named as in the original checkpoints.

Rombach et al. 2022; Podell et al. 2023 (SDXL).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from .configs import UNetConfig
from .layers import timestep_embedding
from .on_cpu import Conv2d, Linear, attention, linear

GROUPS = 32


class ResBlock(nn.Module):
    """x + conv(silu(norm(conv(silu(norm(x))) + time))), with a 1 x 1 convolution where the width changes."""

    def __init__(self, width: int, out_width: int, time_width: int) -> None:
        super().__init__()
        self.in_layers = nn.Sequential(nn.GroupNorm(GROUPS, width), nn.SiLU(), Conv2d(width, out_width, 3, padding=1))
        self.emb_layers = nn.Sequential(nn.SiLU(), Linear(time_width, out_width))
        self.out_layers = nn.Sequential(
            nn.GroupNorm(GROUPS, out_width), nn.SiLU(), nn.Identity(), Conv2d(out_width, out_width, 3, padding=1)
        )
        self.skip_connection = nn.Identity() if width == out_width else Conv2d(width, out_width, 1)

    def forward(self, x: Float[Tensor, "b c h w"], time: Float[Tensor, "b t"]) -> Float[Tensor, "b c2 h w"]:
        """time: the embedded time."""
        h = self.in_layers(x) + self.emb_layers(time)[:, :, None, None]  # b c2 h w
        out: Tensor = self.skip_connection(x) + self.out_layers(h)
        return out


class CrossAttention(nn.Module):
    """Multi-head attention of x to itself or to a context; queries, keys and values without biases."""

    def __init__(self, width: int, heads: int, context_width: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = Linear(width, width, bias=False)
        self.to_k = Linear(context_width, width, bias=False)
        self.to_v = Linear(context_width, width, bias=False)
        self.to_out = nn.Sequential(Linear(width, width))

    def forward(
        self, x: Float[Tensor, "b n d"], context: Float[Tensor, "b m k"], mask: Bool[Tensor, "b m"] | None = None
    ) -> Float[Tensor, "b n d"]:
        """mask: True where the context may be looked at; None everywhere."""
        q, k, v = (self._split(each) for each in (self.to_q(x), self.to_k(context), self.to_v(context)))  # b heads _ d
        allowed = None if mask is None else mask[:, None, None, :]
        mixed = attention(q, k, v, allowed)
        out: Tensor = self.to_out(mixed.transpose(1, 2).flatten(2))
        return out

    def _split(self, x: Tensor) -> Tensor:
        b, n, d = x.shape
        return x.reshape(b, n, self.heads, d // self.heads).transpose(1, 2)


class GEGLU(nn.Module):
    """A linear layer, half of which gates the other half through a GELU. Shazeer 2020."""

    def __init__(self, width: int, out_width: int) -> None:
        super().__init__()
        self.proj = Linear(width, 2 * out_width)

    def forward(self, x: Float[Tensor, "b n d"]) -> Float[Tensor, "b n d2"]:
        """The first half is the value, the second the gate."""
        value, gate = self.proj(x).chunk(2, dim=-1)
        out: Tensor = value * F.gelu(gate)
        return out


class FeedForward(nn.Module):
    """GEGLU four times as wide, then back."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.net = nn.Sequential(GEGLU(width, 4 * width), nn.Identity(), Linear(4 * width, width))

    def forward(self, x: Float[Tensor, "b n d"]) -> Float[Tensor, "b n d"]:
        """Same shape."""
        out: Tensor = self.net(x)
        return out


class TransformerBlock(nn.Module):
    """Attention of the picture to itself, then to the text, then a feed-forward layer, each normalised before."""

    def __init__(self, width: int, heads: int, context_width: int) -> None:
        super().__init__()
        self.attn1 = CrossAttention(width, heads, width)
        self.ff = FeedForward(width)
        self.attn2 = CrossAttention(width, heads, context_width)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))

    def forward(self, x: Float[Tensor, "b n d"], context: Tensor, mask: Tensor | None) -> Float[Tensor, "b n d"]:
        """context: (b, m, k); mask as in `CrossAttention`."""
        h = self.norm1(x)
        x = x + self.attn1(h, h)
        x = x + self.attn2(self.norm2(x), context, mask)
        out: Tensor = x + self.ff(self.norm3(x))
        return out


class SpatialTransformer(nn.Module):
    """Transformer blocks over the positions of a feature map, between two projections, added to their input."""

    def __init__(self, width: int, heads: int, depth: int, context_width: int, *, linear: bool) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, width, eps=1e-6)
        self.proj_in = Linear(width, width) if linear else Conv2d(width, width, 1)
        self.transformer_blocks = nn.ModuleList(TransformerBlock(width, heads, context_width) for _ in range(depth))
        self.proj_out = Linear(width, width) if linear else Conv2d(width, width, 1)

    def forward(self, x: Float[Tensor, "b c h w"], context: Tensor, mask: Tensor | None) -> Float[Tensor, "b c h w"]:
        """The 1 x 1 convolutions of the older models are applied as the linear layers that they are."""
        b, c, height, width = x.shape
        tokens = self.norm(x).permute(0, 2, 3, 1).flatten(1, 2)  # b n c
        tokens = self._project(self.proj_in, tokens)
        for block in self.transformer_blocks:
            tokens = block(tokens, context, mask)
        tokens = self._project(self.proj_out, tokens)
        return x + tokens.reshape(b, height, width, c).permute(0, 3, 1, 2)

    def _project(self, layer: nn.Module, tokens: Tensor) -> Tensor:
        if not isinstance(layer, nn.Conv2d):
            out: Tensor = layer(tokens)
            return out
        return linear(tokens, layer.weight.flatten(1), layer.bias)


class Downsample(nn.Module):
    """Half the sides, by a convolution of stride 2."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.op = Conv2d(width, width, 3, stride=2, padding=1)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h2 w2"]:
        """Odd sides are rounded up."""
        out: Tensor = self.op(x)
        return out


class Upsample(nn.Module):
    """Twice the sides: nearest neighbour, then a convolution."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = Conv2d(width, width, 3, padding=1)

    def forward(self, x: Float[Tensor, "b c h w"], size: tuple[int, int]) -> Float[Tensor, "b c h2 w2"]:
        """size: height and width of the result, those of the skip it will be joined with."""
        out: Tensor = self.conv(F.interpolate(x, size=size, mode="nearest"))
        return out


def run(
    layers: nn.Module, h: Tensor, time: Tensor, context: Tensor, mask: Tensor | None, size: tuple[int, int]
) -> Tensor:
    """The modules of a numbered block one after the other: a `ResBlock`, a `SpatialTransformer`, a change of size, or
    some of these. size: what an `Upsample` makes."""
    for layer in layers.children():
        if isinstance(layer, ResBlock):
            h = layer(h, time)
        elif isinstance(layer, SpatialTransformer):
            h = layer(h, context, mask)
        elif isinstance(layer, Upsample):
            h = layer(h, size)
        else:
            h = layer(h)
    return h


class Embeddings(nn.Module):
    """What UNet and ControlNet are told beside the picture and the text: the time, and for SDXL a vector."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.width = config.channels
        time_width = config.time_width
        self.time_embed = _two_layers(config.channels, time_width)
        if config.vector_width:
            self.label_emb = nn.Sequential(_two_layers(config.vector_width, time_width))

    def embedded(self, time: Float[Tensor, " b"], vector: Tensor | None, dtype: torch.dtype) -> Float[Tensor, "b t"]:
        """time: the training step, 0 .. 999. vector: (b, v), where the model takes one."""
        embedded: Tensor = self.time_embed(timestep_embedding(time, self.width).to(dtype))
        if hasattr(self, "label_emb"):
            if vector is None:
                raise ValueError("this network takes a vector (pooled text and sizes); none was given")
            embedded = embedded + self.label_emb(vector.to(dtype))
        return embedded


def _two_layers(width: int, out_width: int) -> nn.Sequential:
    return nn.Sequential(Linear(width, out_width), nn.SiLU(), Linear(out_width, out_width))


def encoder(config: UNetConfig) -> tuple[nn.ModuleList, list[int]]:
    """The numbered blocks of the encoder, and the width of each one's output: the skips."""
    width = config.channels
    blocks = [nn.ModuleList([Conv2d(config.in_channels, width, 3, padding=1)])]
    widths = [width]
    for level, multiplier in enumerate(config.multipliers):
        for _ in range(config.res_blocks):
            layers: list[nn.Module] = [ResBlock(width, multiplier * config.channels, config.time_width)]
            width = multiplier * config.channels
            if config.depths[level]:
                layers.append(transformer(config, width, config.depths[level]))
            blocks.append(nn.ModuleList(layers))
            widths.append(width)
        if level < len(config.multipliers) - 1:
            blocks.append(nn.ModuleList([Downsample(width)]))
            widths.append(width)
    return nn.ModuleList(blocks), widths


def middle(config: UNetConfig, width: int) -> nn.ModuleList:
    """The block between encoder and decoder."""
    between = [transformer(config, width, config.middle_depth)] if config.middle_depth else []
    first, last = (ResBlock(width, width, config.time_width) for _ in range(2))
    return nn.ModuleList([first, *between, last])


def transformer(config: UNetConfig, width: int, depth: int) -> SpatialTransformer:
    """With the heads that the config gives a layer of that width."""
    heads = config.heads or width // config.head_width
    return SpatialTransformer(width, heads, depth, config.context_width, linear=config.linear_projections)
