"""The conditional UNet of Stable Diffusion 1, 2 and XL. Rombach et al. 2022; Podell et al. 2023.

x ---> input_blocks ---> middle_block ---> output_blocks ---> out
           \\_______________ skips ______________/
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from .configs import UNetConfig
from .on_cpu import Conv2d
from .taps import Taps
from .unet_blocks import GROUPS, Embeddings, ResBlock, Upsample, encoder, middle, run, transformer


class UNet(Embeddings):
    """Predicts what its training asked for (noise or velocity) from a noisy latent, a time and a text."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__(config)
        self.config = config
        self.input_blocks, skips = encoder(config)
        width = skips[-1]
        self.middle_block = middle(config, width)
        self.output_blocks = nn.ModuleList()
        for level in reversed(range(len(config.multipliers))):
            for index in range(config.res_blocks + 1):
                out_width = config.multipliers[level] * config.channels
                layers: list[nn.Module] = [ResBlock(width + skips.pop(), out_width, config.time_width)]
                width = out_width
                if config.depths[level]:
                    layers.append(transformer(config, width, config.depths[level]))
                if level > 0 and index == config.res_blocks:
                    layers.append(Upsample(width))
                self.output_blocks.append(nn.ModuleList(layers))
        self.out = nn.Sequential(
            nn.GroupNorm(GROUPS, width), nn.SiLU(), Conv2d(width, config.out_channels, 3, padding=1)
        )

    def forward(
        self,
        x: Float[Tensor, "b c h w"],
        time: Float[Tensor, " b"],
        context: Float[Tensor, "b m k"],
        *,
        vector: Float[Tensor, "b v"] | None = None,
        mask: Bool[Tensor, "b m"] | None = None,
        taps: Taps | None = None,
    ) -> Float[Tensor, "b c2 h w"]:
        """One prediction.

        x: as the network was trained to see it; 9 channels for inpainting models (latent, mask, masked latent).
        time: the training step, 0 .. 999, also between two. context: text tokens. vector: pooled text and sizes (SDXL).
        mask: True where a token of the context counts; None where all do. taps: what patches do inside.
        """
        taps = taps or Taps()
        embedded = self.embedded(time, vector, x.dtype)
        h, skips = x, list[Tensor]()
        if x.device.type == "cpu":
            h = x.contiguous(memory_format=torch.channels_last)  # a quarter faster, and tokens are rows without a copy
        for block in self.input_blocks:
            h = run(block, h, embedded, context, mask, (0, 0))
            skips.append(h)
        h = run(self.middle_block, h, embedded, context, mask, (0, 0))
        given, h = taps.encoded(skips, h)
        remaining = list(given)
        del skips, given
        for block in self.output_blocks:
            h, skip = taps.decoding(h, remaining.pop())
            size = remaining[-1].shape[2:] if remaining else skip.shape[2:]
            joined = torch.cat([h, skip], dim=1)
            del skip
            h = run(block, joined, embedded, context, mask, (size[0], size[1]))
            del joined
        out: Tensor = self.out(h)
        return out
