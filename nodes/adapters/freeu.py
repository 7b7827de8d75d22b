"""FreeU: a stronger backbone and calmer skips in the first stages of the decoder. Si et al. 2023, 2309.11497."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from nodegraph import Slider, node

from ..models.taps import Taps
from ..types import Denoiser, Patch
from ..types.models import Call
from . import specs
from .specs import check_unet

Version = Literal["v1", "v2"]

Stages = Literal["channels", "level"]


def fourier_filter(x: Float[Tensor, "b c h w"], threshold: int, scale: float) -> Float[Tensor, "b c h w"]:
    """Frequencies below `threshold` in both directions times `scale`, eq. 7; the real part, in float32.

    The square of 2 threshold bins a side, [-threshold, threshold), is not symmetric: of the frequencies +threshold only
    one half is scaled, as in the paper's own code.
    """
    height, width = x.shape[2:]
    spectrum = torch.fft.fftshift(torch.fft.fftn(x.float(), dim=(2, 3)), dim=(2, 3))
    mask = torch.ones(height, width, device=x.device)
    row, column = height // 2, width // 2
    mask[max(0, row - threshold) : row + threshold, max(0, column - threshold) : column + threshold] = scale
    filtered = torch.fft.ifftn(torch.fft.ifftshift(spectrum * mask, dim=(2, 3)), dim=(2, 3)).real
    result: Tensor = filtered.to(x.dtype)
    return result


def backbone_gain(h: Float[Tensor, "b c h w"], b: float, version: Version) -> Tensor:
    """What the first half of the channels is multiplied with: b, or in version 2 (eq. 5 and 6) more where the channels'
    mean is larger, up to b; 1 everywhere where the mean is constant."""
    if version == "v1":
        return torch.tensor(b)
    mean = h.float().mean(dim=1, keepdim=True)  # b 1 h w
    low, high = mean.amin(dim=(2, 3), keepdim=True), mean.amax(dim=(2, 3), keepdim=True)
    relative = (mean - low) / (high - low).clamp(min=torch.finfo(torch.float32).tiny)
    return ((b - 1.0) * relative + 1.0).to(h.dtype)


class FreeUTaps(Taps):
    """FreeU in one call of a UNet: it counts the blocks of the decoder as they come."""

    def __init__(self, patch: FreeU) -> None:
        self.patch, self.block = patch, 0

    def decoding(self, h: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
        """Eq. 4 and 7, in the two stages."""
        patch, stage = self.patch, self.patch.stage(self.block, h.shape[1])
        self.block += 1
        if stage == 0:
            return h, skip
        b, s = (patch.b1, patch.s1) if stage == 1 else (patch.b2, patch.s2)
        if b != 1.0:
            half = h.shape[1] // 2
            h = torch.cat([h[:, :half] * backbone_gain(h, b, patch.version), h[:, half:]], dim=1)
        return h, skip if s == 1.0 else fourier_filter(skip, 1, s)


@dataclass(frozen=True, kw_only=True, eq=False)
class FreeU(Patch):
    """b1, b2: of the backbone; s1, s2: of the skips' low frequencies. width: channels of the UNet's finest level.
    blocks: of the decoder per level."""

    b1: float
    b2: float
    s1: float
    s2: float
    version: Version
    stages: Stages
    width: int
    blocks: int

    def stage(self, block: int, channels: int) -> int:
        """1 or 2, or 0 for no stage. block: of the decoder, from 0. channels: that come from below."""
        if self.stages == "level":
            level = block // self.blocks
            return level + 1 if level < 2 else 0
        return {4 * self.width: 1, 2 * self.width: 2}.get(channels, 0)

    def taps(self, call: Call) -> Taps:
        """In the decoder."""
        return FreeUTaps(self)


Factor = Annotated[float, Field(ge=0, le=10), Slider(step=0.05)]


@node(category="adapters", spec=specs.freeu)
def freeu(
    denoiser: Denoiser,
    b1: Factor = 1.3,
    b2: Factor = 1.4,
    s1: Factor = 0.9,
    s2: Factor = 0.2,
    version: Version = "v2",
    stages: Stages = "channels",
) -> Denoiser:
    """FreeU: calmer details and stronger shapes, without training

    Multiplies what comes from below in the first two stages of the decoder, and damps the low frequencies of the skips,
    after ControlNets have added to these, in whichever order both are applied. Applied twice, it works twice.
    Si et al. 2023. Usual values of b1, b2, s1, s2: 1.5, 1.6, 0.9, 0.2 for Stable Diffusion 1; 1.4, 1.6, 0.9, 0.2 for 2;
    1.3, 1.4, 0.9, 0.2 for XL.

    denoiser: a model with a UNet of Stable Diffusion.
    b1: of the first stage's backbone; 1 changes nothing.
    b2: of the second stage's.
    s1: of the first stage's skips; 1 changes nothing.
    s2: of the second stage's.
    version: v1 multiplies half of the channels evenly, v2 follows the structure of the picture.
    stages: channels takes for the stages where four times and twice as many channels as on the finest level come from
        below, as the authors and ComfyUI do; level takes the two coarsest levels of the decoder, as diffusers does.
    """
    config = check_unet(getattr(denoiser.network, "config", None))
    if b1 == b2 == s1 == s2 == 1.0:
        return denoiser
    return denoiser.patch(
        FreeU(
            b1=b1, b2=b2, s1=s1, s2=s2, version=version, stages=stages, width=config.channels,
            blocks=config.res_blocks + 1,
        )
    )  # fmt: skip
