"""Masks: made, grown, combined, and used to cut pictures out."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from nodegraph import InvalidInput, Workflow
from nodegraph.testing import check_workflow
from nodes.image.adjust import adjust_image
from nodes.image.composite import composite_images
from nodes.image.pixels import to_rgb, with_channels
from nodes.image.transform import resize_image
from nodes.masks.crop import crop_to_mask
from nodes.masks.grow import blur_mask, grow_mask
from nodes.masks.levels import (
    Operation,
    combine_masks,
    image_to_mask,
    invert_mask,
    mask_to_image,
    resize_mask,
    threshold_mask,
)
from nodes.masks.shapes import ellipse_mask, rectangle_mask
from nodes.types import Image, Mask

from ..image.pictures import close, images, mask_noise, noise


@st.composite
def masks(draw: st.DrawFn, largest: int = 12) -> Mask:
    """Noise, or 0 and 1 alone."""
    sides = st.integers(1, largest)
    mask = mask_noise(draw(st.integers(1, 2)), draw(sides), draw(sides), draw(st.integers(0, 1_000)))
    return mask if draw(st.booleans()) else Mask(values=mask.values.round())


shapes = st.sampled_from(["round", "square"])


# from pictures and back


@given(masks(), st.sampled_from(["luminance", "red", "green", "blue"]))
def test_a_mask_survives_as_a_picture(mask: Mask, channel: str) -> None:
    assert torch.equal(image_to_mask(mask_to_image(mask), channel).values, mask.values)  # type: ignore[arg-type]


def test_channels() -> None:
    image = noise(2, 4, 3, 5)
    for index, channel in enumerate(("red", "green", "blue")):
        assert torch.equal(image_to_mask(image, channel).values, to_rgb(image.pixels)[:, index : index + 1])  # type: ignore[arg-type]
    assert torch.equal(image_to_mask(image, "alpha").values, image.pixels[:, 3:])
    assert torch.equal(image_to_mask(image).values, with_channels(image.pixels, 1))
    assert torch.equal(image_to_mask(image, "alpha", 0.5).values, (image.pixels[:, 3:] >= 0.5).float())
    with pytest.raises(InvalidInput, match="channel = 'alpha': the picture is RGB and has no transparency"):
        image_to_mask(noise(1, 3, 2, 2), "alpha")


# point by point


@given(masks())
def test_inverting_twice_gives_the_mask_back(mask: Mask) -> None:
    twice = invert_mask(invert_mask(mask)).values
    close(twice, mask.values, 1e-7)
    hard = threshold_mask(mask)
    assert torch.equal(invert_mask(invert_mask(hard)).values, hard.values)


def test_thresholds() -> None:
    mask = Mask(values=torch.tensor([0.0, 0.49, 0.5, 1.0]).reshape(1, 1, 1, 4))
    assert threshold_mask(mask).values.flatten().tolist() == [0, 0, 1, 1]
    assert threshold_mask(mask, 0.0).values.flatten().tolist() == [1, 1, 1, 1]
    assert threshold_mask(mask, 1.0).values.flatten().tolist() == [0, 0, 0, 1]


FORMULAS = {
    "union": max, "intersection": min, "difference": lambda a, b: max(a - b, 0), "add": lambda a, b: min(a + b, 1),
    "multiply": lambda a, b: a * b,
}  # fmt: skip


@pytest.mark.parametrize("how", get_args(Operation))
def test_combinations(how: Operation) -> None:
    first, second = mask_noise(1, 3, 4), mask_noise(3, 3, 4, 1)
    found = combine_masks(first, second, how).values
    pairs = zip(first.values.expand(3, -1, -1, -1).flatten().tolist(), second.values.flatten().tolist(), strict=True)
    close(found.flatten(), [FORMULAS[how](a, b) for a, b in pairs], 1e-6)


@given(masks(), st.integers(0, 9))
def test_unions_and_intersections_are_dual(mask: Mask, seed: int) -> None:
    other = mask_noise(1, mask.height, mask.width, seed)
    union = combine_masks(mask, other, "union")
    dual = invert_mask(combine_masks(invert_mask(mask), invert_mask(other), "intersection"))
    close(union.values, dual.values, 1e-6)
    nothing = Mask(values=torch.zeros_like(mask.values))
    for how in ("union", "difference", "add"):
        assert torch.equal(combine_masks(mask, nothing, how).values, mask.values)  # type: ignore[arg-type]
    assert not combine_masks(mask, nothing, "intersection").values.any()


def test_masks_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidInput, match="second = '3 x 2': first has 2 x 3 pixels; use resize_mask before"):
        combine_masks(mask_noise(1, 3, 2), mask_noise(1, 2, 3))
    with pytest.raises(InvalidInput, match="second = '3 items': first has 2"):
        combine_masks(mask_noise(2, 3, 2), mask_noise(3, 3, 2))


@given(masks(), st.integers(1, 20), st.integers(1, 20), st.sampled_from(["nearest", "box", "bilinear", "lanczos"]))
def test_masks_are_resized_like_pictures(mask: Mask, width: int, height: int, method: str) -> None:
    found = resize_mask(mask, width, height, method)  # type: ignore[arg-type]
    assert torch.equal(found.values, resize_image(mask_to_image(mask), width, height, method).pixels)  # type: ignore[arg-type]
    if method in ("nearest", "box", "bilinear"):
        assert float(found.values.max()) <= float(mask.values.max()) + 1e-6
        assert float(found.values.min()) >= float(mask.values.min()) - 1e-6
    if method == "nearest":
        assert set(found.values.unique().tolist()) <= set(mask.values.unique().tolist())


# shapes


def test_a_rectangle_is_its_pixels() -> None:
    mask = rectangle_mask(2, 1, 3, 4, mask_width=8, mask_height=6)
    expected = torch.zeros(6, 8)
    expected[1:5, 2:5] = 1
    assert torch.equal(mask.values[0, 0], expected)
    assert torch.equal(rectangle_mask(-2, 4, 5, 100, image=noise(3, 3, 6, 8)).values.sum(), torch.tensor(6.0))
    assert rectangle_mask(image=noise(3, 3, 600, 800)).values.shape == (1, 1, 600, 800)


@given(st.integers(-10, 20), st.integers(-10, 20), st.integers(1, 30), st.integers(1, 30))
def test_an_ellipse_is_where_its_inequality_holds(left: int, top: int, width: int, height: int) -> None:
    x, y = np.arange(24) + 0.5, np.arange(18)[:, None] + 0.5
    inside = ((x - left - width / 2) / (width / 2)) ** 2 + ((y - top - height / 2) / (height / 2)) ** 2
    if left >= 24 or top >= 18 or left + width <= 0 or top + height <= 0:
        with pytest.raises(InvalidInput, match="and the mask has 24 x 18 pixels"):
            ellipse_mask(left, top, width, height, mask_width=24, mask_height=18)
        return
    found = ellipse_mask(left, top, width, height, mask_width=24, mask_height=18).values[0, 0].numpy()
    clear = np.abs(inside - 1) > 1e-5
    assert np.array_equal(found[clear] == 1, inside[clear] <= 1)


def test_a_circle_fades_by_its_distance_to_the_edge() -> None:
    found = ellipse_mask(10, 20, 60, 60, 12, mask_width=100, mask_height=100).values[0, 0]
    x, y = np.arange(100) + 0.5 - 40, np.arange(100)[:, None] + 0.5 - 50
    t = ((30 - np.hypot(x, y)) / 12).clip(0, 1)
    close(found, 3 * t**2 - 2 * t**3)


def test_feathers_lie_inside_and_are_smooth() -> None:
    for make in (rectangle_mask, ellipse_mask):
        hard = make(10, 10, 60, 40, mask_width=100, mask_height=80).values
        soft = make(10, 10, 60, 40, 15, mask_width=100, mask_height=80).values
        assert bool((soft <= hard).all())
        assert float(soft.max()) == 1.0
        assert float(soft.diff(dim=3).abs().max()) < 0.15


# growing and blurring


def element(radius: int, shape: str) -> np.ndarray:
    offsets = np.arange(-radius, radius + 1)
    disc = offsets[:, None] ** 2 + offsets**2 <= radius**2
    return disc if shape == "round" else np.ones_like(disc)


@given(masks(), st.integers(-15, 15), shapes)
def test_growing_is_scipys_grey_dilation(mask: Mask, pixels: int, shape: str) -> None:
    grey = ndimage.grey_dilation if pixels >= 0 else ndimage.grey_erosion
    found = grow_mask(mask, pixels, shape).values  # type: ignore[arg-type]
    for index, values in enumerate(mask.values[:, 0]):
        expected = grey(values.numpy(), footprint=element(abs(pixels), shape), mode="nearest")
        assert np.array_equal(found[index, 0].numpy(), expected)


@given(masks(), st.integers(0, 6), st.integers(0, 6), shapes)
def test_growing_is_monotone(mask: Mask, one: int, other: int, shape: str) -> None:
    small, large = sorted((one, other))
    steps = [grow_mask(mask, each, shape).values for each in (-large, -small, 0, small, large)]  # type: ignore[arg-type]
    assert all(bool((a <= b).all()) for a, b in pairwise(steps))
    assert torch.equal(steps[2], mask.values)
    shrunk = invert_mask(grow_mask(invert_mask(mask), large, shape)).values  # type: ignore[arg-type]
    close(shrunk, steps[0], 1e-6)


def test_a_point_grows_into_a_disc() -> None:
    point = torch.zeros(1, 1, 41, 41)
    point[..., 20, 20] = 1
    found = grow_mask(Mask(values=point), 15).values[0, 0]
    assert np.array_equal(found[5:36, 5:36].numpy() == 1, element(15, "round"))
    assert float(found.sum()) == element(15, "round").sum()


@pytest.mark.parametrize("sigma", [0.6, 3.0])
def test_blurring_is_scipys(sigma: float) -> None:
    mask = mask_noise(2, 15, 22)
    expected = ndimage.gaussian_filter(mask.values.double().numpy(), sigma, mode="nearest", axes=(2, 3))
    close(blur_mask(mask, sigma).values, expected)
    assert torch.equal(blur_mask(mask, 0.0).values, mask.values)


def test_a_blurred_edge_is_the_error_function() -> None:
    step = torch.zeros(1, 1, 3, 60)
    step[..., 30:] = 1
    found = blur_mask(Mask(values=step), 5.0).values[0, 0, 1]
    expected = [0.5 * (1 + math.erf((x + 0.5 - 30) / (5.0 * math.sqrt(2)))) for x in range(60)]
    close(found, expected, 1e-3)  # a sum of samples for an integral, that ends at 4 sigma


# cutting out


def test_a_crop_is_the_bounding_box_with_its_margin() -> None:
    image = noise(2, 3, 40, 60)
    values = torch.zeros(2, 1, 40, 60)
    values[0, 0, 10:15, 20:23] = 0.1
    values[1, 0, 12:18, 21:30] = 1.0
    found = crop_to_mask(image, Mask(values=values), margin=0, multiple=1)
    assert found[2:] == (20, 10, 10, 8)
    assert torch.equal(found.image.pixels, image.pixels[:, :, 10:18, 20:30])
    assert torch.equal(found.mask.values, values[:, :, 10:18, 20:30])
    assert crop_to_mask(image, Mask(values=values), margin=15, multiple=1)[2:] == (5, 0, 40, 33)
    left, top, width, height = crop_to_mask(image, Mask(values=values), margin=2, multiple=8)[2:]
    assert (width, height) == (16, 16)
    assert left <= 18 and left + width >= 32 and top <= 8 and top + height >= 20
    assert crop_to_mask(image, Mask(values=values), margin=0, multiple=64)[2:] == (0, 0, 60, 40)


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 9), st.integers(0, 20), st.integers(1, 9))
def test_putting_a_crop_back_changes_only_what_is_masked(
    height: int, width: int, seed: int, margin: int, multiple: int
) -> None:
    image = noise(1, 3, height, width, seed=seed)
    values = (mask_noise(1, height, width, seed).values - 0.6).clamp(min=0)
    values[..., seed % height, seed % width] = 1.0
    found = crop_to_mask(image, Mask(values=values), margin, multiple)
    assert found.width == image.width or found.width % multiple == 0
    assert found.height == image.height or found.height % multiple == 0
    same = composite_images(image, found.image, found.mask, found.left, found.top)
    assert torch.equal(same.pixels, image.pixels)
    black = adjust_image(found.image, brightness=0.0)
    changed = composite_images(image, black, found.mask, found.left, found.top).pixels
    close(changed, image.pixels * (1 - values), 1e-6)
    untouched = values.expand_as(image.pixels) == 0
    assert torch.equal(changed[untouched], image.pixels[untouched])


def test_a_mask_that_shows_nothing_or_does_not_fit_is_refused() -> None:
    image = noise(2, 3, 4, 6)
    with pytest.raises(InvalidInput, match="mask = '6 x 4': it is 0 everywhere; mask what the crop should show"):
        crop_to_mask(image, Mask(values=torch.zeros(1, 1, 4, 6)))
    with pytest.raises(InvalidInput, match="mask = '4 x 6': image has 6 x 4 pixels; use resize_mask before"):
        crop_to_mask(image, mask_noise(1, 6, 4))
    with pytest.raises(InvalidInput, match="mask = '3 items': image has 2"):
        crop_to_mask(image, mask_noise(3, 4, 6))


@given(images())
def test_a_mask_of_a_picture_has_its_size(image: Image) -> None:
    mask = image_to_mask(image)
    assert (len(mask), mask.height, mask.width) == (len(image), image.height, image.width)


def test_a_part_is_worked_on_alone_and_put_back(tmp_path: Path) -> None:
    nodes = {
        "picture": ("load_image", {"file": "bundled:apple"}),
        "shape": ("ellipse_mask", {"image": "picture.image", "left": 30, "top": 60, "width": 90, "height": 80}),
        "soft": ("blur_mask", {"mask": "shape.mask", "sigma": 3.0}),
        "cut": ("crop_to_mask", {"image": "picture.image", "mask": "soft.mask"}),
        "large": ("scale_image", {"image": "cut.image", "factor": 2.0}),
        "dark": ("adjust_image", {"image": "large.image", "brightness": 0.0}),
        "small": ("resize_image", {"image": "dark.image", "width": "cut.width", "height": "cut.height"}),
        "back": (
            "composite_images",
            {
                "base": "picture.image",
                "overlay": "small.image",
                "mask": "cut.mask",
                "left": "cut.left",
                "top": "cut.top",
            },
        ),
    }
    document = {
        "format": "nodegraph/1",
        "nodes": {
            name: {
                "type": kind,
                "inputs": {
                    key: {"from": value} if isinstance(value, str) and value.split(".")[0] in nodes else value
                    for key, value in inputs.items()
                },
            }
            for name, (kind, inputs) in nodes.items()
        },
        "outputs": {"old": {"from": "picture.image"}, "new": {"from": "back.image"}, "mask": {"from": "soft.mask"}},
    }
    found = check_workflow(Workflow.from_document(document), tmp_path).outputs
    old, new, mask = found["old"], found["new"], found["mask"]
    close(new.pixels, old.pixels * (1 - mask.values), 1e-6)
    assert torch.equal(
        new.pixels[mask.values.expand_as(new.pixels) == 0], old.pixels[mask.values.expand_as(new.pixels) == 0]
    )
