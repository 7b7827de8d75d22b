"""Tensors as numbers, charts and pictures."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from PIL.Image import Image as Picture
from PIL.Image import fromarray
from torch import Tensor

from nodegraph.ports.glimpse import Chart, Number

BINS = 48


def numbers_of(values: Tensor) -> dict[str, Number]:
    """Least, greatest, mean and standard deviation."""
    x = values.detach().float()
    return {
        "min": float(x.min()),
        "max": float(x.max()),
        "mean": float(x.mean()),
        "standard deviation": float(x.std(correction=0)),
    }


def histogram(title: str, values: Tensor, low: float | None = None, high: float | None = None) -> Chart:
    """How many values lie where, from `low` to `high`; by default from the least to the greatest."""
    x = values.detach().float().flatten()
    least = float(x.min()) if low is None else low
    most = float(x.max()) if high is None else high
    most = most if most > least else least + 1e-6
    counts = torch.histc(x, BINS, least, most)
    step = (most - least) / BINS
    return Chart(
        title=title,
        x=[least + (index + 0.5) * step for index in range(BINS)],
        y=(counts / max(len(x), 1)).tolist(),
        x_title="value",
        y_title="share",
    )


def to_picture(pixels: Float[Tensor, "channels h w"]) -> Picture:
    """A picture of grey, RGB or RGBA in [0, 1]."""
    return array_to_picture(pixels.detach().float().cpu().numpy())


def array_to_picture(pixels: Float[ndarray, "channels h w"]) -> Picture:
    """The same of an array."""
    values = np.ascontiguousarray(np.rint(pixels * 255.0).astype(np.uint8).transpose(1, 2, 0))
    return fromarray(values[:, :, 0] if values.shape[2] == 1 else values)
