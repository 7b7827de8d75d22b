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
class UNetConfig:
    """The shape of Stable Diffusion's UNet; the defaults are those of version 1.

    channels: of the finest level. multipliers: of the channels per level, the finest first; each further one halves the
    sides. res_blocks: per level in the encoder, one more in the decoder. depths: transformer blocks of a layer per
    level, 0 for none; middle_depth: the same between encoder and decoder. heads: of every layer, or 0 where
    head_width says how wide each is. vector_width: of what SDXL is told beside the text, 0 for nothing.
    linear_projections: around the transformer blocks, instead of convolutions.
    """

    in_channels: int = 4
    out_channels: int = 4
    channels: int = 320
    multipliers: tuple[int, ...] = (1, 2, 4, 4)
    res_blocks: int = 2
    depths: tuple[int, ...] = (1, 1, 1, 0)
    middle_depth: int = 1
    heads: int = 8
    head_width: int = 64
    context_width: int = 768
    vector_width: int = 0
    linear_projections: bool = False

    @property
    def time_width(self) -> int:
        """Numbers of the embedded time."""
        return 4 * self.channels

    @property
    def multiple(self) -> int:
        """Latent sides that are multiples of it are halved without a rest at every level."""
        return int(2 ** (len(self.multipliers) - 1))


SD1 = UNetConfig()
SD1_INPAINTING = UNetConfig(in_channels=9)
SD2 = UNetConfig(heads=0, context_width=1024, linear_projections=True)
SDXL = UNetConfig(
    multipliers=(1, 2, 4),
    depths=(0, 2, 10),
    middle_depth=10,
    heads=0,
    context_width=2048,
    vector_width=2816,
    linear_projections=True,
)
SDXL_REFINER = UNetConfig(
    channels=384,
    multipliers=(1, 2, 4, 4),
    depths=(0, 4, 4, 0),
    middle_depth=4,
    heads=0,
    context_width=1280,
    vector_width=2560,
    linear_projections=True,
)


@dataclass(frozen=True, kw_only=True)
class LdmAutoencoderConfig:
    """The shape of the autoencoder of latent diffusion, and of Stable Diffusion with the defaults.

    channels: of the finest resolution. multipliers: of the channels per resolution, the finest first; each further one
    halves the sides. res_blocks: per resolution of the encoder; the decoder has one more. quant: whether 1 x 1
    convolutions lie between encoder, latent and decoder. groups: of the normalisations; divides all channels.
    """

    channels: int = 128
    multipliers: tuple[int, ...] = (1, 2, 4, 4)
    res_blocks: int = 2
    latent_channels: int = 4
    image_channels: int = 3
    groups: int = 32
    quant: bool = True

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels per resolution, the finest first."""
        return tuple(self.channels * each for each in self.multipliers)

    @property
    def downscale(self) -> int:
        """Image pixels on a side per latent pixel."""
        return int(2 ** (len(self.multipliers) - 1))


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
