"""The nodes that load LoRAs and apply them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import Field

from nodegraph import Context, PathOf, Slider, node

from ..checkpoints.family import Device
from ..checkpoints.weights import read_weights
from ..conditioning.clip import ClipTextEncoder
from ..conditioning.specs import check_clip
from ..types import Denoiser, TextEncoder
from . import specs
from .lora import Lora, LoraPatch, Mode
from .lora_files import ADAPTER_CONFIG, read_lora_file
from .specs import strength_of, text_targets, unet_targets

Strength = Annotated[float, Field(ge=-10, le=10), Slider(step=0.05)]


@node(category="adapters", spec=specs.load_lora)
def load_lora(lora: Annotated[Path, PathOf("lora")], ctx: Context | None = None) -> Lora:
    """Load a LoRA

    LoRA and LoCon in the layouts of kohya, diffusers, PEFT and cloneofsimo are recognised by their tensors. Hu et al.
    2021; Yeh et al. 2023.

    lora: a safetensors file in the lora folder, or a folder there with PEFT's adapter_config.json.
    """
    file = read_lora_file(lora)
    if ctx is not None:
        counts = ", ".join(f"{len(layers)} layers of the {part}" for part, layers in file.parts.items())
        ctx.log(f"{lora.name}: {file.layout} layout, {counts}{f', for {file.made_for}' if file.made_for else ''}")
        if file.alpha_is_guessed:
            ctx.log(f"{lora.name}: no alpha is told, it is taken to be the rank; PEFT has it in {ADAPTER_CONFIG}")
    return Lora(file=file, tensors=dict(read_weights(file.header.path, Device("cpu", "float32"))))


@node(category="adapters", spec=specs.apply_lora)
def apply_lora(
    denoiser: Denoiser,
    lora: Lora,
    strength: Strength = 1.0,
    mode: Mode = "merge",
    parts: Annotated[list[float], Field(max_length=3)] = [],  # noqa: B006 - the declaration is read, never changed
) -> Denoiser:
    """Change a model by a LoRA

    W + strength alpha / rank up down for every layer that the LoRA holds. Several are applied one after the other, in
    any order. The model itself is left as it is.

    denoiser: a model with a UNet of Stable Diffusion, of the version that the LoRA was made for.
    lora: from load_lora.
    strength: 0 leaves the model as it is, 1 is the full change, negative values turn it round.
    mode: merge adds the change to copies of the weights once; runtime computes it beside them in every step, which is
        slower, needs less memory, and keeps small changes that weights in bfloat16 would lose.
    parts: how strongly in encoder, middle and decoder, such as 1, 1, 0.5; empty is 1 in all of them.
    """
    found = unet_targets(lora.file, getattr(denoiser.network, "config", None), strength, parts)
    if not found:
        return denoiser
    where = strength_of(strength, parts)
    layers = {name: lora.low_rank(layer, where(name)) for name, layer in found.items()}
    return denoiser.patch(LoraPatch(layers=layers, mode=mode))


@node(category="adapters", spec=specs.apply_lora_text)
def apply_lora_text(
    text_encoder: TextEncoder, lora: Lora, strength: Strength = 1.0, mode: Mode = "merge"
) -> TextEncoder:
    """Change a text encoder by a LoRA

    What the file holds for the text encoders; many hold nothing for them, and then nothing changes.

    text_encoder: of the version of Stable Diffusion that the LoRA was made for.
    lora: from load_lora.
    strength: 0 leaves the encoder as it is, 1 is the full change.
    mode: as in apply_lora.
    """
    encoder = check_clip(text_encoder, ClipTextEncoder, "text_encoder")
    found = text_targets(lora.file, [tower.network.config for tower in encoder.towers], strength)
    towers = []
    for index, tower in enumerate(encoder.towers):
        layers = {name: lora.low_rank(layer, strength) for name, layer in found[index].items()}
        patch = LoraPatch(layers=layers, mode=mode)
        towers.append(replace(tower, patches=(*tower.patches, patch)) if layers else tower)
    return replace(encoder, towers=tuple(towers)) if any(found) else encoder
