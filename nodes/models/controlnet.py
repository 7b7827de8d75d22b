"""ControlNet: a trainable copy of a UNet's encoder that sees a hint. Zhang, Rao & Agrawala 2023."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Bool, Float
from torch import Tensor, nn

from .configs import UNetConfig
from .unet_blocks import Embeddings, encoder, middle, run

HINT_WIDTHS = (16, 16, 32, 32, 96, 96, 256)
"""Of the convolutions that read the hint; every second one from the third halves the sides: eight times in all."""


class ControlNet(Embeddings):
    """Residuals for the skips and the middle of a UNet of the same config. Zero convolutions end every branch, so that
    a new one changes nothing (section 3.2)."""

    def __init__(self, config: UNetConfig, hint_channels: int = 3) -> None:
        super().__init__(config)
        self.config = config
        self.input_blocks, widths = encoder(config)
        self.middle_block = middle(config, widths[-1])
        self.zero_convs = nn.ModuleList(nn.Sequential(nn.Conv2d(width, width, 1)) for width in widths)
        self.middle_block_out = nn.Sequential(nn.Conv2d(widths[-1], widths[-1], 1))
        self.input_hint_block = hint_block(config, hint_channels)
        for zero in (*self.zero_convs, self.middle_block_out):
            for each in zero.parameters():
                nn.init.zeros_(each)

    def read(self, hint: Float[Tensor, "b c 8h 8w"]) -> Float[Tensor, "b c2 h w"]:
        """The hint, in [0, 1] and eight times the latent's sides, as it is added after the first convolution."""
        out: Tensor = self.input_hint_block(hint)
        return out

    def forward(
        self,
        x: Float[Tensor, "b c h w"],
        guided: Float[Tensor, "b c2 h w"],
        time: Float[Tensor, " b"],
        context: Float[Tensor, "b m k"],
        *,
        vector: Float[Tensor, "b v"] | None = None,
        mask: Bool[Tensor, "b m"] | None = None,
    ) -> tuple[Sequence[Tensor], Tensor]:
        """What is to be added to each skip, the finest first, and to the middle. guided: of `read`."""
        embedded = self.embedded(time, vector, x.dtype)
        h, residuals = x, list[Tensor]()
        for index, (block, zero) in enumerate(zip(self.input_blocks, self.zero_convs, strict=True)):
            h = run(block, h, embedded, context, mask, (0, 0))
            if index == 0:
                h = h + guided
            residuals.append(zero(h))
        h = run(self.middle_block, h, embedded, context, mask, (0, 0))
        return residuals, self.middle_block_out(h)


def hint_block(config: UNetConfig, hint_channels: int = 3) -> nn.Sequential:
    """The convolutions that read a hint, the last of them zero."""
    layers: list[nn.Module] = []
    before = hint_channels
    for index, width in enumerate(HINT_WIDTHS):
        stride = 2 if index in (2, 4, 6) else 1
        layers += [nn.Conv2d(before, width, 3, padding=1, stride=stride), nn.SiLU()]
        before = width
    last = nn.Conv2d(before, config.channels, 3, padding=1)
    for each in last.parameters():
        nn.init.zeros_(each)
    return nn.Sequential(*layers, last)
