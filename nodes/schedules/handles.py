"""Denoisers whose files do not say how they were trained: another schedule or prediction for the same network."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import torch

from nodegraph import node

from ..parameterisations import BY_NAME, name_of
from ..types import Denoiser
from . import specs
from .noise import DiscreteVP
from .scheduler import table_of
from .terminal import zero_terminal

Prediction = Literal["eps", "v", "x0", "flow", "score", "edm"]


@node(category="models", spec=specs.zero_terminal_snr)
def zero_terminal_snr(denoiser: Denoiser) -> Denoiser:
    """A model whose schedule ends in pure noise

    For models trained so, which their files often do not say; it lets pictures be very dark or very bright. Lin et al.
    2023, algorithm 1. The last step keeps an alpha-bar of 4.9e-8 (sigma about 4518), as its level would be infinite.
    Grids that start at the last step, such as trailing, make use of it.

    denoiser: predicts v or x0; what eps says of pure noise is nothing.
    """
    table = table_of(denoiser.schedule)
    specs.check_zero_terminal(bool(table), name_of(denoiser.parameterisation))
    alpha_bar = torch.tensor(zero_terminal(table), dtype=torch.float64)
    return replace(denoiser, schedule=DiscreteVP(alpha_bar=alpha_bar))


@node(category="models", spec=specs.set_prediction)
def set_prediction(denoiser: Denoiser, prediction: Prediction) -> Denoiser:
    """Say what a model predicts

    For files that do not tell. A wrong choice gives noise or grey pictures, no error.

    denoiser: the model; its weights are shared.
    prediction: eps is the noise (Stable Diffusion 1), v the velocity a eps - s x0 (Stable Diffusion 2 at 768 pixels),
        x0 the clean latent, flow is eps - x0, score the gradient of the log density, edm the network's part of D.
    """
    return replace(denoiser, parameterisation=BY_NAME[prediction]())
