"""What guiders will cost, and the checks that they share with their specs. Imports no torch."""

from __future__ import annotations

from nodegraph import InvalidInput
from nodegraph.spec import Predicted

from ..specs.models import DenoiserSpec
from ..specs.sampling import ConditioningSpec, GuiderSpec


def classifier_free_guidance(
    denoiser: DenoiserSpec, positive: ConditioningSpec, negative: ConditioningSpec | None, scale: float
) -> Predicted:
    """Two evaluations, unless the scale leaves one out."""
    check_channels(denoiser.lacking)
    lengths = [positive.length] if scale != 0.0 else []
    batch, keeps = positive.batch, [positive]
    if scale != 1.0:
        check_negative(negative is not None or positive.unconditional is not None)
        check_entries("negative", negative.entries if negative else 1)
        lengths.append(negative.length if negative else positive.unconditional or 0)
        batch = max(batch, negative.batch if negative else 1)
        keeps += [negative] if negative else []
    check_entries("positive", positive.entries)
    check_prompts(len(positive), negative.batch if negative and scale != 1.0 else 1)
    guider = GuiderSpec(denoiser=denoiser, batch=batch, branches=len(lengths), length=max(lengths), keeps=tuple(keeps))
    return Predicted({"guider": guider})


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


def check_entries(name: str, entries: int) -> None:
    """InvalidInput where a conditioning says several things."""
    if entries != 1:
        raise InvalidInput(
            name,
            f"{entries} entries",
            "classifier_free_guidance takes conditionings of one entry",
            "use a guider that composes several",
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
