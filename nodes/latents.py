"""Latents from nothing and from pictures, and back to pictures."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field

from nodegraph import Context, InvalidInput, node

from .image.pixels import to_rgb
from .types import Autoencoder, Denoiser, Image, Latent, LatentSpace

AT_ONCE = 2**21
"""Pixels that are encoded or decoded together: two pictures of 1024 x 1024."""


@node(category="latent")
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
    step = space.downscale * (model.multiple if isinstance(model, Denoiser) else 1)
    for name, side in (("width", width), ("height", height)):
        if side % step:
            low = side // step * step
            near = f"{low} or {low + step}" if low else str(step)
            raise InvalidInput(name, side, f"{space.name!r} takes multiples of {step} pixels", f"use {near}")
    shape = (batch, space.channels, height // space.downscale, width // space.downscale)
    return Latent(samples=torch.zeros(shape), space=space)


@node(category="latent")
def encode_image(autoencoder: Autoencoder, image: Image, ctx: Context | None = None) -> Latent:
    """Turn pictures into latents

    Grey pictures become RGB; transparent ones are laid on white. The mean of the latent's distribution is taken, so the
    result is the same every time.

    autoencoder: of the model that is to use the latents.
    image: sides must be multiples of what the autoencoder divides them by; resize_image helps.
    """
    step = autoencoder.space.downscale
    for side, value in (("width", image.width), ("height", image.height)):
        if value % step:
            raise InvalidInput(
                "image",
                f"{image.width} x {image.height}",
                f"its {side} is no multiple of {step}",
                f"use resize_image, for example to {_near(image.width, step)} x {_near(image.height, step)}",
            )
    parts = []
    for part in torch.split(to_rgb(image.pixels), max(1, AT_ONCE // (image.width * image.height))):
        if ctx is not None:
            ctx.check_cancelled()
        parts.append(autoencoder.encode(part))
    return Latent(samples=torch.cat(parts), space=autoencoder.space)


@node(category="latent")
def decode_latent(autoencoder: Autoencoder, latent: Latent, ctx: Context | None = None) -> Image:
    """Turn latents into pictures

    autoencoder: of the model that made the latents.
    latent: must live in the autoencoder's latent space.
    """
    theirs, ours = latent.space, autoencoder.space
    if theirs != ours:
        same_name = f" (of the same name, but {_difference(theirs, ours)})" if theirs.name == ours.name else ""
        raise InvalidInput(
            "latent",
            theirs.name,
            f"it lives in the latent space {theirs.name!r}; this autoencoder reads {ours.name!r}{same_name}",
            "wire the autoencoder that comes with the model that made the latent",
        )
    height, width = (side * ours.downscale for side in latent.samples.shape[2:])
    parts = []
    for part in torch.split(latent.samples, max(1, AT_ONCE // (width * height))):
        if ctx is not None:
            ctx.check_cancelled()
        parts.append(autoencoder.decode(part))
    return Image(pixels=torch.cat(parts))


def _near(side: int, step: int) -> int:
    return max(step, round(side / step) * step)


def _difference(a: LatentSpace, b: LatentSpace) -> str:
    fields = ("channels", "downscale", "scale", "shift")
    return ", ".join(f"{f} {getattr(a, f)} and {getattr(b, f)}" for f in fields if getattr(a, f) != getattr(b, f))
