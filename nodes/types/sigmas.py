"""The grid of noise levels that a sampler walks down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from nodegraph import wire

from .checks import BrokenContract, check_finite, check_tensor


@wire(portable=True, shown="nodes.showing.sampling:SigmasShown")
@dataclass(frozen=True, kw_only=True, eq=False)
class Sigmas:
    """Noise levels in the terms of a denoiser's noise schedule.

    values: float64, strictly descending, finite, the last exactly 0; one more than there are steps.
    """

    values: Float64[Tensor, " levels"]

    def __post_init__(self) -> None:
        check_tensor("Sigmas.values", self.values, torch.float64, "levels")
        if len(self.values) < 2:
            raise BrokenContract("Sigmas.values", "there is no step in it", "give at least one level and the last 0")
        check_finite("Sigmas.values", self.values)
        if float(self.values[-1]) != 0.0:
            raise BrokenContract("Sigmas.values", f"the last is {float(self.values[-1]):g}", "append an explicit 0")
        rising = (self.values.diff() >= 0).nonzero()
        if len(rising):
            i = int(rising[0])
            pair = f"{float(self.values[i])!r}, {float(self.values[i + 1])!r}"
            raise BrokenContract("Sigmas.values", f"levels {i} and {i + 1} ({pair}) do not descend", "remove repeats")

    @classmethod
    def of(cls, levels: Iterable[float]) -> Sigmas:
        """From numbers."""
        return cls(values=torch.tensor(list(levels), dtype=torch.float64))

    @property
    def steps(self) -> int:
        """How many steps lead to 0."""
        return len(self.values) - 1
