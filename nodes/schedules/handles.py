"""Denoisers whose files do not say how they were trained: another schedule or prediction for the same network."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import torch
from pydantic import Field

from nodegraph import node

from ..parameterisations import BY_NAME, name_of
from ..types import Denoiser
from . import specs
from .noise import BetaKind, DiscreteVP, alpha_bar_table
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


@node(category="models", spec=specs.set_noise_schedule)
def set_noise_schedule(
    denoiser: Denoiser,
    betas: BetaKind = "scaled_linear",
    start: Annotated[float, Field(gt=0, lt=1)] = 0.00085,
    end: Annotated[float, Field(gt=0, lt=1)] = 0.012,
    steps: Annotated[int, Field(ge=2, le=100_000)] = 1000,
) -> Denoiser:
    """Say how noise was mixed in when a model was trained

    For files that do not tell, and for experiments. Stable Diffusion has scaled_linear from 0.00085 to 0.012; latent
    diffusion on faces scaled_linear from 0.0015 to 0.0195; DDPM linear from 0.0001 to 0.02; improved DDPM cosine.

    denoiser: the model, which was trained on a table of steps; its weights are shared.
    betas: the noise added per step. linear (Ho et al. 2020); scaled_linear is linear in the square root (Rombach et al.
        2022); cosine needs no start and end (Nichol & Dhariwal 2021, eq. 17).
    start: of the first step.
    end: of the last step, above `start`.
    steps: of the table.
    """
    specs.check_betas(bool(table_of(denoiser.schedule)), betas, start, end)
    return replace(denoiser, schedule=DiscreteVP(alpha_bar=alpha_bar_table(betas, steps, start, end)))
