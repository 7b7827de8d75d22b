"""Models for inpainting: what they see beside the noisy latent. Rombach et al. 2022, appendix on inpainting."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from nodegraph import Context, node

from ..image.pixels import to_rgb
from ..latent_specs import pictures_at_once
from ..types import Autoencoder, Denoiser, Image, Mask, Patch
from ..types.models import Call
from . import inpainting_specs as specs
from .inpainting_specs import check_inpainting, check_number, check_whole

GREY = 0.5
"""Of what is hidden: 0 in the network's range."""


@dataclass(frozen=True, kw_only=True, eq=False)
class InpaintingPatch(Patch):
    """Mask and masked picture beside x, in the order that Stable Diffusion's inpainting models were trained with.

    mask: 1 is made anew, 0 stays. masked: the latent of the picture without what is made anew. Both one for all items,
    or several that repeat along the batch.
    """

    mask: Float[Tensor, "masks 1 h w"]
    masked: Float[Tensor, "pictures c h w"]

    @property
    def beside(self) -> int:
        """The mask's channel and those of a latent."""
        return 1 + self.masked.shape[1]

    def channels(self, call: Call) -> Float[Tensor, "batch c h w"]:
        """(mask, masked latent), cut to the part of the picture that the call is about.

        InvalidInput where the picture has another size than the latent, or where their numbers do not fit.
        """
        window = call.window
        check_whole((window.whole_height, window.whole_width), (self.masked.shape[2], self.masked.shape[3]))
        parts = []
        for each in (self.mask, self.masked):
            check_number(len(each), len(call.x))
            parts.append(window.cut(each).repeat(len(call.x) // len(each), 1, 1, 1))
        return torch.cat(parts, dim=1).to(call.x.device, call.x.dtype)


@node(category="conditioning", spec=specs.condition_inpainting)
def condition_inpainting(
    denoiser: Denoiser, autoencoder: Autoencoder, image: Image, mask: Mask, ctx: Context | None = None
) -> Denoiser:
    """Show an inpainting model the picture and what is to be made anew

    For models that were trained for it, with 9 input channels: they see the mask and the picture without the hidden
    part beside the noisy latent. Start `sample` from an empty latent or from the picture, of the picture's size; its
    own mask is not needed, but with it the rest stays exact. Models for no inpainting take a mask in `sample` alone.

    denoiser: a model for inpainting.
    autoencoder: of the same model.
    image: the picture; what is hidden of it does not count.
    mask: 0.5 and more is made anew, less stays; as large as the picture.
    """
    masks = (len(mask), mask.values.shape[2], mask.values.shape[3])
    check_inpainting(denoiser.lacking, denoiser.space, autoencoder.space, image, masks)
    hidden = (mask.values >= 0.5).float()
    covered = torch.where(hidden == 1.0, GREY, to_rgb(image.pixels))
    parts = []
    for part in torch.split(covered, pictures_at_once(image.width, image.height, len(covered))):
        if ctx is not None:
            ctx.check_cancelled()
        parts.append(autoencoder.encode(part))
    step = denoiser.space.downscale
    return denoiser.patch(InpaintingPatch(mask=hidden[:, :, ::step, ::step].contiguous(), masked=torch.cat(parts)))
