"""Rough pictures of latents."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from PIL.Image import Image as Picture
from torch import Tensor

from ..types.latent import LatentSpace
from .tensors import to_picture


def rough_pixels(samples: Float[Tensor, "batch c h w"], space: LatentSpace) -> Float[Tensor, "batch rgb h w"]:
    """Rough pixels of latents at their own size: the space's linear map, or else the first channel as grey."""
    x = samples.detach().float().cpu()
    if space.preview:
        *rows, offset = torch.tensor(space.preview)
        pixels = torch.einsum("bchw,cr->brhw", x, torch.stack(rows)) + offset[:, None, None]
    else:
        pixels = x[:, :1] / 4.0 + 0.5
    found: Tensor = pixels.nan_to_num(0.0).clamp(0.0, 1.0)
    return found


@dataclass(frozen=True, kw_only=True, eq=False)
class Rough:
    """A latent on its way, wherever it lies, that shows itself roughly; nothing is computed until it does."""

    samples: Float[Tensor, "batch c h w"]
    space: LatentSpace

    def picture(self, item: int) -> Picture:
        """One of its items."""
        return to_picture(rough_pixels(self.samples[item : item + 1], self.space)[0])
