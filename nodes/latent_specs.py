"""What the latent nodes will give and cost, and the checks that they share with their specs. Imports no torch."""

from __future__ import annotations

from nodegraph import InvalidInput
from nodegraph.spec import Cost, Predicted

from .image.specs import Pictures
from .specs.image import FLOAT32, ImageSpec
from .specs.latent import LatentSpaceSpec, LatentSpec, Space, difference
from .specs.models import AutoencoderSpec, DenoiserSpec

AT_ONCE = 2**21
"""Pixels that are encoded or decoded together: two pictures of 1024 x 1024."""


def empty_latent(
    model: DenoiserSpec | AutoencoderSpec | LatentSpaceSpec, width: int, height: int, batch: int
) -> Predicted:
    """Zeros."""
    space = model if isinstance(model, LatentSpaceSpec) else model.space
    check_sides(space, model.multiple if isinstance(model, DenoiserSpec) else 1, width, height)
    return Predicted({"latent": _latent(space, batch, height, width)})


def check_sides(space: Space, multiple: int, width: int, height: int) -> None:
    """InvalidInput where pictures of that size have no latent that the model can take."""
    step = space.downscale * multiple
    for name, side in (("width", width), ("height", height)):
        if side % step:
            low = side // step * step
            near = f"{low} or {low + step}" if low else str(step)
            raise InvalidInput(name, side, f"{space.name!r} takes multiples of {step} pixels", f"use {near}")


def encode_image(autoencoder: AutoencoderSpec, image: ImageSpec) -> Predicted:
    """The network sees some pictures at once, as RGB in its own range."""
    check_picture(autoencoder.space, image)
    latent = _latent(autoencoder.space, image.batch, image.height, image.width)
    part = pictures_at_once(image.width, image.height, image.batch)
    one = autoencoder.encode(part, image.height, image.width)
    rgb = FLOAT32 * 3 * image.height * image.width
    on_white = rgb * image.batch if image.channels == 4 else 0
    working = on_white + 2 * rgb * part + autoencoder.item * one.elements + latent.own
    return Predicted({"latent": latent}, Cost(working=working, work=one.work * image.batch / part))


def check_picture(space: Space, image: Pictures) -> None:
    """InvalidInput where pictures of that size have no latent."""
    step = space.downscale
    for side, value in (("width", image.width), ("height", image.height)):
        if value % step:
            raise InvalidInput(
                "image",
                f"{image.width} x {image.height}",
                f"its {side} is no multiple of {step}",
                f"use resize_image, for example to {_near(image.width, step)} x {_near(image.height, step)}",
            )


def decode_latent(autoencoder: AutoencoderSpec, latent: LatentSpec) -> Predicted:
    """The network sees some latents at once; the parts are put together at the end."""
    check_same_space(latent.space, autoencoder.space)
    step = latent.space.downscale
    image = ImageSpec(batch=latent.batch, channels=3, height=latent.height * step, width=latent.width * step)
    part = pictures_at_once(image.width, image.height, image.batch)
    one = autoencoder.decode(part, latent.height, latent.width)
    working = autoencoder.item * one.elements + image.own
    return Predicted({"image": image}, Cost(working=working, work=one.work * image.batch / part))


def check_same_space(theirs: Space, ours: Space) -> None:
    """InvalidInput where an autoencoder of the space `ours` cannot read a latent of the space `theirs`."""
    found = difference(theirs, ours)
    if found:
        same_name = f" (of the same name, but {found})" if theirs.name == ours.name else ""
        raise InvalidInput(
            "latent",
            theirs.name,
            f"it lives in the latent space {theirs.name!r}; this autoencoder reads {ours.name!r}{same_name}",
            "wire the autoencoder that comes with the model that made the latent",
        )


def pictures_at_once(width: int, height: int, batch: int) -> int:
    """How many pictures of a batch go through an autoencoder together."""
    return min(batch, max(1, AT_ONCE // (width * height)))


def _latent(space: LatentSpaceSpec, batch: int, height: int, width: int) -> LatentSpec:
    step = space.downscale
    return LatentSpec(batch=batch, channels=space.channels, height=height // step, width=width // step, space=space)


def _near(side: int, step: int) -> int:
    return max(step, round(side / step) * step)
