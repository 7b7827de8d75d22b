"""The node that samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import torch
from jaxtyping import Float, Float64
from pydantic import Field
from torch import Tensor

from nodegraph import Context, Seed, node

from ..noise import INITIAL, NoiseKind, noise_source
from ..schedules.noise import NoiseSchedule
from ..types import Guider, Image, Latent, LatentSpace, Mask, Sampler, Sigmas, State
from ..types.sampling import Denoise
from . import specs
from .inpainting import Inpainting, MaskMode, latent_mask, noised
from .loop import drive
from .specs import check_fit, check_mask, check_sides, check_steps


class Guided:
    """A guider as the function that samplers ask."""

    def __init__(self, guider: Guider) -> None:
        self._guider = guider

    @property
    def schedule(self) -> NoiseSchedule:
        """The guider's."""
        return self._guider.schedule

    def __call__(self, x: Tensor, sigma: Float64[Tensor, ""]) -> Tensor:
        """One evaluation."""
        return self._guider.denoise(x, sigma)


class Watched:
    """Looks for a cancel before each evaluation, remembers the last result."""

    def __init__(self, denoise: Denoise, check: Callable[[], None]) -> None:
        self._denoise, self._check = denoise, check
        self.latest: Tensor | None = None

    @property
    def schedule(self) -> NoiseSchedule:
        """Of what is watched."""
        return self._denoise.schedule

    def __call__(self, x: Tensor, sigma: Float64[Tensor, ""]) -> Tensor:
        """One evaluation."""
        self._check()
        self.latest = self._denoise(x, sigma)
        return self.latest


def preview_image(denoised: Float[Tensor, "batch c h w"], space: LatentSpace) -> Image:
    """A rough picture of a latent at its own size: the space's linear map, or else its first channels as grey."""
    x = denoised.detach().float().cpu()
    if space.preview:
        *rows, offset = torch.tensor(space.preview)
        pixels = torch.einsum("bchw,cr->brhw", x, torch.stack(rows)) + offset[:, None, None]
    else:
        pixels = x[:, :1] / 4.0 + 0.5
    return Image(pixels=pixels.nan_to_num(0.0).clamp(0.0, 1.0))


@node(category="sampling", spec=specs.sample)
def sample(
    guider: Guider,
    sampler: Sampler,
    sigmas: Sigmas,
    latent: Latent,
    seed: Seed = 0,
    noise: NoiseKind = "per item",
    mask: Mask | None = None,
    mask_mode: MaskMode = "soft",
    start_step: Annotated[int, Field(ge=0, le=10_000)] = 0,
    end_step: Annotated[int, Field(ge=1, le=10_000)] | None = None,
    add_noise: bool = True,
    ctx: Context | None = None,
) -> Latent:
    """Make latents out of noise, step by step

    Noise is mixed into `latent` as far as the first noise level says, then the sampler walks down the levels. The
    noise of picture k of a batch depends on the seed and on k alone, unless `noise` is comfyui, so pictures do not
    change with the size of the batch.

    A run can be divided: one node stops at `end_step`, the next one goes on from its latent with that as `start_step`,
    the same levels and seed, and `add_noise` off, maybe with another model, as SDXL's refiner. For samplers without a
    memory the result is that of the undivided run, bit for bit; others begin anew, as after their first step.

    guider: the model with its conditioning, such as classifier_free_guidance.
    sampler: the method, such as euler.
    sigmas: the noise levels, such as flow_sigmas.
    latent: what to start from; empty_latent for a new picture. A batch of 1 is repeated for several prompts.
    seed: where the noise comes from; the same seed gives the same picture.
    noise: which program's noise is drawn; comfyui and a1111 start from what these draw for the same seed on the CPU.
    mask: what is made anew; where it is 0, `latent` stays exactly as it is. Of the picture's size, or the latent's.
    mask_mode: soft mixes old and new by the mask's values; hard takes values above 0.5 as 1 and others as 0;
        differential makes positions of lower values anew only in the later steps, so that they change less.
    start_step: how many of the levels' steps are left out at the beginning; noise is mixed in for the level there.
    end_step: after how many of the steps to stop; the latent then still has that level's noise. Empty for the end.
    add_noise: off where `latent` already has the noise of the first level.
    """
    first, last = check_steps(sigmas.steps, start_step, end_step)
    highest, limit = float(sigmas.values[first]), guider.schedule.sigma_max
    batch = check_fit(guider.space, limit, guider.batch, highest, latent.space, len(latent))
    height, width = latent.samples.shape[2:]
    check_sides(guider.multiple, guider.space.downscale, height, width)
    clean = latent.samples.to(guider.device).expand(batch, -1, -1, -1)
    source = noise_source(noise, seed, tuple(clean.shape), guider.device)
    initial = source(INITIAL, 0)
    x = noised(clean, initial, sigmas.values[first], guider.schedule) if add_noise else clean
    keeping: Inpainting | None = None
    if mask is not None:
        check_mask(mask, batch, height, width, guider.space.downscale, add_noise)
        keeping = Inpainting(
            denoise=Guided(guider), clean=clean, noise=initial, highest=highest, mode=mask_mode,
            mask=latent_mask(mask.values, height, width).to(guider.device),
        )  # fmt: skip
    denoise = Watched(keeping or Guided(guider), ctx.check_cancelled if ctx else lambda: None)

    def report(done: int, _: int, __: State) -> None:
        if ctx is not None:
            if denoise.latest is not None:
                ctx.preview(preview_image(denoise.latest, guider.space))
            ctx.progress(done - first, last - first)

    if ctx is not None:
        ctx.progress(0, last - first)
    state = sampler.init(x, sigmas.values)
    final = drive(sampler, denoise, source, state, first=first, last=last, on_step=report).x
    if keeping is not None:
        final = keeping.finished(final, sigmas.values[last])
    return Latent(samples=final.float().cpu(), space=latent.space)
