"""Pictures to latents and back tile by tile, so that memory is bounded by the tile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from nodegraph import Context, node

from . import tiled_specs
from .image.pixels import to_rgb
from .latent_specs import check_picture, check_same_space, pictures_at_once
from .tiled_specs import latent_tiles
from .tiles import Axis
from .types import Autoencoder, Image, Latent

TileSide = Annotated[int, Field(ge=64, le=8_192)]
Overlap = Annotated[int, Field(ge=0, le=4_096)]


def blended(
    x: Float[Tensor, "batch c h w"],
    rows: tuple[Axis, Axis],
    columns: tuple[Axis, Axis],
    function: Callable[[Tensor], Tensor],
    at_once: int,
    ctx: Context | None = None,
) -> Float[Tensor, "batch c2 h2 w2"]:
    """`function` of every tile of `x` (batch, c, h, w), mixed along linear ramps where tiles overlap.

    rows, columns: the tiles of `x` and of the result. function: keeps the batch, gives a tile of the result. at_once:
    items that go through it together. One tile gives what `function` gives, bit for bit. Reports a step for each call.
    """
    parts = range(0, len(x), at_once)
    total = len(rows[0].starts) * len(columns[0].starts) * len(parts)
    down, across = (torch.tensor(axis.weights()) for axis in (rows[1], columns[1]))
    out: Tensor | None = None
    done = 0
    for i, (top, out_top) in enumerate(zip(rows[0].starts, rows[1].starts, strict=True)):
        for j, (left, out_left) in enumerate(zip(columns[0].starts, columns[1].starts, strict=True)):
            for first in parts:
                if ctx is not None:
                    ctx.progress(done, total)
                item = slice(first, first + at_once)
                tile = function(x[item, :, top : top + rows[0].tile, left : left + columns[0].tile])
                if out is None:
                    out = torch.zeros(len(x), tile.shape[1], rows[1].side, columns[1].side)
                weights = down[i][:, None] * across[j][None]
                place = out[item, :, out_top : out_top + rows[1].tile, out_left : out_left + columns[1].tile]
                place.add_(tile * weights) if total > len(parts) else place.copy_(tile)
                done += 1
    if ctx is not None:
        ctx.progress(total, total)
    assert out is not None
    return out


@node(category="latent", spec=tiled_specs.decode_latent_tiled)
def decode_latent_tiled(
    autoencoder: Autoencoder,
    latent: Latent,
    tile: TileSide = 512,
    overlap: Overlap = 64,
    ctx: Context | None = None,
) -> Image:
    """Turn latents into pictures, tile by tile

    Needs no more memory than a picture of the tile's size, whatever the size of the picture. Tiles are mixed along
    linear ramps. Normalisation sees one tile at a time, so tones may differ slightly between tiles and from what
    decode_latent gives; larger tiles differ less. A picture that is one tile is the same, bit for bit.

    autoencoder: of the model that made the latents.
    latent: must live in the autoencoder's latent space.
    tile: pixels on a side of a tile; a multiple of the autoencoder's step, such as 8.
    overlap: pixels that neighbours share at least; a multiple of the step, at most half a tile.
    """
    check_same_space(latent.space, autoencoder.space)
    step = latent.space.downscale
    rows, columns = (latent_tiles(autoencoder.space, side, tile, overlap) for side in latent.samples.shape[2:])
    at_once = pictures_at_once(columns.tile * step, rows.tile * step, len(latent))
    pixels = blended(
        latent.samples, (rows, rows.times(step)), (columns, columns.times(step)), autoencoder.decode, at_once, ctx
    )
    return Image(pixels=pixels.clamp_(0.0, 1.0))


@node(category="latent", spec=tiled_specs.encode_image_tiled)
def encode_image_tiled(
    autoencoder: Autoencoder,
    image: Image,
    tile: TileSide = 512,
    overlap: Overlap = 64,
    ctx: Context | None = None,
) -> Latent:
    """Turn pictures into latents, tile by tile

    Needs no more memory than a picture of the tile's size. Tiles are mixed along linear ramps; the latents differ
    slightly from those of encode_image, since normalisation sees one tile at a time. Grey pictures become RGB;
    transparent ones are laid on white.

    autoencoder: of the model that is to use the latents.
    image: sides must be multiples of what the autoencoder divides them by; resize_image helps.
    tile: pixels on a side of a tile; a multiple of the autoencoder's step, such as 8.
    overlap: pixels that neighbours share at least; a multiple of the step, at most half a tile.
    """
    check_picture(autoencoder.space, image)
    step = autoencoder.space.downscale
    rows, columns = (latent_tiles(autoencoder.space, s // step, tile, overlap) for s in (image.height, image.width))
    at_once = pictures_at_once(columns.tile * step, rows.tile * step, len(image))
    samples = blended(
        to_rgb(image.pixels), (rows.times(step), rows), (columns.times(step), columns), autoencoder.encode, at_once, ctx
    )
    return Latent(samples=samples, space=autoencoder.space)
