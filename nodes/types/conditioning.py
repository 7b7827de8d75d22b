"""What a denoiser is told about the picture it should make."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from nodegraph import wire

from .checks import BrokenContract, check_finite, check_range, check_tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Encoding:
    """A batch of encoded texts, or of anything else that a denoiser attends to.

    tokens: float32, one vector per token. mask: True where there is a token; other positions change nothing.
    pooled: one vector for the whole, where the model has one. sizes: what models such as SDXL are told of the picture,
    in pixels: height and width it was scaled from, top and left it was cut at, height and width it should have; None
    for the picture's own.
    """

    tokens: Float[Tensor, "batch length width"]
    mask: Bool[Tensor, "batch length"]
    pooled: Float[Tensor, "batch pooled_width"] | None = None
    sizes: Float[Tensor, "batch numbers"] | None = None

    def __post_init__(self) -> None:
        check_tensor("Encoding.tokens", self.tokens, torch.float32, "batch length width")
        check_tensor("Encoding.mask", self.mask, torch.bool, "batch length")
        if self.tokens.shape[:2] != self.mask.shape:
            shapes = f"tokens {tuple(self.tokens.shape)} and mask {tuple(self.mask.shape)}"
            raise BrokenContract("Encoding.mask", f"{shapes} disagree", "one truth value per token")
        if not bool(self.mask.any(dim=1).all()):
            raise BrokenContract("Encoding.mask", "an item has no token at all", "give it a start token")
        check_finite("Encoding.tokens", self.tokens)
        for field in ("pooled", "sizes"):
            value: Tensor | None = getattr(self, field)
            if value is None:
                continue
            name = f"Encoding.{field}"
            check_tensor(name, value, torch.float32, "batch width")
            if len(value) != len(self.tokens):
                raise BrokenContract(name, f"{len(value)} vectors for {len(self.tokens)} items", "give one each")
            check_finite(name, value)

    def __len__(self) -> int:
        return int(self.tokens.shape[0])

    def __getitem__(self, items: slice) -> Encoding:
        pooled = None if self.pooled is None else self.pooled[items]
        sizes = None if self.sizes is None else self.sizes[items]
        return Encoding(tokens=self.tokens[items], mask=self.mask[items], pooled=pooled, sizes=sizes)


@dataclass(frozen=True, kw_only=True, eq=False)
class Entry:
    """One thing that is said, of which part of the picture, and at which noise levels.

    strength: beside other entries; at least 0. mask: float32 in [0, 1], how much each place is meant, one for all
    items or one for each; of any size, stretched over the picture. area: top, left, bottom and right of a rectangle as
    parts of the sides. Both together count where they overlap. alone: the network is shown the rectangle only, as if it
    were a picture of its own. start, end: the entry counts while this part of the training times, from pure noise, has
    passed.
    """

    encoding: Encoding
    strength: float = 1.0
    mask: Float[Tensor, "masks 1 height width"] | None = None
    area: tuple[float, float, float, float] | None = None
    alone: bool = False
    start: float = 0.0
    end: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.strength < math.inf:
            raise BrokenContract("Entry.strength", f"it is {self.strength:g}", "give a finite number of at least 0")
        if not 0.0 <= self.start < self.end <= 1.0:
            raise BrokenContract("Entry.start", f"{self.start:g} to {self.end:g} is no range in [0, 1]", "start < end")
        if self.area is not None:
            top, left, bottom, right = self.area
            if not (0.0 <= top < bottom <= 1.0 and 0.0 <= left < right <= 1.0):
                raise BrokenContract(
                    "Entry.area", f"{self.area} is no rectangle in [0, 1]", "top < bottom, left < right"
                )
        if self.mask is not None:
            check_tensor("Entry.mask", self.mask, torch.float32, "masks 1 height width")
            check_range("Entry.mask", self.mask, 0.0, 1.0, "clamp it to [0, 1]")
            if self.mask.shape[1] != 1 or len(self.mask) not in (1, len(self.encoding)):
                shape = tuple(self.mask.shape)
                raise BrokenContract("Entry.mask", f"its shape is {shape}", "one channel; one mask, or one per item")

    @property
    def whole(self) -> bool:
        """Whether it counts everywhere at all levels."""
        everywhere = self.mask is None and self.area is None and self.strength > 0.0
        return everywhere and self.start == 0.0 and self.end == 1.0


@wire(portable=True, shown="nodes.showing.conditioning:ConditioningShown")
@dataclass(frozen=True, kw_only=True, eq=False)
class Conditioning:
    """Everything that is said about a batch of pictures.

    entries: at least one, all of one batch size. Where several count, predictions are averaged by their weights.
    unconditional: what the model's encoder gives for nothing (the empty prompt), of batch size 1; None where the model
        was never trained without conditioning. Guidance uses it where no negative conditioning is given, and where no
        entry counts.
    """

    entries: tuple[Entry, ...]
    unconditional: Encoding | None = None

    def __post_init__(self) -> None:
        if not self.entries:
            raise BrokenContract("Conditioning.entries", "there is none", "an empty prompt is an entry too")
        sizes = {len(entry.encoding) for entry in self.entries}
        if len(sizes) > 1:
            raise BrokenContract(
                "Conditioning.entries", f"their batch sizes {sorted(sizes)} differ", "repeat the smaller"
            )
        if self.unconditional is not None and len(self.unconditional) != 1:
            raise BrokenContract(
                "Conditioning.unconditional", f"its batch size is {len(self.unconditional)}", "it is one item for all"
            )

    def __len__(self) -> int:
        return len(self.entries[0].encoding)
