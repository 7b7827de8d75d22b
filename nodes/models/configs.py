"""The shapes of the networks in this room, apart from them so that reading one imports no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class AutoencoderConfig:
    """The shape of an autoencoder.

    widths: channels per resolution, the finest first; each further one halves the sides.
    encoder_blocks: residual blocks per resolution, the finest first. decoder_blocks: the same, the coarsest first.
    latent_channels: channels of the latent. patch: image pixels on a side that become one position of the finest
    resolution, without arithmetic (pixel unshuffle): convolutions at full resolution cost most and see least.
    """

    widths: tuple[int, ...] = (64, 128)
    encoder_blocks: tuple[int, ...] = (2, 1)
    decoder_blocks: tuple[int, ...] = (2, 3)
    image_channels: int = 3
    latent_channels: int = 4
    patch: int = 2
    groups: int = 8

    @property
    def downscale(self) -> int:
        """Image pixels on a side per latent pixel."""
        return int(self.patch * 2 ** (len(self.widths) - 1))


@dataclass(frozen=True, kw_only=True)
class DiTConfig:
    """The shape of a DiT.

    channels: of the latent. patch: latent pixels on a side of a token. width, depth, heads: of the transformer.
    context_width: of the text tokens.
    """

    channels: int = 4
    patch: int = 2
    width: int = 192
    depth: int = 8
    heads: int = 4
    context_width: int = 256
    mlp_ratio: int = 4


@dataclass(frozen=True, kw_only=True)
class TextConfig:
    """The shape of a text transformer; `length` is the most tokens it takes."""

    vocabulary: int = 3000
    length: int = 24
    width: int = 256
    depth: int = 2
    heads: int = 4
    mlp_ratio: int = 2


@dataclass(frozen=True, kw_only=True)
class MatcherConfig:
    """The shape of a matcher.

    widths: channels per resolution of the image tower, each half as long as the one before; the first is half the
    image. blocks: residual blocks per resolution. embedding: length of the vectors. text: the text tower.
    """

    widths: tuple[int, ...] = (32, 64, 128)
    blocks: tuple[int, ...] = (1, 1, 2)
    groups: int = 8
    embedding: int = 128
    text: TextConfig = field(default_factory=lambda: TextConfig(depth=1))


CLIP_START, CLIP_END = 49406, 49407
"""Ids of the tokens that CLIP has before and after every text."""


@dataclass(frozen=True, kw_only=True)
class ClipTextConfig:
    """The shape of a CLIP text encoder.

    length: tokens of one pass, start, end and padding included. mlp_width: of the hidden layer. activation: quick_gelu
    is x sigmoid(1.702 x). projection: width of the pooled vector; None where the pooled vector is not projected.
    """

    vocabulary: int = 49408
    length: int = 77
    width: int = 768
    depth: int = 12
    heads: int = 12
    mlp_width: int = 3072
    activation: Literal["quick_gelu", "gelu"] = "quick_gelu"
    projection: int | None = None


CLIP_L = ClipTextConfig()
"""OpenAI's ViT-L/14: Stable Diffusion 1, and the first of the two of Stable Diffusion XL."""

OPEN_CLIP_H = ClipTextConfig(width=1024, depth=24, heads=16, mlp_width=4096, activation="gelu", projection=1024)
"""OpenCLIP's ViT-H/14: Stable Diffusion 2."""

OPEN_CLIP_BIGG = ClipTextConfig(width=1280, depth=32, heads=20, mlp_width=5120, activation="gelu", projection=1280)
"""OpenCLIP's ViT-bigG/14: the second of Stable Diffusion XL."""
