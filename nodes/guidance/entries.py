"""Conditionings of several entries: which count where and when, and their predictions. Guiders ask `predictions`.

D = sum of w_i D_i / sum of w_i at each pixel, over the entries that count at the noise level. Liu et al. 2022
(composable diffusion) and Bar-Tal et al. 2023 (MultiDiffusion, eq. 5) for regions.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor
from torch.nn.functional import interpolate

from ..conditioning.encodings import joined, repeated
from ..schedules.noise import NoiseSchedule
from ..types import Conditioning, Denoiser, Encoding, Entry
from .specs import check_masks, check_nothing

Share = tuple[Encoding, Tensor | None]
"""An encoding and its part of the prediction at each pixel, (batch, 1, h, w); None where it is all of it."""


def predictions(
    denoiser: Denoiser,
    x: Float[Tensor, "batch c h w"],
    sigma: Float64[Tensor, "*batch"],
    conditionings: Sequence[Conditioning],
) -> list[Float[Tensor, "batch c h w"]]:
    """The expected clean latent under each conditioning, all in one call of the network where shapes allow.

    Entries that count nowhere at this level are not evaluated, and what two of them share is evaluated once. The items
    of a call are whole batches, one after the other.
    """
    shares = [shared_out(each, denoiser.schedule, sigma, x) for each in conditionings]
    distinct = list({id(encoding): encoding for parts in shares for encoding, _ in parts}.values())
    found = dict(zip(map(id, distinct), _evaluated(denoiser, x, sigma, distinct), strict=True))
    return [_summed([(found[id(encoding)], weight) for encoding, weight in parts]) for parts in shares]


def nothing_said(conditioning: Conditioning) -> Conditioning | None:
    """The empty prompt that comes with a conditioning, as one of its own; None where there is none."""
    nothing = conditioning.unconditional
    return None if nothing is None else Conditioning(entries=(Entry(encoding=nothing),), unconditional=nothing)


def shared_out(
    conditioning: Conditioning,
    schedule: NoiseSchedule,
    sigma: Float64[Tensor, "*batch"],
    x: Float[Tensor, "batch c h w"],
) -> list[Share]:
    """What counts at a noise level, with parts that sum to 1 at every pixel.

    Pixels at which no entry counts are those of the empty prompt; InvalidInput where there is none.
    """
    if len(conditioning.entries) == 1 and conditioning.entries[0].whole:
        return [(conditioning.entries[0].encoding, None)]
    weights = [(entry.encoding, weight(entry, schedule, sigma, x)) for entry in conditioning.entries]
    total = torch.zeros_like(x[:, :1]) + sum(each for _, each in weights)
    bare = total == 0.0
    if bool(bare.any()):
        check_nothing(conditioning.unconditional is not None)
        assert conditioning.unconditional is not None
        weights.append((conditioning.unconditional, bare.to(x.dtype)))
        total = total + bare
    return [(encoding, each / total) for encoding, each in weights if bool((each > 0.0).any())]


def weight(
    entry: Entry, schedule: NoiseSchedule, sigma: Float64[Tensor, "*batch"], x: Float[Tensor, "batch c h w"]
) -> Float[Tensor, "items 1 h w"]:
    """How much an entry counts at each pixel of latents like x at a noise level, before it is divided by the sum."""
    height, width = x.shape[2:]
    active = counts(entry, schedule, sigma).to(x.device, x.dtype).reshape(-1, 1, 1, 1)
    found = entry.strength * active.expand(-1, 1, height, width)
    if entry.mask is not None:
        check_masks(len(entry.mask), len(x))
        mask = entry.mask
        if mask.shape[2:] != x.shape[2:]:
            mask = interpolate(mask, (height, width), mode="area")
        found = found * mask.to(x.device, x.dtype)
    if entry.area is not None:
        found = found * rectangle(entry.area, height, width).to(x.device, x.dtype)
    return found


def counts(entry: Entry, schedule: NoiseSchedule, sigma: Float64[Tensor, "*batch"]) -> Bool[Tensor, "*batch"]:
    """Whether a level lies in an entry's range: above the level of its end, up to that of its start; an end of 1
    includes the last."""
    highest, lowest = schedule.at_progress(entry.start), schedule.at_progress(entry.end)
    return (sigma <= highest) & ((sigma > lowest) | (lowest <= 0.0))


def rectangle(area: tuple[float, float, float, float], height: int, width: int) -> Float[Tensor, "1 1 h w"]:
    """1 inside, 0 outside; its edges are rounded to whole pixels, so that what adjoins neither overlaps nor leaves a
    gap. At least one pixel wide and high."""
    top, left, bottom, right = area
    rows = slice(min(round(top * height), height - 1), max(round(bottom * height), round(top * height) + 1))
    columns = slice(min(round(left * width), width - 1), max(round(right * width), round(left * width) + 1))
    found = torch.zeros(1, 1, height, width)
    found[:, :, rows, columns] = 1.0
    return found


def _evaluated(
    denoiser: Denoiser, x: Tensor, sigma: Float64[Tensor, "*batch"], encodings: Sequence[Encoding]
) -> list[Tensor]:
    """One denoised batch per encoding; those of one kind go through the network together."""
    kinds: dict[tuple[int | None, ...], list[int]] = {}
    for index, each in enumerate(encodings):
        pooled, sizes = (None if value is None else value.shape[1] for value in (each.pooled, each.sizes))
        kinds.setdefault((each.tokens.shape[2], pooled, sizes), []).append(index)
    found: dict[int, Tensor] = {}
    for indices in kinds.values():
        batch = [repeated(encodings[index], len(x)) for index in indices]
        if len(batch) == 1:
            found[indices[0]] = denoiser.denoise(x, sigma, batch[0])
            continue
        levels = sigma if sigma.ndim == 0 else sigma.repeat(len(batch))
        denoised = denoiser.denoise(x.repeat(len(batch), 1, 1, 1), levels, joined(batch))
        found |= dict(zip(indices, denoised.chunk(len(batch)), strict=True))
    return [found[index] for index in range(len(encodings))]


def _summed(parts: Sequence[tuple[Tensor, Tensor | None]]) -> Tensor:
    """Exact to the bit where one part is all."""
    [first, *others] = [denoised if weight is None else denoised * weight for denoised, weight in parts]
    for each in others:
        first = first + each
    return first
