"""Pictures and masks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL.Image import Image as Picture

from nodegraph.ports.glimpse import Glimpse

from .tensors import histogram, numbers_of, to_picture
from .words import KINDS, counted

if TYPE_CHECKING:
    from ..types import Image, Mask


@dataclass(frozen=True, slots=True)
class ImageShown:
    """How a batch of pictures looks."""

    value: Image

    def glimpse(self) -> Glimpse:
        """Size, colours, and where the values lie."""
        image, kind = self.value, KINDS[self.value.channels]
        return Glimpse(
            type="Image",
            text=f"{counted(len(image), 'picture')} of {image.width} x {image.height} pixels, {kind}",
            pictures=len(image),
            numbers={
                "pictures": len(image),
                "width": image.width,
                "height": image.height,
                "channels": kind,
                **numbers_of(image.pixels),
            },
            charts=[histogram("Brightness", image.pixels[:, :3].mean(dim=1), 0.0, 1.0)],
        )

    def picture(self, item: int) -> Picture:
        """One of them."""
        return to_picture(self.value.pixels[item])


@dataclass(frozen=True, slots=True)
class MaskShown:
    """How a batch of masks looks."""

    value: Mask

    def glimpse(self) -> Glimpse:
        """Size, and how much is to be made anew."""
        mask = self.value
        covered = float(mask.values.mean())
        return Glimpse(
            type="Mask",
            text=f"{counted(len(mask), 'mask')} of {mask.width} x {mask.height} pixels, {covered:.1%} made anew",
            pictures=len(mask),
            numbers={
                "masks": len(mask),
                "width": mask.width,
                "height": mask.height,
                "covered": covered,
                **numbers_of(mask.values),
            },
            charts=[histogram("Values", mask.values, 0.0, 1.0)],
        )

    def picture(self, item: int) -> Picture:
        """One of them; white is made anew."""
        return to_picture(self.value.values[item])
