"""Places inside a network where patches may look and change things."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor


class Taps:
    """What happens at the taps of one call of a UNet. By itself nothing; patches override the taps that they need.

    Tensors are to be taken as immutable: a changed one is a new one.
    """

    def encoded(
        self, skips: Sequence[Float[Tensor, "b _ _ _"]], middle: Float[Tensor, "b _ _ _"]
    ) -> tuple[Sequence[Tensor], Tensor]:
        """After the encoder and the middle block. skips: what the decoder will be given, the finest first."""
        return skips, middle

    def decoding(self, h: Float[Tensor, "b c h w"], skip: Float[Tensor, "b c2 h w"]) -> tuple[Tensor, Tensor]:
        """Before each block of the decoder: what comes from below, and the skip that it will be joined with."""
        return h, skip


class Several(Taps):
    """One after the other."""

    def __init__(self, parts: Sequence[Taps]) -> None:
        self.parts = tuple(parts)

    def encoded(self, skips: Sequence[Tensor], middle: Tensor) -> tuple[Sequence[Tensor], Tensor]:
        """In the order of the parts."""
        for part in self.parts:
            skips, middle = part.encoded(skips, middle)
        return skips, middle

    def decoding(self, h: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
        """In the order of the parts."""
        for part in self.parts:
            h, skip = part.decoding(h, skip)
        return h, skip
