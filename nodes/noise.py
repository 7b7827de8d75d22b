"""Noise as a pure function of (seed, item, step, draw).

Each item of a batch has a generator of its own on the CPU, so its noise has the same bits wherever it stands in a
batch, however large the batch is, and whichever device the model computes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import torch
from jaxtyping import Float32
from torch import Tensor

INITIAL = -1
"""The step number of the noise from which sampling starts."""


def item_noise(shape: tuple[int, ...], *, seed: int, item: int, step: int, draw: int) -> Float32[Tensor, "*shape"]:
    """Standard normal noise of one item.

    seed: any integer. item: its number in the batch. step: of the sampler, or `INITIAL`. draw: counts draws in one
        step.
    """
    digest = sha256(f"nodegraph noise/{seed}/{item}/{step}/{draw}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
    return torch.randn(shape, generator=generator)


@dataclass(frozen=True, kw_only=True)
class SeededNoise:
    """The noise of a batch; a `NoiseSource`.

    shape: of the whole batch. device, dtype: where the noise is wanted; it is drawn in float32 on the CPU all the same.
    """

    seed: int
    shape: tuple[int, ...]
    device: torch.device | str = "cpu"
    dtype: torch.dtype = torch.float32

    def __call__(self, step: int, draw: int) -> Tensor:
        """Standard normal noise, each item of the batch from its own generator."""
        count, *rest = self.shape
        items = [item_noise(tuple(rest), seed=self.seed, item=item, step=step, draw=draw) for item in range(count)]
        return torch.stack(items).to(self.device, self.dtype)
