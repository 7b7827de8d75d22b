"""Pictures and masks that are not there yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from nodegraph.spec import Spec

FLOAT32 = 4
"""Bytes."""


@dataclass(frozen=True, kw_only=True)
class ImageSpec(Spec):
    """A batch of pictures of one size."""

    wire: ClassVar[str] = "nodes.Image"

    batch: int
    channels: int
    height: int
    width: int

    @classmethod
    def of(cls, value: Any) -> Self:
        """From its pixels."""
        batch, channels, height, width = map(int, value.pixels.shape)
        return cls(batch=batch, channels=channels, height=height, width=width)

    def __len__(self) -> int:
        return self.batch

    @property
    def samples(self) -> int:
        """Numbers in all pictures."""
        return self.batch * self.channels * self.height * self.width

    @property
    def own(self) -> int:
        """Its pixels."""
        return FLOAT32 * self.samples

    def __str__(self) -> str:
        kind = {1: "grey", 3: "RGB", 4: "RGBA"}.get(self.channels, f"of {self.channels} channels")
        count = "1 picture" if self.batch == 1 else f"{self.batch} pictures"
        return f"{count} of {self.width} x {self.height}, {kind}"


@dataclass(frozen=True, kw_only=True)
class MaskSpec(Spec):
    """A batch of masks."""

    wire: ClassVar[str] = "nodes.Mask"

    batch: int
    height: int
    width: int

    @classmethod
    def of(cls, value: Any) -> Self:
        """From its values."""
        batch, _, height, width = map(int, value.values.shape)
        return cls(batch=batch, height=height, width=width)

    def __len__(self) -> int:
        return self.batch

    @property
    def own(self) -> int:
        """Its values."""
        return FLOAT32 * self.batch * self.height * self.width

    def __str__(self) -> str:
        count = "1 mask" if self.batch == 1 else f"{self.batch} masks"
        return f"{count} of {self.width} x {self.height}"
