"""What inpainting models will cost, and the checks that nodes share with their specs. Imports no torch."""

from __future__ import annotations

from dataclasses import replace

from nodegraph import InvalidInput
from nodegraph.spec import Cost, Predicted

from ..image.specs import Pictures
from ..latent_specs import check_picture, pictures_at_once
from ..specs.image import FLOAT32, ImageSpec, MaskSpec
from ..specs.latent import Space, difference
from ..specs.models import AutoencoderSpec, DenoiserSpec


def condition_inpainting(
    denoiser: DenoiserSpec, autoencoder: AutoencoderSpec, image: ImageSpec, mask: MaskSpec
) -> Predicted:
    """The same weights; the picture is encoded once."""
    masks = (mask.batch, mask.height, mask.width)
    check_inpainting(denoiser.lacking, denoiser.space, autoencoder.space, image, masks)
    count = max(image.batch, mask.batch)
    part = pictures_at_once(image.width, image.height, count)
    one = autoencoder.encode(part, image.height, image.width)
    rgb = FLOAT32 * 3 * image.height * image.width
    working = 2 * rgb * count + 2 * rgb * part + autoencoder.item * one.elements
    conditioned = replace(denoiser, beside=denoiser.beside + 1 + denoiser.space.channels, shares=denoiser)
    return Predicted({"denoiser": conditioned}, Cost(working=working, work=one.work * count / part))


def check_inpainting(lacking: int, space: Space, encoded: Space, image: Pictures, masks: tuple[int, int, int]) -> None:
    """InvalidInput where the model takes no mask, or where picture and mask do not go together.

    lacking: channels that the network takes and nothing gives yet. space, encoded: of the denoiser and the autoencoder.
    masks: number, height and width.
    """
    wanted = 1 + space.channels
    if lacking != wanted:
        takes = "no further channels" if lacking <= 0 else f"{lacking} further channels"
        raise InvalidInput(
            "denoiser",
            space.name,
            f"it takes {takes} beside the latent, a model for inpainting {wanted}",
            "load a model for inpainting, or give `sample` the mask instead",
        )
    if difference(encoded, space):
        reason = f"it makes latents of {encoded.name!r}, the model works in {space.name!r}"
        raise InvalidInput("autoencoder", encoded.name, reason, "wire the autoencoder of the same model")
    check_picture(encoded, image)
    if masks[1:] != (image.height, image.width):
        reason = f"the picture is {image.width} x {image.height}"
        raise InvalidInput("mask", f"{masks[2]} x {masks[1]}", reason, "make it as large as the picture")
    if masks[0] != len(image) and 1 not in (masks[0], len(image)):
        raise InvalidInput("mask", f"{masks[0]} masks", f"there are {len(image)} pictures", "give one for each")


def check_whole(latent: tuple[int, int], picture: tuple[int, int]) -> None:
    """InvalidInput where a latent of (height, width) is not of the size of the picture that the model is shown."""
    if latent != picture:
        raise InvalidInput(
            "latent",
            f"{latent[1]} x {latent[0]}",
            f"the picture that condition_inpainting shows the model is {picture[1]} x {picture[0]} as a latent",
            "start from a latent of the same size",
        )


def check_number(shown: int, items: int) -> None:
    """InvalidInput where pictures, or masks, cannot be shared out among the items of a batch."""
    if items % shown:
        raise InvalidInput(
            "latent",
            f"a batch of {items}",
            f"condition_inpainting shows the model {shown} pictures or masks",
            "start from as many latents, or show it one for all",
        )
