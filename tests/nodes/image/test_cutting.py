"""Pictures cut, padded, fitted and turned."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageOps

from nodegraph import InvalidInput
from nodes.image.crop import crop_image, fit_image, pad_image
from nodes.image.pixels import raw_bytes
from nodes.image.turn import flip_image, rotate_image
from nodes.types import Image

from .pictures import close, images, noise

borders = st.tuples(*[st.integers(0, 30)] * 4)


def test_a_crop_is_the_part_of_the_picture() -> None:
    image = noise(2, 3, 5, 7)
    assert torch.equal(crop_image(image, 2, 1, 4, 3).pixels, image.pixels[:, :, 1:4, 2:6])
    assert torch.equal(crop_image(image, 0, 0, 7, 5).pixels, image.pixels)


@pytest.mark.parametrize(("inputs", "message"), [
    ((2, 0, 6, 5), "left 2 and width 6 end at 8, beyond the picture of 7 x 5; choose a rectangle within it"),
    ((0, 3, 7, 3), "top 3 and height 3 end at 6, beyond the picture of 7 x 5"),
    ((7, 0, 1, 1), "left 7 and width 1 end at 8"),
])  # fmt: skip
def test_a_crop_beyond_the_picture_is_refused(inputs: tuple[int, int, int, int], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        crop_image(noise(1, 3, 5, 7), *inputs)


@given(images(), borders, st.sampled_from(["edge", "reflect", "colour"]), st.integers(0, 9))
def test_cropping_what_was_padded_gives_the_picture_back(
    image: Image, border: tuple[int, int, int, int], fill: str, feather: int
) -> None:
    found = pad_image(image, *border, fill, "black", feather)  # type: ignore[arg-type]
    left, top, *_ = border
    assert torch.equal(crop_image(found.image, left, top, image.width, image.height).pixels, image.pixels)
    outside = torch.ones(found.mask.height, found.mask.width, dtype=torch.bool)
    outside[top : top + image.height, left : left + image.width] = False
    assert bool((found.mask.values[:, 0, outside] == 1).all())
    assert bool((found.mask.values[:, 0, ~outside] < 1).all())
    if feather == 0 or not any(border):
        assert not found.mask.values[:, 0, ~outside].any()


@given(images(), borders, st.sampled_from(["edge", "reflect"]))
def test_borders_are_those_of_numpy(image: Image, border: tuple[int, int, int, int], fill: str) -> None:
    left, top, right, bottom = border
    around = ((0, 0), (0, 0), (top, bottom), (left, right))
    expected = np.pad(image.pixels.numpy(), around, mode=fill)  # type: ignore[call-overload]
    assert np.array_equal(pad_image(image, *border, fill).image.pixels.numpy(), expected)  # type: ignore[arg-type]


@pytest.mark.parametrize(("channels", "colour", "expected"), [
    (1, "grey", [128 / 255]), (1, "#ff0000", [1, 0, 0]), (3, "#00ff00", [0, 1, 0]),
    (3, "#0000ff33", [0, 0, 1, 0.2]), (4, "white", [1, 1, 1, 1]),
])  # fmt: skip
def test_a_border_in_a_colour_brings_the_channels_it_needs(channels: int, colour: str, expected: list[float]) -> None:
    found = pad_image(noise(2, channels, 3, 3), right=1, fill="colour", colour=colour).image
    assert found.pixels[1, :, 2, 3].tolist() == pytest.approx(expected)


def test_a_feather_falls_smoothly_into_the_old_picture_only_from_new_borders() -> None:
    mask = pad_image(noise(2, 3, 40, 50), left=10, feather=15).mask.values
    row = mask[1, 0, 3]
    assert torch.equal(mask, row.expand_as(mask))
    t = torch.arange(1, 17) / 16
    close(row[10:26], 1 - (3 * t**2 - 2 * t**3), 1e-6)
    assert bool((row[:10] == 1).all())
    assert not row[25:].any()
    assert bool((row.diff() <= 0).all())
    assert float(row.diff().abs().max()) < 0.1


def test_borders_that_are_too_large_and_colours_that_are_none_are_refused() -> None:
    image = noise(1, 3, 2, 4)
    with pytest.raises(InvalidInput, match=r"20000, 0, 20000 and 0 around 4 x 2.*would give 40004 x 2 pixels"):
        pad_image(image, 20_000, 0, 20_000, 0)
    with pytest.raises(InvalidInput, match="it is no colour; write #rrggbb"):
        pad_image(image, 1, colour="rot")


def as_pillow(image: Image) -> Pillow.Image:
    return Pillow.frombytes("F", (image.width, image.height), raw_bytes(image.pixels))


SIZES = [(5, 9, 20, 10), (40, 13, 12, 12), (7, 7, 3, 11), (1, 30, 8, 2), (64, 48, 48, 64)]


@pytest.mark.parametrize("sizes", SIZES)
def test_covering_is_pillows_fit(sizes: tuple[int, int, int, int]) -> None:
    width, height, *goal = sizes
    image = noise(1, 1, height, width)
    expected = ImageOps.fit(as_pillow(image), tuple(goal), Pillow.Resampling.BICUBIC)
    found = fit_image(image, *goal, "cover", "bicubic")
    close(found.image.pixels[0, 0], np.asarray(expected).clip(0, 1))
    assert not found.mask.values.any()


@pytest.mark.parametrize("sizes", [each for each in SIZES if min(each[:2]) > 1])  # Pillow would give 0 columns
def test_containing_is_pillows_pad(sizes: tuple[int, int, int, int]) -> None:
    width, height, *goal = sizes
    image = noise(1, 1, height, width)
    inner = ImageOps.contain(as_pillow(image), tuple(goal), Pillow.Resampling.BOX)
    found = fit_image(image, *goal, "contain", "box")
    shown = found.mask.values[0, 0] == 0
    assert int(shown.sum()) == inner.width * inner.height
    close(found.image.pixels[0, 0][shown].reshape(inner.height, inner.width), np.asarray(inner))
    assert not found.image.pixels[0, 0][~shown].any()
    assert bool((found.mask.values[0, 0][~shown] == 1).all())
    columns = shown.any(0).nonzero().flatten()
    assert abs(int(columns[0]) - (goal[0] - 1 - int(columns[-1]))) <= 1


@given(images(), st.integers(1, 20), st.integers(1, 20), st.sampled_from(["cover", "contain"]))
def test_fitted_pictures_have_the_size_and_stay_in_range(image: Image, width: int, height: int, mode: str) -> None:
    found = fit_image(image, width, height, mode, "lanczos", "#00000000")  # type: ignore[arg-type]
    assert (found.image.width, found.image.height, len(found.image)) == (width, height, len(image))
    assert found.mask.values.shape == (len(image), 1, height, width)


def test_fitting_into_the_same_size_changes_nothing() -> None:
    image = noise(2, 3, 6, 8)
    for mode in ("cover", "contain"):
        assert torch.equal(fit_image(image, 8, 6, mode).image.pixels, image.pixels)  # type: ignore[arg-type]


def test_an_extremely_long_picture_can_be_fitted() -> None:
    image = noise(1, 1, 1, 30_000)
    assert fit_image(image, 512, 512).image.pixels.shape == (1, 1, 512, 512)
    assert float(fit_image(image, 512, 512, "contain").mask.values.mean()) == 511 / 512


# turning

TURNS = {90: Pillow.Transpose.ROTATE_270, 180: Pillow.Transpose.ROTATE_180, 270: Pillow.Transpose.ROTATE_90}
FLIPS = {"horizontal": Pillow.Transpose.FLIP_LEFT_RIGHT, "vertical": Pillow.Transpose.FLIP_TOP_BOTTOM}


@pytest.mark.parametrize("degrees", TURNS)
def test_turning_is_pillows(degrees: int) -> None:
    image = noise(1, 1, 4, 7)
    expected = np.asarray(as_pillow(image).transpose(TURNS[degrees]))
    assert np.array_equal(rotate_image(image, degrees).pixels[0, 0].numpy(), expected)  # type: ignore[arg-type]


@pytest.mark.parametrize("direction", FLIPS)
def test_mirroring_is_pillows(direction: str) -> None:
    image = noise(1, 1, 4, 7)
    expected = np.asarray(as_pillow(image).transpose(FLIPS[direction]))
    assert np.array_equal(flip_image(image, direction).pixels[0, 0].numpy(), expected)  # type: ignore[arg-type]


@given(images())
def test_turns_add_up(image: Image) -> None:
    quarter = rotate_image(image, 90)
    half = rotate_image(quarter, 90)
    assert torch.equal(half.pixels, rotate_image(image, 180).pixels)
    assert torch.equal(half.pixels, flip_image(image, "both").pixels)
    assert torch.equal(rotate_image(quarter, 270).pixels, image.pixels)
    assert torch.equal(rotate_image(image, 0).pixels, image.pixels)
    for direction in ("horizontal", "vertical", "both"):
        twice = flip_image(flip_image(image, direction), direction)  # type: ignore[arg-type]
        assert torch.equal(twice.pixels, image.pixels)
