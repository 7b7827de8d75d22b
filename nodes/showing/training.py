"""Data sets, and what trainers give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from PIL.Image import Image as Picture
from torch import Tensor

from nodegraph.ports.glimpse import Glimpse, Number

from .tensors import histogram, numbers_of, to_picture
from .words import class_words, counted, parameters

if TYPE_CHECKING:
    from ..training.icon_data import IconData, IconEntry
    from ..training.trained import LatentData, TrainedAutoencoder, TrainedDenoiser, TrainedMatcher

MOST = 200
"""Pictures of a data set that can be looked at."""


@dataclass(frozen=True, slots=True)
class IconDataShown:
    """How a data set looks."""

    value: IconData

    def glimpse(self) -> Glimpse:
        """How many pictures, of which styles."""
        count, height, width, _ = self.value.pixels.shape
        return Glimpse(
            type="IconData",
            text=f"{counted(count, 'picture')} of {width} x {height} pixels with captions",
            pictures=min(count, MOST),
            numbers={"pictures": count, "width": width, "height": height, **_styles(self.value.entries)},
            value=[", ".join(each.captions) for each in self.value.entries[:20]],
        )

    def picture(self, item: int) -> Picture:
        """One of them."""
        return to_picture(self.value.pixels[item].permute(2, 0, 1).float() / 255.0)


@dataclass(frozen=True, slots=True)
class LatentDataShown:
    """How an encoded data set looks."""

    value: LatentData

    def glimpse(self) -> Glimpse:
        """How many latents, and where their values lie."""
        count, channels, height, width = self.value.latents.shape
        return Glimpse(
            type="LatentData",
            text=f"{counted(count, 'latent')} of {channels} x {height} x {width}, of {self.value.image_size} pixels",
            pictures=min(count, MOST),
            numbers={
                "latents": count,
                "channels": channels,
                **numbers_of(self.value.latents),
                **_styles(self.value.entries),
            },
            charts=[histogram("Values", self.value.latents)],
        )

    def picture(self, item: int) -> Picture:
        """One of them, roughly."""
        shift, scale = (torch.tensor(each)[:, None, None] for each in (self.value.shift, self.value.scale))
        *rows, offset = torch.tensor(self.value.preview)
        pixels = torch.einsum("chw,cr->rhw", (self.value.latents[item] - shift) * scale, torch.stack(rows))
        shown: Tensor = (pixels + offset[:, None, None]).clamp(0.0, 1.0)
        return to_picture(shown)


@dataclass(frozen=True, slots=True)
class TrainedShown:
    """What a trainer gave."""

    value: TrainedAutoencoder | TrainedDenoiser | TrainedMatcher

    def glimpse(self) -> Glimpse:
        """How long it was trained and how large it is."""
        count = sum(each.numel() for each in self.value.weights.values())
        return Glimpse(
            type=type(self.value).__name__,
            text=f"{class_words(self.value)}, {counted(self.value.steps, 'step')}, {parameters(count)}",
            numbers={"steps": self.value.steps, "parameters": count, "tensors": len(self.value.weights)},
        )


def _styles(entries: tuple[IconEntry, ...]) -> dict[str, Number]:
    """How many pictures each style has."""
    styles = [each.style for each in entries]
    return {f"style {each}": styles.count(each) for each in dict.fromkeys(styles)}
