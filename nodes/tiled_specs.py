"""What encoding and decoding in tiles will give and cost, and the checks shared with the nodes. Imports no torch."""

from __future__ import annotations

from nodegraph import InvalidInput
from nodegraph.spec import Cost, Predicted

from .latent_specs import check_picture, check_same_space, pictures_at_once
from .specs.image import FLOAT32, ImageSpec
from .specs.latent import LatentSpec, Space
from .specs.models import AutoencoderSpec
from .tiles import Axis


def latent_tiles(space: Space, side: int, tile: int, overlap: int) -> Axis:
    """Tiles along a side of a latent; InvalidInput where tile and overlap do not fit the space.

    side: in latent pixels. tile, overlap: in pixels.
    """
    step = space.downscale
    for name, value in (("tile", tile), ("overlap", overlap)):
        if value % step:
            raise InvalidInput(
                name, value, f"{space.name!r} takes multiples of {step} pixels", f"use {_near(value, step)}"
            )
    if 2 * overlap > tile:
        raise InvalidInput(
            "overlap",
            overlap,
            f"it is more than half a tile of {tile} pixels",
            f"use {tile // 2 // step * step} or less",
        )
    return Axis.cover(side, tile // step, overlap // step)


def _near(value: int, step: int) -> str:
    low = value // step * step
    return f"{low} or {low + step}" if low else str(step)


def decode_latent_tiled(autoencoder: AutoencoderSpec, latent: LatentSpec, tile: int, overlap: int) -> Predicted:
    """The network sees one tile of some latents at once; the picture that grows lies beside."""
    check_same_space(latent.space, autoencoder.space)
    step = latent.space.downscale
    image = ImageSpec(batch=latent.batch, channels=3, height=latent.height * step, width=latent.width * step)
    rows, columns = (latent_tiles(latent.space, side, tile, overlap) for side in (latent.height, latent.width))
    part = pictures_at_once(columns.tile * step, rows.tile * step, latent.batch)
    one = autoencoder.decode(part, rows.tile, columns.tile)
    pixels = 3 * part * rows.tile * columns.tile * step**2
    # the network at work; then a tile as it was, and weighted
    working = max(autoencoder.item * one.elements, 3 * FLOAT32 * pixels)
    return Predicted({"image": image}, Cost(working=working, work=one.work * _calls(rows, columns, latent.batch, part)))


def encode_image_tiled(autoencoder: AutoencoderSpec, image: ImageSpec, tile: int, overlap: int) -> Predicted:
    """The network sees one tile of some pictures at once, in its own range."""
    space = autoencoder.space
    check_picture(space, image)
    step = space.downscale
    height, width = image.height // step, image.width // step
    latent = LatentSpec(batch=image.batch, channels=space.channels, height=height, width=width, space=space)
    rows, columns = (latent_tiles(space, side, tile, overlap) for side in (height, width))
    part = pictures_at_once(columns.tile * step, rows.tile * step, image.batch)
    one = autoencoder.encode(part, rows.tile * step, columns.tile * step)
    on_white = FLOAT32 * 3 * image.batch * image.height * image.width if image.channels == 4 else 0
    pixels = 3 * part * rows.tile * columns.tile * step**2
    working = on_white + 2 * FLOAT32 * pixels + autoencoder.item * one.elements
    return Predicted(
        {"latent": latent}, Cost(working=working, work=one.work * _calls(rows, columns, image.batch, part))
    )


def _calls(rows: Axis, columns: Axis, batch: int, part: int) -> float:
    """How often the network runs; the last call of a batch may be for fewer items."""
    return len(rows.starts) * len(columns.starts) * batch / part
