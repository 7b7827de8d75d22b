"""What guiders will cost, and the checks that they share with their specs. Imports no torch."""

from __future__ import annotations

from nodegraph import InvalidInput
from nodegraph.spec import Predicted

from ..specs.models import DenoiserSpec
from ..specs.sampling import ConditioningSpec, GuiderSpec, evaluated


def classifier_free_guidance(
    denoiser: DenoiserSpec, positive: ConditioningSpec, negative: ConditioningSpec | None, scale: float
) -> Predicted:
    """Two evaluations, unless the scale leaves one out."""
    check_channels(denoiser.lacking)
    sides = [positive] if scale != 0.0 else []
    batch, keeps = positive.batch, [positive]
    if scale != 1.0:
        check_negative(negative is not None or positive.unconditional is not None)
        sides.append(negative or nothing_said(positive))
        batch = max(batch, negative.batch if negative else 1)
        keeps += [negative] if negative else []
    check_prompts(len(positive), negative.batch if negative and scale != 1.0 else 1)
    branches, length = evaluated(sides, shared=negative is None)
    guider = GuiderSpec(denoiser=denoiser, batch=batch, branches=branches, length=length, keeps=tuple(keeps))
    return Predicted({"guider": guider})


def nothing_said(positive: ConditioningSpec) -> ConditioningSpec:
    """The empty prompt that comes with a conditioning, as one of its own."""
    length = positive.unconditional or 0
    return ConditioningSpec(batch=1, length=length, width=positive.width, unconditional=length)


def check_channels(lacking: int) -> None:
    """InvalidInput where a network takes channels beside the latent that nothing gives."""
    if lacking > 0:
        raise InvalidInput(
            "denoiser",
            f"a network with {lacking} further channels",
            "it was trained to see more than the latent, and nothing gives it that",
            "put condition_inpainting before it if it is a model for inpainting, or use another model",
        )


def check_negative(given: bool) -> None:
    """InvalidInput where neither a negative conditioning nor an empty prompt is there to guide away from."""
    if not given:
        raise InvalidInput(
            "negative",
            None,
            "the positive conditioning comes from a model without an empty prompt",
            "wire a negative conditioning, or set scale to 1",
        )


def check_prompts(positive: int, negative: int) -> None:
    """InvalidInput where the numbers of prompts do not go together."""
    if negative != positive and 1 not in (negative, positive):
        raise InvalidInput(
            "negative",
            f"{negative} prompts",
            f"there are {positive} positive prompts",
            "give one negative prompt for all, or one for each",
        )


def check_nothing(there: bool) -> None:
    """InvalidInput where no entry counts at some place or level, and there is no empty prompt for it."""
    if not there:
        raise InvalidInput(
            "positive",
            None,
            "at some place or noise level no entry counts, and its model has no empty prompt to use there",
            "combine it with a conditioning for the whole picture",
        )


def check_masks(masks: int, pictures: int) -> None:
    """InvalidInput where the masks of a region cannot be shared out among pictures."""
    if masks not in (1, pictures):
        raise InvalidInput(
            "latent", f"a batch of {pictures}", f"a region has {masks} masks", "start from as many latents as masks"
        )
