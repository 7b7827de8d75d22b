"""What a Stable Diffusion UNet, or a ControlNet for one, is told beside the latent. Podell et al. 2023, section 2.2."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..models.configs import UNetConfig
from ..models.layers import timestep_embedding
from ..models.taps import Taps
from ..types import Encoding

SIZE_WIDTH = 256
"""Numbers in the embedding of one size."""

DOWNSCALE = 8
"""Pixels per latent pixel, of all models with such a UNet."""

AESTHETIC = 6.0
"""The score that SDXL's refiner is told where nothing else is said; its negative prompt's is 2.5."""


def told(
    config: UNetConfig, encoding: Encoding, x: Float[Tensor, "batch c h w"]
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Context, mask and vector, on the device and in the dtype of x.

    The mask is None where all tokens count; the vector where the model takes none.
    """
    context = encoding.tokens.to(x.device, x.dtype)
    mask = None if bool(encoding.mask.all()) else encoding.mask.to(x.device)
    vector = size_vector(config, encoding, x).to(x.device, x.dtype) if config.vector_width else None
    return context, mask, vector


def size_vector(config: UNetConfig, encoding: Encoding, x: Tensor) -> Float[Tensor, "batch v"]:
    """The pooled text followed by the embedded sizes: six for SDXL, five for its refiner, whose last is a score.

    Raises ValueError where the encoding does not come from the text encoder of such a model.
    """
    pooled = encoding.pooled
    count, rest = divmod(config.vector_width - (0 if pooled is None else pooled.shape[1]), SIZE_WIDTH)
    if pooled is None or rest or count not in (5, 6):
        width = 0 if pooled is None else pooled.shape[1]
        raise ValueError(
            f"this model takes a vector of {config.vector_width} numbers, the conditioning has a pooled text of "
            f"{width}; encode the prompt with the text encoder of the same model"
        )
    sizes = default_sizes(count, x) if encoding.sizes is None else _fitting(encoding.sizes, count)
    embedded = timestep_embedding(sizes.flatten(), SIZE_WIDTH).reshape(len(sizes), -1)
    return torch.cat([pooled, embedded.expand(len(pooled), -1).to(pooled.device)], dim=1)


def default_sizes(count: int, x: Tensor) -> Float[Tensor, "1 numbers"]:
    """The picture is as large as the latent says and was neither scaled nor cut."""
    height, width = (float(side * DOWNSCALE) for side in x.shape[2:])
    last = [AESTHETIC] if count == 5 else [height, width]
    return torch.tensor([[height, width, 0.0, 0.0, *last]])


def _fitting(sizes: Float[Tensor, "batch n"], count: int) -> Tensor:
    """A refiner is told a score in place of the size that the picture should have."""
    if sizes.shape[1] == count:
        return sizes
    if sizes.shape[1] == 6 and count == 5:
        return torch.cat([sizes[:, :4], torch.full_like(sizes[:, :1], AESTHETIC)], dim=1)
    return torch.cat([sizes[:, :4], sizes[:, :2]], dim=1)


def predict_unet(network: nn.Module, x: Tensor, time: Tensor, encoding: Encoding, taps: Taps | None = None) -> Tensor:
    """The call of a `UNet`."""
    config: UNetConfig = network.config  # type: ignore[assignment]  # of a module's attributes nothing is known
    context, mask, vector = told(config, encoding, x)
    prediction: Tensor = network(x, time, context, vector=vector, mask=mask, taps=taps)
    return prediction
