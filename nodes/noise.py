"""Noise as a pure function of (seed, item, step, draw).

Each item of a batch has a generator of its own on the CPU, so its noise has the same bits wherever it stands in a
batch, however large the batch is, and whichever device the model computes on. Two more kinds draw what other programs
draw for the same seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

import torch
from jaxtyping import Float32
from torch import Tensor

NoiseKind = Literal["per item", "comfyui", "a1111"]
"""See `noise_source`."""

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


class Stream:
    """The values that one generator on the CPU draws one after the other, float32 of one shape.

    Any may be asked for at any time: what lies before is drawn again, so a value depends on its number alone.
    """

    def __init__(self, seed: int, shape: tuple[int, ...]) -> None:
        self._seed, self._shape = seed, shape
        self._generator, self._drawn = torch.Generator().manual_seed(seed), 0

    def value(self, number: int) -> Tensor:
        """The value with that number, from 0."""
        if number < self._drawn:
            self._generator, self._drawn = torch.Generator().manual_seed(self._seed), 0
        for _ in range(number - self._drawn):
            torch.randn(self._shape, generator=self._generator)
        self._drawn = number + 1
        return torch.randn(self._shape, generator=self._generator)


@dataclass(frozen=True, kw_only=True)
class StreamNoise:
    """Noise that is drawn in order, one draw in each step; a `NoiseSource`.

    start: draws the noise of the start as its first value. steps: draw that of step i as their value `offset` + i. Each
    holds part of the batch. device: where the noise is wanted.
    """

    start: tuple[Stream, ...]
    steps: tuple[Stream, ...]
    offset: int
    device: torch.device | str = "cpu"

    def __call__(self, step: int, draw: int) -> Tensor:
        """Standard normal noise of the whole batch; ValueError for a second draw in a step, which has no place in the
        order."""
        if draw:
            raise ValueError(f"noise in order has one draw per step; draw {draw} of step {step} was asked for")
        streams, number = (self.start, 0) if step == INITIAL else (self.steps, self.offset + step)
        return torch.cat([each.value(number) for each in streams]).to(self.device)


def noise_source(
    kind: NoiseKind, seed: int, shape: tuple[int, ...], device: torch.device | str = "cpu"
) -> SeededNoise | StreamNoise:
    """The noise of a batch.

    per item: see `SeededNoise`. comfyui: one generator seeded with `seed` draws the start of the whole batch, another
    one seeded with seed + 1 the steps; ComfyUI's rule where sampling runs on the CPU (elsewhere it draws the steps on
    the device, which cannot be repeated here). a1111: item k has a generator seeded with seed + k, which draws the
    start and then the steps; the rule of AUTOMATIC1111's web UI with CPU as random number source.
    """
    if kind == "per item":
        return SeededNoise(seed=seed, shape=shape, device=device)
    if kind == "comfyui":
        return StreamNoise(start=(Stream(seed, shape),), steps=(Stream(seed + 1, shape),), offset=0, device=device)
    items = tuple(Stream(seed + item, (1, *shape[1:])) for item in range(shape[0]))
    return StreamNoise(start=items, steps=items, offset=1, device=device)
