"""Pictures and masks."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from nodegraph import wire

from .checks import BrokenContract, check_one_of, check_range, check_tensor


@wire(portable=True, shown="nodes.showing.pixels:ImageShown")
@dataclass(frozen=True, kw_only=True, eq=False)
class Image:
    """A batch of pictures of one size.

    pixels: float32 in [0, 1], sRGB (gamma-encoded, not linear light), channels grey, RGB, or RGB and straight alpha.
    """

    pixels: Float[Tensor, "batch channels height width"]

    def __post_init__(self) -> None:
        check_tensor("Image.pixels", self.pixels, torch.float32, "batch channels height width")
        check_one_of("Image.pixels", self.pixels.shape[1], (1, 3, 4), "channels are grey, RGB or RGBA, on axis 1")
        check_range("Image.pixels", self.pixels, 0.0, 1.0, "clamp them to [0, 1]; a network's [-1, 1] is x / 2 + 0.5")

    def __len__(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def channels(self) -> int:
        """1, 3 or 4."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return int(self.pixels.shape[2])

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return int(self.pixels.shape[3])


@wire(portable=True, shown="nodes.showing.pixels:MaskShown")
@dataclass(frozen=True, kw_only=True, eq=False)
class Mask:
    """A batch of masks.

    values: float32 in [0, 1]; 1 is where something is to be made anew, 0 where the old stays.
    """

    values: Float[Tensor, "batch 1 height width"]

    def __post_init__(self) -> None:
        check_tensor("Mask.values", self.values, torch.float32, "batch 1 height width")
        if self.values.shape[1] != 1:
            raise BrokenContract("Mask.values", f"it has {self.values.shape[1]} channels", "a mask has exactly one")
        check_range("Mask.values", self.values, 0.0, 1.0, "clamp them to [0, 1]")

    def __len__(self) -> int:
        return int(self.values.shape[0])

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return int(self.values.shape[2])

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return int(self.values.shape[3])
