"""Pictures and captions as unit vectors whose product tells how well they fit. Radford et al. 2021 (CLIP), small."""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from .configs import MatcherConfig
from .layers import ResidualBlock, masked_mean
from .text_transformer import TextTransformer


class ImageTower(nn.Module):
    """A small residual network, averaged over the picture."""

    def __init__(self, config: MatcherConfig) -> None:
        super().__init__()
        width = config.widths[0]
        self.conv_in = nn.Conv2d(12, width, 3, padding=1)
        layers: list[nn.Module] = []
        for level, (to_width, blocks) in enumerate(zip(config.widths, config.blocks, strict=True)):
            if level > 0:
                layers.append(nn.Conv2d(width, to_width, 4, stride=2, padding=1))
            width = to_width
            layers += [ResidualBlock(width, config.groups) for _ in range(blocks)]
        self.layers = nn.Sequential(*layers)
        self.norm_out = nn.GroupNorm(config.groups, width)
        self.out = nn.Linear(width, config.embedding)

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b d"]:
        """image: in [-1, 1]."""
        h = self.layers(self.conv_in(nn.functional.pixel_unshuffle(image, 2)))
        pooled = nn.functional.silu(self.norm_out(h)).mean(dim=(2, 3))
        out: Tensor = self.out(pooled)
        return out


class ImageTextMatcher(nn.Module):
    """An image tower, a text tower and the learned temperature of their similarities."""

    def __init__(self, config: MatcherConfig) -> None:
        super().__init__()
        self.config = config
        self.image_tower = ImageTower(config)
        self.text_tower = TextTransformer(config.text)
        self.text_out = nn.Linear(config.text.width, config.embedding)
        self.log_scale = nn.Parameter(torch.tensor(math.log(14.0)))

    def embed_images(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b d"]:
        """Unit vectors of pictures in [-1, 1]."""
        return nn.functional.normalize(self.image_tower(image), dim=1)

    def embed_texts(self, ids: Int64[Tensor, "b n"], mask: Bool[Tensor, "b n"]) -> Float[Tensor, "b d"]:
        """Unit vectors of captions. mask: True where there is a token."""
        return nn.functional.normalize(self.text_out(masked_mean(self.text_tower(ids, mask), mask)), dim=1)

    def forward(
        self, image: Float[Tensor, "b 3 h w"], ids: Int64[Tensor, "c n"], mask: Bool[Tensor, "c n"]
    ) -> Float[Tensor, "b c"]:
        """Similarities of all pictures with all captions, times the temperature's inverse (at most 100)."""
        scale = self.log_scale.clamp(max=math.log(100.0)).exp()
        logits: Tensor = scale * self.embed_images(image) @ self.embed_texts(ids, mask).T
        return logits
