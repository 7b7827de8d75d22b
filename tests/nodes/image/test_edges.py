"""Canny's edges and the gradient."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from nodegraph import InvalidInput
from nodes.image.edges import canny, canny_edges, linked, sobel, sobel_edges
from nodes.image.filters import blur_image
from nodes.image.pixels import to_bytes, to_rgb
from nodes.types import Image

from .pictures import apple, close, images, noise


def by_opencv(image: Image, low: float, high: float) -> np.ndarray:
    """Of the first picture: true on edges."""
    levels = np.ascontiguousarray(to_bytes(image.pixels[0]).permute(1, 2, 0).numpy())
    return np.asarray(cv2.Canny(levels, low * 255, high * 255) > 0)


def blobs() -> Image:
    """Soft shapes of all sizes and directions."""
    waves = blur_image(noise(1, 3, 150, 201, seed=3), 3.0).pixels
    return Image(pixels=((waves - waves.min()) / (waves.max() - waves.min())).clamp(0, 1))


def disc() -> Image:
    y, x = torch.meshgrid(torch.arange(90.0), torch.arange(120.0), indexing="ij")
    return Image(pixels=(((x - 50) ** 2 + (y - 40) ** 2).sqrt() < 31)[None, None].float() * 0.8 + 0.1)


PICTURES = {"apple": apple, "noise": lambda: noise(1, 3, 100, 131), "blobs": blobs, "disc": disc}


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("thresholds", [(0.4, 0.8), (0.1, 0.2), (0.0, 0.0), (0.0, 1.0), (0.05, 0.7)])
def test_edges_are_opencvs_bit_for_bit(name: str, thresholds: tuple[float, float]) -> None:
    image = PICTURES[name]()
    found = canny(image, *thresholds).pixels
    expected = by_opencv(image, *thresholds)
    assert np.array_equal(found[0, 0].numpy() == 1, expected)
    assert expected.any()
    assert sorted(found.unique().tolist()) == [0.0, 1.0]
    assert torch.equal(found, found[:, :1].expand(1, 3, -1, -1))


@given(images(16), st.floats(0, 1), st.floats(0, 1))
def test_small_pictures_too(image: Image, one: float, other: float) -> None:
    low, high = sorted((one, other))
    image = Image(pixels=image.pixels if image.channels == 1 else to_rgb(image.pixels))
    found = canny(image, low, high).pixels
    assert found.shape == (len(image), 3, image.height, image.width)
    assert np.array_equal(found[0, 0].numpy() == 1, by_opencv(image, low, high))


def test_every_picture_of_a_batch_is_drawn_by_itself() -> None:
    image = noise(3, 3, 30, 40)
    whole = canny(image, 0.9, 1.0, 1.0).pixels
    for index in range(3):
        assert torch.equal(canny(Image(pixels=image.pixels[index : index + 1]), 0.9, 1.0, 1.0).pixels[0], whole[index])


def test_a_step_gives_one_line() -> None:
    pixels = torch.zeros(1, 1, 10, 12)
    pixels[..., 6:] = 1.0
    edges = canny(Image(pixels=pixels)).pixels[0, 0]
    assert edges.sum(1).tolist() == [1.0] * 10
    assert edges.sum(0).nonzero().flatten().tolist() in ([5], [6])
    assert not canny(Image(pixels=torch.full((1, 1, 10, 12), 0.7))).pixels.any()


def test_higher_thresholds_draw_less_and_blur_takes_noise_away() -> None:
    image = noise(1, 3, 60, 60)
    counts = [float(canny(image, low, high).pixels.sum()) for low, high in ((0.1, 0.2), (0.1, 1.0), (0.9, 1.0))]
    assert counts == sorted(counts, reverse=True)
    assert not canny(image, 0.4, 0.8, 6.0).pixels.any()
    blurred = blur_image(apple(), 2.0)
    assert torch.equal(canny(apple(), 0.1, 0.2, 2.0).pixels, canny(blurred, 0.1, 0.2).pixels)


def spiral(size: int) -> torch.Tensor:
    """One line, one pixel wide, wound up so that its ends are as far apart along it as can be."""
    field = torch.zeros(size, size, dtype=torch.bool)
    top, left, bottom, right = 0, 0, size - 1, size - 1
    while top <= bottom and left <= right:
        field[top, max(0, left - 2) : right + 1] = True
        field[top : bottom + 1, right] = True
        field[bottom, left : right + 1] = True
        field[top + 2 : bottom + 1, left] = True
        top, left, bottom, right = top + 2, left + 2, bottom - 2, right - 2
    return field[None]


def test_a_long_line_is_followed_to_its_end() -> None:
    weak = spiral(201)
    strong = torch.zeros_like(weak)
    assert not linked(weak, strong).any()
    strong[0, 0, 0] = True
    _, count = ndimage.label(weak[0].numpy(), np.ones((3, 3)))
    assert count == 1
    assert torch.equal(linked(weak, strong), weak)


@given(st.integers(0, 10_000), st.floats(0.1, 0.7), st.integers(1, 3))
def test_linked_pixels_are_those_of_scipys_labels(seed: int, share: float, batch: int) -> None:
    draw = torch.rand(batch, 14, 17, generator=torch.Generator().manual_seed(seed))
    weak, strong = draw < share, draw < share * 0.1
    found = linked(weak, strong)
    for index in range(batch):
        marked, _ = ndimage.label(weak[index].numpy(), np.ones((3, 3)))
        kept = set(marked[strong[index].numpy()].tolist())
        assert np.array_equal(found[index].numpy(), np.isin(marked, [*kept]) & weak[index].numpy())


def test_nothing_to_link_is_nothing() -> None:
    nothing = torch.zeros(1, 4, 5, dtype=torch.bool)
    assert torch.equal(linked(nothing, nothing), nothing)
    assert not canny_edges(torch.zeros(2, 1, 1, 1, dtype=torch.uint8), 0.0, 0.0).any()


def test_thresholds_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"low = 0.5: it is above high, 0.2; choose a lower one"):
        canny(noise(1, 3, 4, 4), 0.5, 0.2)


def test_derivatives_are_scipys() -> None:
    values = noise(2, 3, 9, 11).pixels
    dx, dy = sobel(values)
    for found, along, across in ((dx, 3, 2), (dy, 2, 3)):
        slope = ndimage.correlate1d(values.double().numpy(), [-1, 0, 1], axis=along, mode="nearest")
        close(found, ndimage.correlate1d(slope, [1, 2, 1], axis=across, mode="nearest"))


def test_soft_edges_are_1_at_a_step_from_black_to_white() -> None:
    pixels = torch.zeros(1, 3, 6, 8)
    pixels[..., 4:] = torch.tensor([1.0, 0.5, 0.0])[:, None, None]
    found = sobel_edges(Image(pixels=pixels)).pixels
    assert found[0, 0, 2].tolist() == [0, 0, 0, 1, 1, 0, 0, 0]
    assert torch.equal(found, found[:, :1].expand(1, 3, -1, -1))
    half = sobel_edges(Image(pixels=pixels[:, 1:2])).pixels
    assert half[0, 0, 2].tolist() == [0, 0, 0, 0.5, 0.5, 0, 0, 0]


def test_a_line_must_be_above_its_threshold() -> None:
    levels = torch.zeros(1, 1, 6, 8, dtype=torch.uint8)
    levels[..., 4:] = 50  # a step with |dx| = 200
    assert canny_edges(levels, 100.0, 199.5).any()
    assert not canny_edges(levels, 100.0, 200.0).any()
