"""What a Stable Diffusion file will give, from its header alone. Imports no torch."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ...models.configs import LdmAutoencoderConfig, UNetConfig
from ...models.ldm_autoencoder_costs import ldm_autoencoder_parameters, ldm_decoder_pass, ldm_encoder_pass
from ...models.unet_costs import unet_pass
from ...models.unet_shapes import unet_shapes
from ...schedules.terminal import levels_of
from ...schedules.terminal import zero_terminal as rescaled
from ...specs.clip import ClipTextEncoderSpec
from ...specs.models import AutoencoderSpec, DenoiserSpec, ScheduleSpec
from ..family import PartSpecs
from ..ldm_autoencoder import SpaceName, compute_dtype, latent_space

if TYPE_CHECKING:
    from .stable_diffusion import Layout

TRAINING_STEPS, BETA_START, BETA_END = 1000, 0.00085, 0.012
"""Of all versions; the square roots of the betas are linear. Rombach et al. 2022."""


def part_specs(layout: Layout, prediction: str, family: str, precision: str) -> PartSpecs:
    """The models of a file."""
    vae = layout.autoencoder.config
    return PartSpecs(
        denoiser=denoiser_spec(
            layout.unet, layout.space, prediction, family, precision, zero_terminal=layout.zero_terminal
        ),
        text_encoder=ClipTextEncoderSpec.made(tuple(tower.spec for tower in layout.towers), precision, family=family),
        autoencoder=AutoencoderSpec(
            family=family,
            precision=compute_dtype(layout.space, precision),
            parameters=ldm_autoencoder_parameters(vae),
            space=latent_space(layout.space, vae),
            encode=partial(ldm_encoder_pass, vae),
            decode=partial(ldm_decoder_pass, vae),
        ),
    )


def denoiser_spec(
    unet: UNetConfig, space: SpaceName, prediction: str, family: str, precision: str, *, zero_terminal: bool = False
) -> DenoiserSpec:
    """A denoiser with that UNet. prediction: what it predicts, empty where the header does not tell."""
    return DenoiserSpec(
        family=family,
        precision=precision,
        parameters=sum(_product(shape) for shape in unet_shapes(unet).values()),
        space=latent_space(space, LdmAutoencoderConfig()),
        schedule=schedule_spec(zero_terminal=zero_terminal),
        cost=partial(unet_pass, unet),
        config=unet,
        prediction=prediction,
    )


def schedule_spec(*, zero_terminal: bool = False) -> ScheduleSpec:
    """The levels of the table, computed as `DiscreteVP` does but in plain floats; zero_terminal: ending in noise."""
    first, last = BETA_START**0.5, BETA_END**0.5
    levels, kept = [], 1.0
    for step in range(TRAINING_STEPS):
        kept *= 1.0 - (first + (last - first) * step / (TRAINING_STEPS - 1)) ** 2
        levels.append(((1.0 - kept) / kept) ** 0.5)
    if zero_terminal:
        levels = list(levels_of(rescaled(levels)))
    return ScheduleSpec(sigma_min=levels[0], sigma_max=levels[-1], levels=tuple(levels))


def _product(shape: tuple[int, ...]) -> int:
    found = 1
    for side in shape:
        found *= side
    return found
