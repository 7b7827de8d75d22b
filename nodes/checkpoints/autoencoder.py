"""The node that loads an autoencoder from a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from nodegraph import Context, PathOf, node

from ..types import Autoencoder
from . import autoencoder_specs
from .autoencoder_specs import autoencoder_file
from .families.ldm_autoencoder_parts import build_ldm_autoencoder
from .family import Device
from .header import read_header
from .ldm_autoencoder import SpaceName, compute_dtype
from .weights import read_weights


@node(category="models", spec=autoencoder_specs.load_autoencoder)
def load_autoencoder(
    checkpoint: Annotated[Path, PathOf("vae")], space: SpaceName = "sd", ctx: Context | None = None
) -> Autoencoder:
    """Load an autoencoder (VAE) of Stable Diffusion from a file of its own

    Files in the original layout and in that of diffusers are recognised by their tensors. What training has left in a
    file (the discriminator, averaged copies) is passed over. The autoencoder of XL computes in bfloat16 where float16
    is asked for, since float16 cannot hold its activations.

    checkpoint: a safetensors file in the vae folder.
    space: the latents it was made for, which the file does not say: sd of Stable Diffusion 1 and 2, sdxl of XL.
    """
    file = autoencoder_file(read_header(checkpoint))
    dtype = compute_dtype(space, ctx.precision if ctx else "float32")
    weights = read_weights(checkpoint, Device(ctx.device if ctx else "cpu", dtype))
    return build_ldm_autoencoder(checkpoint, file, weights, space)
