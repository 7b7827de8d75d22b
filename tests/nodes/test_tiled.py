"""Encoding and decoding in tiles: the tiles, their weights, and how near the result is to that without tiles."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from nodegraph import Cancelled, InvalidInput
from nodegraph.execution.cancel import CancelToken
from nodegraph.testing import local_context
from nodes.checkpoints.autoencoder import load_autoencoder
from nodes.checkpoints.load import LoadedCheckpoint
from nodes.latents import decode_latent, empty_latent, encode_image
from nodes.tiled import blended, decode_latent_tiled, encode_image_tiled
from nodes.tiles import Axis
from nodes.types import Autoencoder, Image, Latent, LatentSpace

from .ldm_autoencoders import write_autoencoder


@dataclass(frozen=True, kw_only=True, eq=False)
class Local(Autoencoder):
    """No normalisation: a decoder that sees one neighbour, and an encoder that averages. Notes what it was given."""

    sizes: list[tuple[int, ...]] = field(default_factory=list)

    def encode(self, pixels: Tensor) -> Tensor:
        self.sizes.append(tuple(pixels.shape))
        return self.space.normalise(F.avg_pool2d(pixels, 4))

    def decode(self, samples: Tensor) -> Tensor:
        self.sizes.append(tuple(samples.shape))
        smooth = F.avg_pool2d(F.pad(self.space.denormalise(samples), (1, 1, 1, 1), mode="replicate"), 3, stride=1)
        return F.interpolate(smooth, scale_factor=4.0, mode="nearest").clamp(0, 1)


SPACE = LatentSpace(name="local", channels=3, downscale=4, scale=(2.0, 2.0, 2.0), shift=(0.1, 0.0, 0.0))


@pytest.fixture
def local() -> Local:
    return Local(space=SPACE)


sizes = st.tuples(st.integers(1, 60), st.integers(1, 20)).flatmap(
    lambda pair: st.tuples(st.just(pair[0]), st.just(pair[1]), st.integers(0, pair[1] // 2))
)


@given(size=sizes, factor=st.integers(1, 3))
def test_tiles_cover_and_their_weights_add_up_to_one(size: tuple[int, int, int], factor: int) -> None:
    side, tile, overlap = size
    axis = Axis.cover(side, tile, overlap).times(factor)
    assert axis.side == side * factor
    assert axis.tile == min(side, tile) * factor
    steps = [b - a for a, b in zip(axis.starts, axis.starts[1:], strict=False)]
    assert all(0 < step <= axis.tile - axis.overlap for step in steps)
    sums = [0.0] * axis.side
    for start, weights in zip(axis.starts, axis.weights(), strict=True):
        assert len(weights) == axis.tile
        assert all(0.0 < weight <= 1.0 for weight in weights)
        for k, weight in enumerate(weights):
            sums[start + k] += weight
    assert sums == pytest.approx([1.0] * axis.side)


def test_there_are_as_few_tiles_as_can_be() -> None:
    assert Axis.cover(64, 64, 8).starts == (0,)
    assert Axis.cover(120, 64, 8).starts == (0, 56)
    assert len(Axis.cover(121, 64, 8).starts) == 3


def test_ramps_are_linear() -> None:
    first, second = Axis.cover(12, 8, 4).weights()
    assert first == pytest.approx([1, 1, 1, 1, 0.875, 0.625, 0.375, 0.125])
    assert second == pytest.approx(first[::-1])


@given(
    height=st.integers(1, 50), width=st.integers(1, 50), tile=st.integers(16, 24), overlap=st.integers(2, 8), batch=st.integers(1, 2)
)  # fmt: skip
def test_where_nothing_looks_further_than_the_overlap_tiles_do_not_show(
    height: int, width: int, tile: int, overlap: int, batch: int
) -> None:
    local = Local(space=SPACE)
    draw = torch.Generator().manual_seed(height)
    image = Image(pixels=torch.rand(batch, 3, 4 * height, 4 * width, generator=draw))
    # an average of one latent pixel sees nothing beside it
    latent = encode_image(local, image)
    torch.testing.assert_close(
        encode_image_tiled(local, image, 4 * tile, 4 * overlap).samples, latent.samples, atol=1e-5, rtol=0.0
    )
    # a decoder that sees its neighbour errs on the outermost row of a tile only, which counts little
    tiled = decode_latent_tiled(local, latent, 4 * tile, 4 * overlap).pixels
    difference = (tiled - decode_latent(local, latent).pixels).abs()
    assert float(difference.max()) <= 0.5 / overlap
    assert float((difference > 1e-6).float().mean()) < 0.5


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_parts_of_a_batch_are_the_whole_batch(local: Local, tmp_path: Path, at_once: int) -> None:
    ctx = local_context(tmp_path)
    x = torch.rand(3, 3, 20, 9)
    rows, columns = Axis.cover(20, 8, 2), Axis.cover(9, 8, 2)
    out = blended(x, (rows, rows), (columns, columns), lambda tile: 2.0 * tile, at_once, ctx)
    torch.testing.assert_close(out, 2.0 * x)
    assert ctx.reported[-1].total == len(rows.starts) * len(columns.starts) * -(-3 // at_once)


def test_one_tile_is_bit_exact(tmp_path: Path) -> None:
    autoencoder = load_autoencoder(write_autoencoder(tmp_path / "a.safetensors"))
    image = Image(pixels=torch.rand(2, 3, 64, 48))
    latent = encode_image(autoencoder, image)
    assert torch.equal(encode_image_tiled(autoencoder, image, 64, 0).samples, latent.samples)
    assert torch.equal(
        decode_latent_tiled(autoencoder, latent, 64, 32).pixels, decode_latent(autoencoder, latent).pixels
    )


def test_overlapping_tiles_are_near_to_the_whole(tmp_path: Path) -> None:
    """Of noise, statistics of a tile are those of the whole, so that only borders differ."""
    autoencoder = load_autoencoder(write_autoencoder(tmp_path / "a.safetensors"))
    draw = torch.Generator().manual_seed(0)
    latent = Latent(samples=0.2 * torch.randn(1, 4, 96, 96, generator=draw), space=autoencoder.space)
    whole = decode_latent(autoencoder, latent).pixels
    tiled = decode_latent_tiled(autoencoder, latent, 128, 64).pixels
    assert float((whole - whole.mean()).abs().mean()) > 0.02  # there is something to get wrong
    assert float((tiled - whole).abs().mean()) <= 2e-2


def test_statistics_of_a_tile_show_where_the_picture_is_not_alike(tmp_path: Path) -> None:
    """The known limit of tiles: normalisation sees one at a time."""
    autoencoder = load_autoencoder(write_autoencoder(tmp_path / "a.safetensors"))
    samples = torch.cat([torch.zeros(1, 4, 32, 32), 3.0 * torch.ones(1, 4, 32, 32)], dim=3)
    latent = Latent(samples=samples, space=autoencoder.space)
    difference = (
        decode_latent_tiled(autoencoder, latent, 64, 0).pixels - decode_latent(autoencoder, latent).pixels
    ).abs()
    assert float(difference.mean()) > 1e-3


def test_the_network_sees_tiles_only(local: Local) -> None:
    latent = Latent(samples=torch.zeros(1, 3, 100, 70), space=SPACE)
    decode_latent_tiled(local, latent, 64, 16)
    assert set(local.sizes) == {(1, 3, 16, 16)}
    assert len(local.sizes) == 8 * 6
    encode_image_tiled(local, Image(pixels=torch.zeros(1, 3, 400, 32)), 64, 16)
    assert local.sizes[-1] == (1, 3, 64, 32)


def test_memory_is_bounded_by_the_tile() -> None:
    from nodes.checkpoints.autoencoder_specs import autoencoder_spec
    from nodes.checkpoints.ldm_autoencoder import AutoencoderFile
    from nodes.latent_specs import decode_latent as whole
    from nodes.models.configs import LdmAutoencoderConfig
    from nodes.specs.image import ImageSpec
    from nodes.specs.latent import LatentSpec
    from nodes.tiled_specs import decode_latent_tiled as decode
    from nodes.tiled_specs import encode_image_tiled as encode

    autoencoder = autoencoder_spec(AutoencoderFile(config=LdmAutoencoderConfig(), sources={}), "sd", "float32")

    def latent(side: int) -> LatentSpec:
        return LatentSpec(batch=1, channels=4, height=side // 8, width=side // 8, space=autoencoder.space)

    def image(side: int) -> ImageSpec:
        return ImageSpec(batch=1, channels=3, height=side, width=side)

    bound = whole(autoencoder, latent(512)).cost.working
    for side in (512, 1024, 8192):
        assert decode(autoencoder, latent(side), 512, 64).cost.working <= bound
        assert encode(autoencoder, image(side), 512, 64).cost.working <= bound
    assert whole(autoencoder, latent(1024)).cost.working > 3 * bound
    one, four = (decode(autoencoder, latent(side), 512, 0).cost.work for side in (512, 1024))
    assert four == 4 * one


def test_progress_and_cancelling(local: Local, tmp_path: Path) -> None:
    ctx = local_context(tmp_path)
    latent = Latent(samples=torch.zeros(1, 3, 32, 16), space=SPACE)
    decode_latent_tiled(local, latent, 64, 0, ctx)
    assert [(each.done, each.total) for each in ctx.reported] == [(0, 2), (1, 2), (2, 2)]
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        decode_latent_tiled(local, latent, 64, 0, local_context(tmp_path, cancel=token))


@pytest.mark.parametrize(
    ("tile", "overlap", "message"),
    [(66, 0, "tile.*multiples of 4 pixels.*64 or 68"), (64, 6, "overlap.*4 or 8"), (64, 36, "half a tile.*32 or less")],
)
def test_tiles_that_do_not_fit_are_refused(local: Local, tile: int, overlap: int, message: str) -> None:
    latent = Latent(samples=torch.zeros(1, 3, 32, 16), space=SPACE)
    with pytest.raises(InvalidInput, match=message):
        decode_latent_tiled(local, latent, tile, overlap)
    with pytest.raises(InvalidInput, match=message):
        encode_image_tiled(local, Image(pixels=torch.zeros(1, 3, 64, 64)), tile, overlap)


def test_a_latent_of_another_space_is_refused(local: Local, model: LoadedCheckpoint) -> None:
    other = replace(SPACE, name="other")
    with pytest.raises(InvalidInput, match="'other'"):
        decode_latent_tiled(local, Latent(samples=torch.zeros(1, 3, 8, 8), space=other))
    with pytest.raises(InvalidInput, match="no multiple of 4"):
        encode_image_tiled(local, Image(pixels=torch.zeros(1, 3, 8, 10)))
    tiled = decode_latent_tiled(model.autoencoder, empty_latent(model.autoencoder, 128, 64), 64, 16)
    assert tiled.pixels.shape == (1, 3, 64, 128)
