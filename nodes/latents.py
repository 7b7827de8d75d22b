"""Latents from nothing and from pictures, and back to pictures."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field

from nodegraph import Context, node

from . import latent_specs
from .image.pixels import to_rgb
from .latent_specs import check_picture, check_same_space, check_sides, pictures_at_once
from .types import Autoencoder, Denoiser, Image, Latent, LatentSpace


@node(category="latent", spec=latent_specs.empty_latent)
def empty_latent(
    model: Denoiser | Autoencoder | LatentSpace,
    width: Annotated[int, Field(ge=1, le=16_384)] = 512,
    height: Annotated[int, Field(ge=1, le=16_384)] = 512,
    batch: Annotated[int, Field(ge=1, le=4_096)] = 1,
) -> Latent:
    """Zeros to start a new picture from

    model: says which latent space; a denoiser also knows which sizes it can take.
    width: of the picture in pixels; a multiple of the model's step, such as 8.
    height: of the picture in pixels; likewise.
    batch: how many pictures to make at once.
    """
    space = model if isinstance(model, LatentSpace) else model.space
    check_sides(space, model.multiple if isinstance(model, Denoiser) else 1, width, height)
    shape = (batch, space.channels, height // space.downscale, width // space.downscale)
    return Latent(samples=torch.zeros(shape), space=space)


@node(category="latent", spec=latent_specs.encode_image)
def encode_image(autoencoder: Autoencoder, image: Image, ctx: Context | None = None) -> Latent:
    """Turn pictures into latents

    Grey pictures become RGB; transparent ones are laid on white. The mean of the latent's distribution is taken, so the
    result is the same every time.

    autoencoder: of the model that is to use the latents.
    image: sides must be multiples of what the autoencoder divides them by; resize_image helps.
    """
    check_picture(autoencoder.space, image)
    parts = []
    for part in torch.split(to_rgb(image.pixels), pictures_at_once(image.width, image.height, len(image))):
        if ctx is not None:
            ctx.check_cancelled()
        parts.append(autoencoder.encode(part))
    return Latent(samples=torch.cat(parts), space=autoencoder.space)


@node(category="latent", spec=latent_specs.decode_latent)
def decode_latent(autoencoder: Autoencoder, latent: Latent, ctx: Context | None = None) -> Image:
    """Turn latents into pictures

    autoencoder: of the model that made the latents.
    latent: must live in the autoencoder's latent space.
    """
    check_same_space(latent.space, autoencoder.space)
    height, width = (side * latent.space.downscale for side in latent.samples.shape[2:])
    parts = []
    for part in torch.split(latent.samples, pictures_at_once(width, height, len(latent))):
        if ctx is not None:
            ctx.check_cancelled()
        parts.append(autoencoder.decode(part))
    return Image(pixels=torch.cat(parts))
