"""Latents and the spaces they live in."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from nodegraph import wire

from .checks import BrokenContract, check_finite, check_tensor


@wire(portable=True, shown="nodes.showing.latents:LatentSpaceShown")
@dataclass(frozen=True, kw_only=True)
class LatentSpace:
    """Where a latent belongs: two spaces are one when all that decides about decoding is equal.

    name: for messages and files, such as "icons". channels: of a latent. downscale: pixels on a side per latent pixel.
    scale, shift: per channel; normalised = (raw - shift) * scale, raw being what the autoencoder writes and reads.
    preview: a linear map to RGB in [0, 1] for cheap previews, one row of 3 per channel and a last row of offsets; may
        be empty. Takes no part in comparisons.
    """

    name: str
    channels: int
    downscale: int
    scale: tuple[float, ...]
    shift: tuple[float, ...]
    preview: tuple[tuple[float, float, float], ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if self.channels < 1 or self.downscale < 1:
            raise BrokenContract(
                "LatentSpace", f"channels {self.channels}, downscale {self.downscale}", "both are at least 1"
            )
        for name, values in (("scale", self.scale), ("shift", self.shift)):
            if len(values) != self.channels or not all(map(math.isfinite, values)):
                raise BrokenContract(
                    f"LatentSpace.{name}", f"{values} does not fit {self.channels} channels", "one finite number each"
                )
        if 0.0 in self.scale:
            raise BrokenContract("LatentSpace.scale", f"{self.scale} holds a zero", "nothing could be decoded")
        if self.preview and len(self.preview) != self.channels + 1:
            raise BrokenContract(
                "LatentSpace.preview", f"it has {len(self.preview)} rows", f"it needs {self.channels + 1}"
            )

    def normalise(self, raw: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch c h w"]:
        """(raw - shift) * scale, per channel."""
        return (raw - _column(self.shift, raw)) * _column(self.scale, raw)

    def denormalise(self, samples: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch c h w"]:
        """The inverse of `normalise`."""
        return samples / _column(self.scale, samples) + _column(self.shift, samples)


def _column(values: tuple[float, ...], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device)[:, None, None]


@wire(portable=True, shown="nodes.showing.latents:LatentShown")
@dataclass(frozen=True, kw_only=True, eq=False)
class Latent:
    """A batch of latents.

    samples: float32, finite, normalised: what the denoiser sees at noise level 0. space: where they belong.
    """

    samples: Float[Tensor, "batch channels height width"]
    space: LatentSpace

    def __post_init__(self) -> None:
        check_tensor("Latent.samples", self.samples, torch.float32, "batch channels height width")
        if self.samples.shape[1] != self.space.channels:
            raise BrokenContract(
                "Latent.samples",
                f"it has {self.samples.shape[1]} channels, its space {self.space.name!r} has {self.space.channels}",
                "name the space it was made for",
            )
        check_finite("Latent.samples", self.samples)

    def __len__(self) -> int:
        return int(self.samples.shape[0])
