"""How like two pictures are: mean squared error, peak signal-to-noise ratio and structural similarity."""

from __future__ import annotations

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from ..image.filters import convolved, gaussian_weights
from .specs import SSIM_WINDOW

SMALLEST_ERROR = 1e-4 / 255.0**2
"""Mean squared errors below this count as this, so that the ratio stays finite: 88.13 dB."""


def mean_squared_error(
    x: Float[Tensor, "batch c height width"], y: Float[Tensor, "batch c height width"]
) -> Float64[Tensor, " batch"]:
    """Per picture, over all channels and pixels, values in [0, 1]."""
    return (x.double() - y.double()).square().mean(dim=(1, 2, 3))


def peak_ratio(error: Float64[Tensor, " batch"]) -> Float64[Tensor, " batch"]:
    """Peak signal-to-noise ratio in dB, 10 log10(1 / error), of mean squared errors of values in [0, 1]."""
    return -10.0 * torch.log10(error.clamp(min=SMALLEST_ERROR))


def structural_similarity(
    x: Float[Tensor, "batch c height width"], y: Float[Tensor, "batch c height width"]
) -> Float64[Tensor, " batch"]:
    """SSIM of Wang et al. 2004, eq. 13, per picture: the mean over channels and all places of the whole window.

    Gaussian window of 11 x 11 with sigma 1.5, K1 = 0.01, K2 = 0.03, values in [0, 1]; both sides at least 11.
    """
    weights = gaussian_weights(1.5, SSIM_WINDOW // 2)
    x, y = x.double(), y.double()
    mean_x, mean_y = convolved(x, weights), convolved(y, weights)
    variance_x = convolved(x * x, weights) - mean_x**2
    variance_y = convolved(y * y, weights) - mean_y**2
    covariance = convolved(x * y, weights) - mean_x * mean_y
    C1, C2 = 0.01**2, 0.03**2
    luminance = (2.0 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    structure = (2.0 * covariance + C2) / (variance_x + variance_y + C2)
    return (luminance * structure).mean(dim=(1, 2, 3))
