"""Noise levels and samplers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nodegraph.ports.glimpse import Chart, Glimpse

from .words import class_words, counted, in_words, settings_of

if TYPE_CHECKING:
    from ..types import Sampler, Sigmas


@dataclass(frozen=True, slots=True)
class SigmasShown:
    """How a grid of noise levels looks."""

    value: Sigmas

    def glimpse(self) -> Glimpse:
        """The curve."""
        levels = self.value.values.tolist()
        return Glimpse(
            type="Sigmas",
            text=f"{counted(self.value.steps, 'step')} from {levels[0]:.4g} to 0",
            numbers={"steps": self.value.steps, "highest": levels[0], "lowest above 0": levels[-2]},
            charts=[Chart(title="Noise levels", y=levels, x_title="step", y_title="sigma")],
            value=levels[:100],
        )


@dataclass(frozen=True, slots=True)
class SamplerShown:
    """What a sampler is."""

    value: Sampler

    def glimpse(self) -> Glimpse:
        """The method with its settings."""
        return Glimpse(
            type="Sampler",
            text=in_words(self.value),
            numbers={"method": class_words(self.value), **settings_of(self.value)},
        )
