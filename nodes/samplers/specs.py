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
    start_step: int,
    end_step: int | None,
    add_noise: bool,
) -> Predicted:
    """The network sees every branch of every picture at once, in each evaluation of each step."""
    model = guider.denoiser
    first, last = check_steps(sigmas.steps, start_step, end_step)
    check_original(mask is not None, add_noise)
    highest = sigmas.highest if first == 0 else 0.0  # how high later levels are is not known here
    batch = check_fit(model.space, model.schedule.sigma_max, guider.batch, highest, latent.space, len(latent))
    check_sides(model.multiple, model.space.downscale, latent.height, latent.width)
    if mask is not None:
        size = (batch, latent.height, latent.width)
        check_mask((mask.batch, mask.height, mask.width), size, model.space.downscale)
    result = LatentSpec(
        batch=batch, channels=latent.channels, height=latent.height, width=latent.width, space=latent.space
    )
    one = model.cost(batch * guider.branches, latent.height, latent.width, guider.length)
    evaluations = (last - first) * sampler.evaluations
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


def check_steps(steps: int, start_step: int, end_step: int | None) -> tuple[int, int]:
    """The first step and the one after the last; InvalidInput where a grid of so many steps has none between them."""
    last = steps if end_step is None else end_step
    if last > steps:
        raise InvalidInput("end_step", end_step, f"the levels have {steps} steps", "use at most as many, or leave it")
    if start_step >= last:
        raise InvalidInput(
            "start_step",
            start_step,
            f"no step is left before the end after {last}",
            "start earlier; to change nothing, leave the node out",
        )
    return start_step, last


def check_original(masked: bool, add_noise: bool) -> None:
    """InvalidInput where a mask is to keep what nobody knows without its noise."""
    if masked and not add_noise:
        raise InvalidInput(
            "mask",
            "a mask",
            "a latent that already has noise does not tell what is to be kept",
            "switch add_noise on, or leave out the mask",
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
