"""The nodes that load one model of Stable Diffusion from a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from nodegraph import Context, PathOf, node

from ..conditioning.clip import ClipTextEncoder
from ..types import Denoiser, TextEncoder
from . import single
from .families.stable_diffusion_parts import denoiser_handle, read_files, read_tower
from .family import Device
from .single import Kind, check_files, tower_of_file, unet_file


@node(category="models", spec=single.load_denoiser)
def load_denoiser(
    diffusion_model: Annotated[Path, PathOf("diffusion_model")],
    prediction: Literal["eps", "v"] = "eps",
    ctx: Context | None = None,
) -> Denoiser:
    """Load a UNet of Stable Diffusion from a file of its own

    Version and variant are recognised by the tensors, in the original layout or in that of diffusers. Of a whole
    checkpoint only the UNet is read where autoencoder and text encoder are missing.

    diffusion_model: a safetensors file in the diffusion_model folder.
    prediction: what it predicts: eps for most, v for the 768-pixel models of version 2 and some of XL.
    """
    file = unet_file(diffusion_model)
    weights = read_files([file.header], _device(ctx), file.sources)
    return denoiser_handle(diffusion_model, file.config, weights, file.space, prediction)


@node(category="models", spec=single.load_text_encoder)
def load_text_encoder(
    files: Annotated[list[Annotated[Path, PathOf("text_encoder")]], Field(min_length=1, max_length=2)],
    used_as: Kind = "sd1",
    ctx: Context | None = None,
) -> TextEncoder:
    """Load the text encoder of Stable Diffusion from files of its own

    files: safetensors files in the text_encoder folder; for sdxl two, CLIP-L first, then OpenCLIP bigG.
    used_as: the version that is to be told: it decides which layer is taken, and whether the last norm follows.
    """
    check_files(len(files), used_as)
    found = [tower_of_file(path, used_as) for path in files]
    return ClipTextEncoder(towers=tuple(read_tower(tower, [header], _device(ctx)) for header, tower in found))


def _device(ctx: Context | None) -> Device:
    return Device(ctx.device if ctx else "cpu", ctx.precision if ctx else "float32")
