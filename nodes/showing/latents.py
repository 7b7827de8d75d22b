"""Latents and the spaces they live in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL.Image import Image as Picture

from nodegraph.ports.glimpse import Chart, Glimpse, Number

from .rough import Rough
from .tensors import histogram, numbers_of
from .words import counted

if TYPE_CHECKING:
    from ..types import Latent, LatentSpace

MOST_CHANNELS = 16
"""Of which numbers are told one by one."""


@dataclass(frozen=True, slots=True)
class LatentShown:
    """How a batch of latents looks."""

    value: Latent

    def glimpse(self) -> Glimpse:
        """Shape, space, and where the values of each channel lie."""
        samples, space = self.value.samples, self.value.space
        _, channels, height, width = samples.shape
        mean, deviation = samples.mean(dim=(0, 2, 3)), samples.std(dim=(0, 2, 3), correction=0)
        numbers: dict[str, Number] = {
            "latents": len(samples),
            "channels": channels,
            "width": width,
            "height": height,
            "space": space.name,
            **numbers_of(samples),
        }
        for index in range(min(channels, MOST_CHANNELS)):
            numbers[f"channel {index}"] = f"{float(mean[index]):.3g} ± {float(deviation[index]):.3g}"
        shape = f"{channels} x {height} x {width}"
        pixels = f"{width * space.downscale} x {height * space.downscale} pixels"
        return Glimpse(
            type="Latent",
            text=f"{counted(len(samples), 'latent')} of {shape} in {space.name!r}, for {pixels}",
            pictures=len(samples),
            numbers=numbers,
            charts=[
                histogram("Values", samples),
                Chart(title="Standard deviation", y=deviation.tolist(), x_title="channel"),
            ],
        )

    def picture(self, item: int) -> Picture:
        """One of them, roughly, at its own size."""
        return Rough(samples=self.value.samples, space=self.value.space).picture(item)


@dataclass(frozen=True, slots=True)
class LatentSpaceShown:
    """What a latent space is."""

    value: LatentSpace

    def glimpse(self) -> Glimpse:
        """Its name and size."""
        space = self.value
        return Glimpse(
            type="LatentSpace",
            text=f"{space.name!r}: {counted(space.channels, 'channel')}, 1/{space.downscale} of a picture's side",
            numbers={
                "channels": space.channels,
                "downscale": space.downscale,
                "scale": ", ".join(f"{each:.4g}" for each in space.scale),
                "shift": ", ".join(f"{each:.4g}" for each in space.shift),
            },
        )
