"""Rough pictures of latents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from PIL.Image import Image as Picture
from torch import Tensor

from ..types.latent import LatentSpace
from .tensors import array_to_picture


def rough_pixels(sample: Float[Tensor, "c h w"], space: LatentSpace) -> Float[ndarray, "rgb h w"]:
    """Rough pixels of a latent at its own size: the space's linear map, or else the first channel as grey.

    Computed by numpy in one thread: a preview is made while a node computes, and torch would start as many threads more
    as the node has, which wait for each other's processors.
    """
    x = sample.detach().float().cpu().numpy()
    if space.preview:
        *rows, offset = np.asarray(space.preview, np.float32)
        pixels = np.einsum("chw,cr->rhw", x, np.stack(rows)) + offset[:, None, None]
    else:
        pixels = x[:1] / 4.0 + 0.5
    found: ndarray = np.nan_to_num(pixels, nan=0.0, posinf=1.0, neginf=0.0).clip(0.0, 1.0)
    return found


@dataclass(frozen=True, kw_only=True, eq=False)
class Rough:
    """A latent on its way, wherever it lies, that shows itself roughly; nothing is computed until it does."""

    samples: Float[Tensor, "batch c h w"]
    space: LatentSpace

    def picture(self, item: int) -> Picture:
        """One of its items."""
        return array_to_picture(rough_pixels(self.samples[item], self.space))
