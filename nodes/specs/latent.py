"""Latents that are not there yet, and the spaces they will live in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

from nodegraph.spec import Spec

from .image import FLOAT32


class Space(Protocol):
    """What a latent space and its spec have in common. See `LatentSpace`."""

    @property
    def name(self) -> str:
        """For messages."""

    @property
    def channels(self) -> int:
        """Of a latent."""

    @property
    def downscale(self) -> int:
        """Pixels on a side per latent pixel."""

    @property
    def scale(self) -> tuple[float, ...]:
        """Per channel."""

    @property
    def shift(self) -> tuple[float, ...]:
        """Per channel."""


@dataclass(frozen=True, kw_only=True)
class LatentSpaceSpec(Spec):
    """All of a latent space that decides about decoding."""

    wire: ClassVar[str] = "nodes.LatentSpace"

    name: str
    channels: int
    downscale: int
    scale: tuple[float, ...]
    shift: tuple[float, ...]

    @classmethod
    def of(cls, value: Space) -> Self:
        """The same, without the map for previews."""
        return cls(
            name=value.name,
            channels=value.channels,
            downscale=value.downscale,
            scale=tuple(value.scale),
            shift=tuple(value.shift),
        )

    @property
    def own(self) -> int:
        """Some numbers."""
        return 1_000

    def __str__(self) -> str:
        return f"the space {self.name!r}"


@dataclass(frozen=True, kw_only=True)
class LatentSpec(Spec):
    """A batch of latents."""

    wire: ClassVar[str] = "nodes.Latent"

    batch: int
    channels: int
    height: int
    width: int
    space: LatentSpaceSpec

    @classmethod
    def of(cls, value: Any) -> Self:
        """From its samples."""
        batch, channels, height, width = map(int, value.samples.shape)
        space = LatentSpaceSpec.of(value.space)
        return cls(batch=batch, channels=channels, height=height, width=width, space=space)

    def __len__(self) -> int:
        return self.batch

    @property
    def own(self) -> int:
        """Its samples."""
        return FLOAT32 * self.batch * self.channels * self.height * self.width

    def __str__(self) -> str:
        return f"latent {self.batch} x {self.channels} x {self.height} x {self.width} in {self.space.name!r}"


def difference(a: Space, b: Space) -> str:
    """In what two latent spaces differ; "" when they are one."""
    fields = ("name", "channels", "downscale", "scale", "shift")
    pairs = [(field, getattr(a, field), getattr(b, field)) for field in fields]
    return ", ".join(f"{field} {one} and {other}" for field, one, other in pairs if one != other)
