"""The layers of models by the names that LoRA files have for them. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping

from ..checkpoints.unet_names import renamed, unet_modules
from ..models.configs import UNetConfig

Shape = tuple[int, ...]


def unet_layers(config: UNetConfig, shapes: Mapping[str, Shape]) -> dict[str, str]:
    """Our names of a UNet's layers, by those of the original layout and of diffusers, dotted and with underscores.

    shapes: of its weights.
    """
    table = unet_modules(config)
    found: dict[str, str] = {}
    for weight, shape in shapes.items():
        if not weight.endswith(".weight") or len(shape) < 2:
            continue
        name = weight.removesuffix(".weight")
        theirs = (renamed(table, weight) or weight).removesuffix(".weight")
        found[name.replace(".", "_")] = name
        found[theirs.replace(".", "_")] = name
        found[theirs] = name
    return found


def text_layers(shapes: Mapping[str, Shape]) -> dict[str, str]:
    """The same of a CLIP text encoder; transformers leaves out `text_model.` from version 5 on."""
    names = [weight.removesuffix(".weight") for weight, shape in shapes.items() if len(shape) == 2]
    short = {each.removeprefix("text_model.").replace(".", "_"): each for each in names}
    return short | {each.replace(".", "_"): each for each in names}
