"""What sampling will give and cost, and the checks that it shares with its spec. Imports no torch."""

from __future__ import annotations

from nodegraph import InvalidInput
from nodegraph.spec import Cost, Predicted

from ..specs.image import MaskSpec
from ..specs.latent import LatentSpec, Space, difference
from ..specs.sampling import GuiderSpec, SamplerSpec, SigmasSpec

LATENTS = 8
"""Latents of the whole batch that live beside the network: the noisy one before and after the step, the noise of the
step, the denoised one, and per branch what the network is given and what it gives."""

STEP_SECONDS = 5e-3
"""Of one evaluation beside its arithmetic: hundreds of small operations of some microseconds each."""


def euler(s_churn: float, s_tmin: float, s_tmax: float | None, s_noise: float) -> Predicted:
    """One evaluation a step."""
    return Predicted({"sampler": SamplerSpec(name="Euler")})


def heun(s_churn: float, s_tmin: float, s_tmax: float | None, s_noise: float) -> Predicted:
    """Two evaluations a step; the last step's one is not told apart."""
    return Predicted({"sampler": SamplerSpec(name="Heun", evaluations=2)})


def euler_ancestral(eta: float, s_noise: float) -> Predicted:
    """One evaluation a step."""
    return Predicted({"sampler": SamplerSpec(name="EulerAncestral")})


def ddpm(variance: str) -> Predicted:
    """One evaluation a step."""
    return Predicted({"sampler": SamplerSpec(name="DDPM")})


def dpmpp_2m() -> Predicted:
    """One evaluation a step."""
    return Predicted({"sampler": SamplerSpec(name="DPMpp2M")})


def ddim(eta: float) -> Predicted:
    """One evaluation a step."""
    return Predicted({"sampler": SamplerSpec(name="DDIM")})


def sample(
    guider: GuiderSpec,
    sampler: SamplerSpec,
    sigmas: SigmasSpec,
    latent: LatentSpec,
    seed: int,
    noise: str,
    mask: MaskSpec | None,
    masking: str,
    start: int,
    until: int | None,
    add_noise: bool,
    original: LatentSpec | None,
) -> Predicted:
    """The network sees every branch of every picture at once, in each evaluation of each step that is taken."""
    end = check_part(start, until, sigmas.steps, mask is not None, add_noise or original is not None)
    model = guider.denoiser
    batch = check_fit(model.space, model.schedule.sigma_max, guider.batch, sigmas.highest, latent.space, len(latent))
    check_sides(model.multiple, model.space.downscale, latent.height, latent.width)
    if mask is not None:
        size = (batch, latent.height, latent.width)
        if original is not None:
            kept = (original.batch, original.channels, original.height, original.width)
            shape = (latent.batch, latent.channels, latent.height, latent.width)
            check_original(kept, shape, original.space, latent.space)
        check_mask((mask.batch, mask.height, mask.width), size, model.space.downscale)
    result = LatentSpec(
        batch=batch, channels=latent.channels, height=latent.height, width=latent.width, space=latent.space
    )
    one = model.cost(batch * guider.branches, latent.height, latent.width, guider.length)
    evaluations = (end - start) * sampler.evaluations
    cost = Cost(
        working=model.item * one.elements + (LATENTS if mask is None else LATENTS + 3) * result.own,
        work=one.work * evaluations,
        seconds=STEP_SECONDS * evaluations,
    )
    return Predicted({"latent": result}, cost)


def check_sides(multiple: int, downscale: int, height: int, width: int) -> None:
    """InvalidInput where a model cannot take latents of that size."""
    for side in (height, width):
        if side % multiple:
            raise InvalidInput(
                "latent",
                f"{width} x {height}",
                f"the model takes latents whose sides are multiples of {multiple}",
                f"use pictures whose sides are multiples of {multiple * downscale} pixels",
            )


def check_part(start: int, until: int | None, steps: int, masked: bool, known: bool) -> int:
    """Where to stop; InvalidInput where a grid has no such steps, or where it is not known what a mask keeps.

    start, until: of the grid, which has `steps`. masked: whether there is a mask. known: whether what it keeps is given
    without noise.
    """
    end = steps if until is None else until
    if end > steps:
        raise InvalidInput("until", end, f"the grid has {steps} steps", "leave it out to take all")
    if start > end:
        bound = f"the grid has {steps} steps" if until is None else f"the last step taken is number {end}"
        raise InvalidInput("start", start, bound, "start earlier")
    if masked and not known:
        raise InvalidInput(
            "original",
            None,
            "the latent is noisy already, and the mask keeps what is without noise",
            "wire the latent that the sampling began with",
        )
    return end


def check_original(kept: tuple[int, ...], latent: tuple[int, ...], theirs: Space, ours: Space) -> None:
    """InvalidInput where what a mask keeps is not of the size, number and space of the latents.

    kept, latent: shapes.
    """
    if difference(theirs, ours) or kept[1:] != latent[1:] or kept[0] not in (1, latent[0]):
        raise InvalidInput(
            "original",
            f"{kept[0]} of {kept[3]} x {kept[2]} in {theirs.name!r}",
            f"the latents are {latent[0]} of {latent[3]} x {latent[2]} in {ours.name!r}",
            "wire the latent that the sampling began with",
        )


def check_mask(mask: tuple[int, int, int], latent: tuple[int, int, int], downscale: int) -> None:
    """InvalidInput where masks fit neither the latents nor their pictures.

    mask, latent: number, height and width of each.
    """
    (masks, rows, columns), (batch, height, width) = mask, latent
    step = downscale
    if (rows, columns) not in ((height, width), (height * step, width * step)):
        raise InvalidInput(
            "mask",
            f"{columns} x {rows}",
            f"the latent is {width} x {height}, its picture {width * step} x {height * step} pixels",
            "use a mask of the size of the picture",
        )
    if masks not in (1, batch):
        raise InvalidInput(
            "mask", f"{masks} masks", f"{batch} pictures are made", "give one mask for all, or one for each"
        )


def check_fit(wanted: Space, limit: float, prompts: int, highest: float, given: Space, latents: int) -> int:
    """The batch size of a sampling; InvalidInput where its parts do not belong together.

    wanted, limit, prompts: of the guider: its latent space, the highest level it knows, how many prompts it holds.
    highest: of the grid. given, latents: space and number of the latents to start from.
    """
    if difference(given, wanted):
        raise InvalidInput(
            "latent",
            given.name,
            f"the model works in the latent space {wanted.name!r}, this latent lives in {given.name!r}",
            "make it with empty_latent or encode_image of the same model",
        )
    if highest > limit * (1.0 + 1e-6):
        raise InvalidInput(
            "sigmas",
            f"{highest:g} ... 0",
            f"they start above {limit:g}, the highest level the model knows",
            "take a schedule node that is made for this model, such as flow_sigmas for flow models",
        )
    if latents != prompts and 1 not in (latents, prompts):
        raise InvalidInput(
            "latent",
            f"a batch of {latents}",
            f"the conditioning holds {prompts} prompts",
            "use a batch of 1 or of as many latents as prompts",
        )
    return max(latents, prompts)
