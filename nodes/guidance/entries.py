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
from ..schedules.noise import NoiseSchedule, between
from ..types import Conditioning, Denoiser, Encoding, Entry
from ..types.models import Window
from .specs import check_masks, check_nothing

Shown = tuple[Encoding, Window | None]
"""An encoding, and what of the picture the network is shown with it; None for the whole."""

Share = tuple[Encoding, Window | None, Tensor | None]
"""The same, and its part of the prediction at each pixel, (batch, 1, h, w); None where it is all of it."""


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
    shares = [shared_out(each, denoiser.schedule, sigma, x, denoiser.multiple) for each in conditionings]
    distinct = {(id(encoding), window): (encoding, window) for parts in shares for encoding, window, _ in parts}
    found = dict(zip(distinct, _evaluated(denoiser, x, sigma, list(distinct.values())), strict=True))
    return [_summed([(found[id(encoding), window], weight) for encoding, window, weight in parts]) for parts in shares]


def nothing_said(conditioning: Conditioning) -> Conditioning | None:
    """The empty prompt that comes with a conditioning, as one of its own; None where there is none."""
    nothing = conditioning.unconditional
    return None if nothing is None else Conditioning(entries=(Entry(encoding=nothing),), unconditional=nothing)


def shared_out(
    conditioning: Conditioning,
    schedule: NoiseSchedule,
    sigma: Float64[Tensor, "*batch"],
    x: Float[Tensor, "batch c h w"],
    multiple: int = 1,
) -> list[Share]:
    """What counts at a noise level, with parts that sum to 1 at every pixel.

    multiple: of the sides that the network can be shown. Pixels at which no entry counts are those of the empty prompt;
    InvalidInput where there is none.
    """
    if len(conditioning.entries) == 1 and conditioning.entries[0].whole:
        return [(conditioning.entries[0].encoding, None, None)]
    height, width = x.shape[2:]
    weights = [
        (
            entry.encoding,
            bounds(entry.area, height, width, multiple) if entry.area is not None and entry.alone else None,
            weight(entry, schedule, sigma, x, multiple),
        )
        for entry in conditioning.entries
    ]
    total = torch.zeros_like(x[:, :1]) + sum(each for *_, each in weights)
    bare = total == 0.0
    if bool(bare.any()):
        check_nothing(conditioning.unconditional is not None)
        assert conditioning.unconditional is not None
        weights.append((conditioning.unconditional, None, bare.to(x.dtype)))
        total = total + bare
    return [(encoding, window, each / total) for encoding, window, each in weights if bool((each > 0.0).any())]


def weight(
    entry: Entry,
    schedule: NoiseSchedule,
    sigma: Float64[Tensor, "*batch"],
    x: Float[Tensor, "batch c h w"],
    multiple: int = 1,
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
        step = multiple if entry.alone else 1
        found = found * rectangle(entry.area, height, width, step).to(x.device, x.dtype)
    return found


def counts(entry: Entry, schedule: NoiseSchedule, sigma: Float64[Tensor, "*batch"]) -> Bool[Tensor, "*batch"]:
    """Whether a level lies in an entry's range."""
    return between(sigma, schedule.at_progress(entry.start), schedule.at_progress(entry.end))


def bounds(area: tuple[float, float, float, float], height: int, width: int, step: int = 1) -> Window:
    """A rectangle in latent pixels; its edges are rounded to multiples of `step`, so that what adjoins neither overlaps
    nor leaves a gap. At least one step wide and high."""
    top, left, bottom, right = area
    (up, down), (near, far) = _span(top, bottom, height, step), _span(left, right, width, step)
    return Window(top=up, left=near, height=down - up, width=far - near, whole_height=height, whole_width=width)


def rectangle(
    area: tuple[float, float, float, float], height: int, width: int, step: int = 1
) -> Float[Tensor, "1 1 h w"]:
    """1 inside the `bounds`, 0 outside."""
    found = torch.zeros(1, 1, height, width)
    bounds(area, height, width, step).cut(found).fill_(1.0)
    return found


def _span(low: float, high: float, size: int, step: int) -> tuple[int, int]:
    steps = size // step
    first = min(round(low * steps), steps - 1)
    return first * step, max(round(high * steps), first + 1) * step


def _evaluated(denoiser: Denoiser, x: Tensor, sigma: Float64[Tensor, "*batch"], shown: Sequence[Shown]) -> list[Tensor]:
    """One denoised batch each, 0 outside its window; those of one kind go through the network together."""
    kinds: dict[tuple[object, ...], list[int]] = {}
    for index, (each, window) in enumerate(shown):
        pooled, sizes = (None if value is None else value.shape[1] for value in (each.pooled, each.sizes))
        kinds.setdefault((window, each.tokens.shape[2], pooled, sizes), []).append(index)
    found: dict[int, Tensor] = {}
    for indices in kinds.values():
        batch = [repeated(shown[index][0], len(x)) for index in indices]
        window = shown[indices[0]][1]
        part = x if window is None else window.cut(x)
        if len(batch) == 1:
            denoised = denoiser.denoise(part, sigma, batch[0], window)
        else:
            levels = sigma if sigma.ndim == 0 else sigma.repeat(len(batch))
            denoised = denoiser.denoise(part.repeat(len(batch), 1, 1, 1), levels, joined(batch), window)
        whole = denoised if window is None else _placed(denoised, window)
        found |= dict(zip(indices, whole.chunk(len(batch)), strict=True))
    return [found[index] for index in range(len(shown))]


def _placed(part: Tensor, window: Window) -> Tensor:
    """A part in the whole, 0 around it."""
    whole = part.new_zeros(*part.shape[:2], window.whole_height, window.whole_width)
    window.cut(whole).copy_(part)
    return whole


def _summed(parts: Sequence[tuple[Tensor, Tensor | None]]) -> Tensor:
    """Exact to the bit where one part is all."""
    [first, *others] = [denoised if weight is None else denoised * weight for denoised, weight in parts]
    for each in others:
        first = first + each
    return first
