"""Handles on models: what they are, how large, and what was changed about them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import nn

from nodegraph.ports.glimpse import Glimpse, Number

from ..parameterisations import name_of
from .words import class_words, counted, in_words, networks_in, parameters, settings_of

if TYPE_CHECKING:
    from ..adapters.controlnet import ControlNet
    from ..adapters.lora import Lora
    from ..types import Autoencoder, Denoiser, Guider, TextEncoder


def sizes_of(networks: list[nn.Module]) -> dict[str, Number]:
    """How many parameters networks have, in which dtype and where."""
    found = {id(each): each for network in networks for each in network.parameters()}.values()
    dtypes = dict.fromkeys(str(each.dtype).removeprefix("torch.") for each in found)
    return {
        "parameters": sum(each.numel() for each in found),
        "bytes": sum(each.numel() * each.element_size() for each in found),
        "dtype": ", ".join(dtypes) or "none",
        "device": ", ".join(dict.fromkeys(str(each.device) for each in found)) or "none",
    }


def _said(name: str, sizes: dict[str, Number]) -> str:
    return f"{name}, {parameters(int(sizes['parameters']))} in {sizes['dtype']} on {sizes['device']}"


@dataclass(frozen=True, slots=True)
class DenoiserShown:
    """What a denoiser is."""

    value: Denoiser

    def glimpse(self) -> Glimpse:
        """Network, training, space, and patches in the order of application."""
        model = self.value
        sizes = sizes_of([model.network])
        patches = [in_words(each) for each in model.patches]
        text = _said(class_words(model.network), sizes)
        return Glimpse(
            type="Denoiser",
            text=f"{text}, changed by {'; '.join(patches)}" if patches else text,
            numbers={
                "network": type(model.network).__name__,
                **sizes,
                "predicts": name_of(model.parameterisation) or class_words(model.parameterisation),
                "noise": class_words(model.schedule),
                "highest level": model.schedule.sigma_max,
                "space": model.space.name,
                "patches": len(patches),
            },
            value=list(patches) or None,
        )


@dataclass(frozen=True, slots=True)
class GuiderShown:
    """What a guider is."""

    value: Guider

    def glimpse(self) -> Glimpse:
        """The method with its settings, and what it asks."""
        guider = self.value
        fields = dataclasses.fields(guider)
        asked = {each.name: type(getattr(guider, each.name)).__name__ for each in fields}
        settings = settings_of(guider)
        return Glimpse(
            type="Guider",
            text=f"{in_words(guider)} in {guider.space.name!r}",
            numbers={
                "method": class_words(guider),
                **settings,
                **{name: kind for name, kind in asked.items() if name not in settings and kind != "NoneType"},
                **sizes_of(networks_in(guider)),
                "items": guider.batch,
                "space": guider.space.name,
            },
        )


@dataclass(frozen=True, slots=True)
class TextEncoderShown:
    """What a text encoder is."""

    value: TextEncoder

    def glimpse(self) -> Glimpse:
        """Its family and size."""
        sizes = sizes_of(networks_in(self.value))
        numbers: dict[str, Number] = {"family": type(self.value).__name__, **sizes}
        return Glimpse(type="TextEncoder", text=_said(class_words(self.value), sizes), numbers=numbers)


@dataclass(frozen=True, slots=True)
class AutoencoderShown:
    """What an autoencoder is."""

    value: Autoencoder

    def glimpse(self) -> Glimpse:
        """Its family, size and space."""
        sizes, space = sizes_of(networks_in(self.value)), self.value.space
        return Glimpse(
            type="Autoencoder",
            text=f"{_said(class_words(self.value), sizes)}, for {space.name!r}",
            numbers={
                "family": type(self.value).__name__,
                **sizes,
                "space": space.name,
                "channels": space.channels,
                "downscale": space.downscale,
            },
        )


@dataclass(frozen=True, slots=True)
class LoraShown:
    """What a LoRA is."""

    value: Lora

    def glimpse(self) -> Glimpse:
        """How many layers it changes, and how much of it there is."""
        tensors = self.value.tensors.values()
        count = sum(each.numel() for each in tensors)
        layers = [each for part in self.value.file.parts.values() for each in part.values()]
        ranks = sorted({each.rank for each in layers})
        told = ", ".join(map(str, ranks))
        return Glimpse(
            type="Lora",
            text=f"low-rank changes of {counted(len(layers), 'layer')}, of rank {told}, {parameters(count)}",
            numbers={"layers": len(layers), "ranks": told, "parameters": count},
        )


@dataclass(frozen=True, slots=True)
class ControlNetShown:
    """What a ControlNet is."""

    value: ControlNet

    def glimpse(self) -> Glimpse:
        """Its size and settings."""
        sizes = sizes_of([self.value.network])
        return Glimpse(type="ControlNet", text=_said("ControlNet", sizes), numbers={**sizes, **settings_of(self.value)})
