"""Classifier-free guidance. Ho & Salimans 2022."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float, Float64
from pydantic import Field
from torch import Tensor

from nodegraph import Slider, node

from ..schedules.noise import NoiseSchedule
from ..types import Conditioning, Denoiser, Guider, LatentSpace
from . import specs
from .entries import nothing_said, predictions
from .specs import check_channels, check_negative, check_prompts


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassifierFreeGuidance(Guider):
    """D_n + scale (D_p - D_n), all entries of both in one call of the network.

    Eq. 6 with scale = 1 + w. It is linear and its coefficients sum to 1, so it is the same for every parameterisation.
    """

    denoiser: Denoiser
    positive: Conditioning
    negative: Conditioning | None
    scale: float

    @property
    def schedule(self) -> NoiseSchedule:
        """The denoiser's."""
        return self.denoiser.schedule

    @property
    def space(self) -> LatentSpace:
        """The denoiser's."""
        return self.denoiser.space

    @property
    def device(self) -> torch.device:
        """The denoiser's."""
        return self.denoiser.device

    @property
    def multiple(self) -> int:
        """The denoiser's."""
        return self.denoiser.multiple

    @property
    def batch(self) -> int:
        """The larger of the two conditionings."""
        return max(len(self.positive), len(self.negative) if self.negative is not None else 1)

    def denoise(
        self, x: Float[Tensor, "batch c h w"], sigma: Float64[Tensor, "*batch"]
    ) -> Float[Tensor, "batch c h w"]:
        """Where the scale is 1 or 0 only the branch that counts is evaluated."""
        if self.scale == 1.0 or self.negative is None:
            return predictions(self.denoiser, x, sigma, [self.positive])[0]
        if self.scale == 0.0:
            return predictions(self.denoiser, x, sigma, [self.negative])[0]
        d_p, d_n = predictions(self.denoiser, x, sigma, [self.positive, self.negative])
        return d_n + self.scale * (d_p - d_n)


@node(category="guidance", spec=specs.classifier_free_guidance)
def classifier_free_guidance(
    denoiser: Denoiser,
    positive: Conditioning,
    negative: Conditioning | None = None,
    scale: Annotated[float, Field(ge=0, le=100), Slider(step=0.1)] = 7.0,
) -> Guider:
    """Extrapolate from the negative to the positive prediction

    eps_n + scale (eps_p - eps_n). Ho & Salimans 2022, eq. 6, with scale = 1 + w.

    denoiser: the model.
    positive: what the picture should show.
    negative: what it should not show; by default what the model takes for no prompt (`Conditioning.unconditional`).
    scale: 1 evaluates the positive prediction only, 0 the negative only, larger values follow the prompt more closely;
        3 to 8 is usual.
    """
    check_channels(denoiser.lacking)
    other = None if scale == 1.0 else negative or nothing_said(positive)
    check_negative(scale == 1.0 or other is not None)
    check_prompts(len(positive), len(other) if other is not None else 1)
    return ClassifierFreeGuidance(denoiser=denoiser, positive=positive, negative=other, scale=scale)
