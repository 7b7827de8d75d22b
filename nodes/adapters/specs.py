"""What adapters will give, and the checks that their nodes share with their specs. Imports no torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

from nodegraph import InvalidInput
from nodegraph.spec import ModelFacts, Predicted, Spec, Unknown

from ..checkpoints.specs import loading
from ..conditioning.specs import check_clip
from ..models.clip_text_shapes import clip_text_shapes
from ..models.configs import ClipTextConfig, UNetConfig
from ..models.costs import Pass
from ..models.unet_shapes import unet_shapes
from ..specs.clip import ClipTextEncoderSpec
from ..specs.models import DenoiserSpec, TextEncoderSpec
from .lora_files import TEXT, TEXT_2, UNET, Layer, LoraFile, read_lora_file, targets
from .lora_names import text_layers, unet_layers


@dataclass(frozen=True, kw_only=True)
class LoraSpec(Spec):
    """A LoRA that is not loaded."""

    wire: ClassVar[str] = "nodes.Lora"

    file: LoraFile

    @classmethod
    def of(cls, value: Any) -> Self:
        """From the file that it holds."""
        return cls(file=value.file)

    @property
    def own(self) -> int:
        """Its factors."""
        return self.file.header.bytes()

    def __str__(self) -> str:
        counts = [f"{len(layers)} of the {part.replace('_', ' ')}" for part, layers in self.file.parts.items()]
        made_for = f", made for {self.file.made_for}" if self.file.made_for else ""
        return f"LoRA ({self.file.layout}) for layers: {', '.join(counts)}{made_for}"


def load_lora(lora: Path) -> Predicted:
    """The factors that the file holds."""
    file = read_lora_file(lora)
    header = file.header
    about = ModelFacts(
        input="lora",
        family=f"LoRA ({file.layout}){f' for {file.made_for}' if file.made_for else ''}",
        precision=header.precision(),
        parameters=header.parameters(),
        bytes=header.bytes(),
    )
    return Predicted({"lora": LoraSpec(file=file)}, loading(header), (about,))


@dataclass(frozen=True)
class MergedPass:
    """A model's pass with the weights that are made when it is first used. weights: numbers in each, by name."""

    base: Callable[..., Pass]
    weights: Mapping[str, int]

    def __call__(self, *sizes: int) -> Pass:
        """sizes: as the model's own pass takes them."""
        found = self.base(*sizes)
        return replace(found, elements=found.elements + sum(self.weights.values()))

    @classmethod
    def over(cls, cost: Callable[..., Pass], weights: Mapping[str, int]) -> MergedPass:
        """Each weight is made once, however many LoRAs change it."""
        if isinstance(cost, MergedPass):
            return cls(cost.base, {**cost.weights, **weights})
        return cls(cost, weights)


def apply_lora(
    denoiser: DenoiserSpec, lora: LoraSpec, strength: float, mode: str | Unknown, parts: list[float]
) -> Predicted:
    """The same model; weights are merged when it is first used, which its pass counts."""
    found = unet_targets(lora.file, denoiser.config, strength, parts)
    if not found:
        return Predicted({"denoiser": denoiser})
    shapes = unet_shapes(check_unet(denoiser.config))
    weights = {} if mode == "runtime" else {name: math.prod(shapes[name]) for name in found}
    cost = MergedPass.over(denoiser.cost, weights)
    return Predicted({"denoiser": replace(denoiser, shares=denoiser, keeps=(lora,), cost=cost)})


def apply_lora_text(text_encoder: TextEncoderSpec, lora: LoraSpec, strength: float, mode: str | Unknown) -> Predicted:
    """The same encoder; weights are merged when it is first used, which its pass counts."""
    encoder = check_clip(text_encoder, ClipTextEncoderSpec, "text_encoder")
    found = text_targets(lora.file, [tower.config for tower in encoder.towers], strength)
    if not any(found):
        return Predicted({"text_encoder": text_encoder})
    shapes = [clip_text_shapes(tower.config) for tower in encoder.towers]
    every = enumerate(zip(shapes, found, strict=True))
    weights = {f"{index}.{name}": math.prod(of[name]) for index, (of, names) in every for name in names}
    cost = MergedPass.over(encoder.cost, {} if mode == "runtime" else weights)
    return Predicted({"text_encoder": replace(encoder, shares=encoder.shares or encoder, cost=cost)})


def unet_targets(file: LoraFile, config: object, strength: float, parts: list[float]) -> dict[str, Layer]:
    """The weights of a UNet that a LoRA changes; InvalidInput where it is for another model.

    parts: how strongly in encoder, middle and decoder, beside the strength of the whole.
    """
    unet = check_unet(config)
    check_parts(parts)
    shapes = unet_shapes(unet)
    where = strength_of(strength, parts)
    return targets(file, UNET, shapes, unet_layers(unet, shapes), where)


def strength_of(strength: float, parts: list[float]) -> Callable[[str], float]:
    """The strength for a weight of a UNet, by its name; the embeddings of time and sizes count as the encoder."""
    encoder, middle, decoder = parts or (1.0, 1.0, 1.0)

    def found(weight: str) -> float:
        part = {"middle_block": middle, "output_blocks": decoder, "out": decoder}
        return strength * part.get(weight.partition(".")[0], encoder)

    return found


def check_parts(parts: list[float]) -> None:
    """InvalidInput where there are not three, or none."""
    if len(parts) not in (0, 3):
        raise InvalidInput(
            "parts", parts, f"it has {len(parts)} numbers", "give three: for encoder, middle and decoder"
        )


def text_targets(file: LoraFile, configs: list[ClipTextConfig], strength: float) -> list[dict[str, Layer]]:
    """For each of the towers of a text encoder, the weights that a LoRA changes."""
    found = []
    for part, config in zip((TEXT, TEXT_2), configs, strict=False):
        shapes = clip_text_shapes(config)
        found.append(targets(file, part, shapes, text_layers(shapes), lambda _: strength))
    if TEXT_2 in file.parts and len(configs) < 2:
        raise InvalidInput(
            "lora",
            file.header.path.name,
            "it changes a second text encoder, this model has one",
            "use it with Stable Diffusion XL",
        )
    return found


def freeu(denoiser: DenoiserSpec, b1: float, b2: float, s1: float, s2: float, version: str, stages: str) -> Predicted:
    """The same weights."""
    check_unet(denoiser.config)
    if b1 == b2 == s1 == s2 == 1.0:
        return Predicted({"denoiser": denoiser})
    return Predicted({"denoiser": replace(denoiser, shares=denoiser)})


def check_unet(config: object) -> UNetConfig:
    """The shape of a denoiser's UNet; InvalidInput where it has none."""
    if not isinstance(config, UNetConfig):
        raise InvalidInput(
            "denoiser", type(config).__name__, "it has no UNet of Stable Diffusion", "use a model of that family"
        )
    return config
