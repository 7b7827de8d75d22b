"""The node that samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from jaxtyping import Float64
from pydantic import Field
from torch import Tensor

from nodegraph import Context, Seed, node

from ..noise import INITIAL, NoiseKind, noise_source
from ..schedules.noise import NoiseSchedule
from ..showing.rough import Rough
from ..types import Guider, Latent, LatentSpace, Mask, Sampler, Sigmas, State
from . import specs
from .loop import OnStep, drive
from .masked import Masked, Masking, latent_mask, noised
from .resuming import Reached
from .specs import check_fit, check_original, check_sides


class Watched:
    """A denoise function that looks for a cancel before each evaluation and remembers the last result."""

    def __init__(
        self, denoise: Callable[[Tensor, Tensor], Tensor], schedule: NoiseSchedule, check: Callable[[], None]
    ) -> None:
        self._denoise, self._schedule, self._check = denoise, schedule, check
        self.latest: Tensor | None = None

    @property
    def schedule(self) -> NoiseSchedule:
        """Of the model."""
        return self._schedule

    def __call__(self, x: Tensor, sigma: Float64[Tensor, ""]) -> Tensor:
        """One evaluation."""
        self._check()
        self.latest = self._denoise(x, sigma)
        return self.latest


@node(category="sampling", spec=specs.sample)
def sample(
    guider: Guider,
    sampler: Sampler,
    sigmas: Sigmas,
    latent: Latent,
    seed: Seed = 0,
    noise: NoiseKind = "per item",
    mask: Mask | None = None,
    masking: Masking = "soft",
    start: Annotated[int, Field(ge=0, le=10_000)] = 0,
    until: Annotated[int, Field(ge=0, le=10_000)] | None = None,
    add_noise: bool = True,
    original: Latent | None = None,
    ctx: Context | None = None,
) -> Latent:
    """Make latents out of noise, step by step

    Noise is mixed into `latent` as far as the first noise level says, then the sampler walks down the levels. The
    noise of picture k of a batch depends on the seed and on k alone, unless `noise` is comfyui, so pictures do not
    change with the size of the batch.

    guider: the model with its conditioning, such as classifier_free_guidance.
    sampler: the method, such as euler.
    sigmas: the noise levels, such as flow_sigmas.
    latent: what to start from; empty_latent for a new picture. A batch of 1 is repeated for several prompts.
    seed: where the noise comes from; the same seed gives the same picture.
    noise: which program's noise is drawn; comfyui and a1111 start from what these draw for the same seed on the CPU.
    mask: 1 is made anew, 0 stays as it is in the original, exactly; of the size of the latent or of its picture, one
        for all or one for each. Without a mask everything is made anew.
    masking: what values between 0 and 1 do. soft blends old and new at every step. differential makes a place anew in
        the last steps only, the fewer the lower its value, so that it changes the less (Levin & Fried 2023).
    start: the first step that is taken; earlier levels are left out. The number of steps gives the latent itself.
    until: how many steps of the grid are taken; with less than all, the rest of the noise stays in what is given, for
        another `sample` that starts there without adding noise. Samplers without a memory give the same in two parts.
    add_noise: false where `latent` is already as noisy as the first level that is taken.
    original: what a mask keeps; by default `latent`. Needed where `latent` is noisy already.
    """
    fixed = specs.check_part(start, until, sigmas.steps, mask is not None, add_noise or original is not None)
    limit, highest = guider.schedule.sigma_max, float(sigmas.values[0])
    batch = check_fit(guider.space, limit, guider.batch, highest, latent.space, len(latent))
    height, width = latent.samples.shape[2:]
    check_sides(guider.multiple, guider.space.downscale, height, width)
    given = latent.samples.to(guider.device).expand(batch, -1, -1, -1)
    source = noise_source(noise, seed, tuple(given.shape), guider.device)
    initial = source(INITIAL, 0)
    masked = None
    if mask is not None:
        kept = original_of(original or latent, latent).to(guider.device).expand(batch, -1, -1, -1)
        part = latent_mask(mask, batch, height, width, guider.space.downscale).to(guider.device)
        masked = Masked(guider.denoise, guider.schedule, kept, initial, part, masking, sigmas.values)
    denoise = Watched(masked or guider.denoise, guider.schedule, ctx.check_cancelled if ctx else lambda: None)
    x = noised(given, initial, sigmas.values[start], guider.schedule) if add_noise else given
    state, on_step = sampler.init(x, sigmas.values), None
    if ctx is not None:
        if isinstance(reached := ctx.resumed(), Reached):
            start, state = reached.step, reached.again(guider.device)
        ctx.progress(start, sigmas.steps)
        on_step = reporting(ctx, denoise, guider.space)
    final = drive(sampler, denoise, source, state, first=start, last=fixed, on_step=on_step).x
    final = masked.restored(final) if masked and fixed == sigmas.steps else final
    return Latent(samples=final.float().cpu(), space=latent.space)


def reporting(ctx: Context, denoise: Watched, space: LatentSpace) -> OnStep:
    """Offers a checkpoint, tells progress and shows what was denoised last, after each step."""

    def report(done: int, total: int, state: State) -> None:
        ctx.checkpoint(lambda: Reached.of(done, state))
        ctx.progress(done, total)
        if denoise.latest is not None:
            ctx.preview(Rough(samples=denoise.latest, space=space))

    return report


def original_of(original: Latent, latent: Latent) -> Tensor:
    """What a mask keeps; InvalidInput where it is not as the latent that is sampled."""
    check_original(tuple(original.samples.shape), tuple(latent.samples.shape), original.space, latent.space)
    return original.samples
