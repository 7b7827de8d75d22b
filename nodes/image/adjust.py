"""Brightness, contrast, saturation, hue and gamma."""

from __future__ import annotations

from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from nodegraph import Slider, node

from ..types import Image
from . import edit_specs as specs
from .pixels import LUMINANCE


def saturated(rgb: Float[Tensor, "batch 3 height width"], factor: float) -> Float[Tensor, "batch 3 height width"]:
    """Away from the grey of the same luminance by a factor, towards it below 1; clamped to [0, 1]."""
    grey = (rgb * torch.tensor(LUMINANCE)[:, None, None]).sum(dim=1, keepdim=True)
    return (grey + factor * (rgb - grey)).clamp(0.0, 1.0)


def hue_turned(rgb: Float[Tensor, "batch 3 height width"], degrees: float) -> Float[Tensor, "batch 3 height width"]:
    """The hue of HSV (Smith 1978) turned; value and saturation stay. 120 degrees make red green."""
    red, green, blue = rgb.unbind(1)
    value, low = rgb.amax(dim=1), rgb.amin(dim=1)
    chroma = value - low
    safe = torch.where(chroma > 0, chroma, 1.0)
    sector = torch.where(  # the hue in sixths of the circle
        value == red,
        (green - blue) / safe,
        torch.where(value == green, (blue - red) / safe + 2.0, (red - green) / safe + 4.0),
    )
    turned = sector + degrees / 60.0
    parts = []
    for start in (5.0, 3.0, 1.0):  # red, green, blue: where each one's ramp begins
        k = (turned + start).remainder(6.0)
        parts.append(value - chroma * torch.minimum(k, 4.0 - k).clamp(0.0, 1.0))
    return torch.stack(parts, dim=1).clamp(0.0, 1.0)


Factor = Annotated[float, Field(ge=0, le=10), Slider(step=0.05)]


@node(category="image/colour", lane="cpu", spec=specs.adjust_image)
def adjust_image(
    image: Image,
    brightness: Factor = 1.0,
    contrast: Factor = 1.0,
    saturation: Factor = 1.0,
    hue: Annotated[float, Field(ge=-180, le=180), Slider(step=1)] = 0.0,
    gamma: Annotated[float, Field(ge=0.1, le=10), Slider(step=0.05)] = 1.0,
) -> Image:
    """Change brightness, contrast, saturation, hue and gamma

    In this order, each clamped to [0, 1], on gamma-encoded values. Those left at their default change no bit;
    transparency never changes.

    image: what to change; grey pictures have neither saturation nor hue.
    brightness: a factor; 0 is black.
    contrast: a factor on the distance from middle grey (0.5); 0 is all grey.
    saturation: a factor on the distance from the grey of the same luminance; 0 has no colours.
    hue: degrees on the colour circle; 120 makes red green.
    gamma: above 1 makes middle tones lighter: the result is x^(1 / gamma).
    """
    count = min(3, image.channels)
    colours = image.pixels[:, :count]
    if brightness != 1:
        colours = (colours * brightness).clamp(0.0, 1.0)
    if contrast != 1:
        colours = (0.5 + contrast * (colours - 0.5)).clamp(0.0, 1.0)
    if saturation != 1 and count == 3:
        colours = saturated(colours, saturation)
    if hue != 0 and count == 3:
        colours = hue_turned(colours, hue)
    if gamma != 1:
        colours = colours ** (1.0 / gamma)
    return Image(pixels=torch.cat([colours, image.pixels[:, count:]], dim=1))
