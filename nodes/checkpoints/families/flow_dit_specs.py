"""What a checkpoint of the `flow_dit` family will give, from its header alone. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ...models.configs import AutoencoderConfig, DiTConfig, TextConfig
from ...models.costs import decoder_pass, dit_pass, encoder_pass, text_pass
from ...specs.latent import LatentSpaceSpec
from ...specs.models import AutoencoderSpec, DenoiserSpec, ScheduleSpec, TextEncoderSpec
from ..family import PartSpecs

if TYPE_CHECKING:
    from .flow_dit import FlowDiTRecipe

FLOW = ScheduleSpec(sigma_min=1e-3, sigma_max=1.0)
"""Of `RectifiedFlow` with its defaults."""


def part_specs(recipe: FlowDiTRecipe, family: str, precision: str) -> PartSpecs:
    """The three models."""
    header, latent, text_encoder = recipe.header, recipe.document.latent, recipe.document.text_encoder
    space = LatentSpaceSpec(
        name=recipe.document.family,
        channels=latent.channels,
        downscale=latent.downscale,
        scale=latent.scale,
        shift=latent.shift,
    )
    sizes: Any = recipe.sizes  # numbers by the names of the configs' fields
    dit, text, images = (
        DiTConfig(**sizes.denoiser),
        TextConfig(**sizes.text_encoder),
        AutoencoderConfig(**sizes.autoencoder),
    )
    about: dict[str, Any] = {"family": family, "precision": precision}
    return PartSpecs(
        denoiser=DenoiserSpec(
            parameters=header.parameters("denoiser."),
            space=space,
            schedule=FLOW,
            multiple=dit.patch,
            prediction="flow",
            cost=partial(dit_pass, dit),
            config=dit,
            **about,
        ),
        text_encoder=TextEncoderSpec(
            parameters=header.parameters("text_encoder."),
            width=text.width,
            length=text.length,
            tokens=_counter(text_encoder.tokenizer, text.length),
            cost=partial(text_pass, text),
            **about,
        ),
        autoencoder=AutoencoderSpec(
            parameters=header.parameters("autoencoder."),
            space=space,
            encode=partial(encoder_pass, images),
            decode=partial(decoder_pass, images),
            **about,
        ),
    )


def _counter(tokenizer: str, length: int) -> Callable[[Sequence[str]], list[int]]:
    """How many tokens each of some texts gets, cut to `length`."""

    def count(texts: Sequence[str]) -> list[int]:
        from tokenizers import Tokenizer

        words = Tokenizer.from_str(tokenizer)
        words.no_padding()
        words.enable_truncation(length)
        return [len(each.ids) for each in words.encode_batch(list(texts))]

    return count
