"""Blurring and sharpening."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from nodes.image.filters import blur_image, convolved, gaussian, gaussian_weights, sharpen_image
from nodes.types import Image

from .pictures import close, images, noise

sigmas = st.sampled_from([0.2, 0.7, 1.0, 2.5, 10.0])


@pytest.mark.parametrize("sigma", [0.3, 1.0, 2.7, 20.0])
def test_a_blur_is_scipys(sigma: float) -> None:
    image = noise(2, 3, 20, 31)
    expected = ndimage.gaussian_filter(image.pixels.double().numpy(), sigma, mode="nearest", axes=(2, 3))
    close(blur_image(image, sigma).pixels, expected)


def test_weights_have_the_sum_1_and_the_variance() -> None:
    weights = gaussian_weights(3.0, 40)
    offsets = torch.arange(-40, 41)
    assert float(weights.sum()) == pytest.approx(1.0)
    assert float((weights * offsets**2).sum()) == pytest.approx(9.0)


def test_a_convolution_keeps_only_whole_windows() -> None:
    values = noise(1, 3, 6, 9).pixels
    weights = torch.tensor([0.25, 0.5, 0.25], dtype=torch.float64)
    expected = ndimage.convolve(values[0, 1].numpy(), np.outer(weights, weights))[1:-1, 1:-1]
    close(convolved(values, weights)[0, 1], expected, 1e-6)


@given(images(), sigmas)
def test_a_blur_keeps_the_range_and_flat_pictures(image: Image, sigma: float) -> None:
    found = blur_image(image, sigma).pixels
    if image.channels != 4:
        assert float(found.max()) <= float(image.pixels.max()) + 1e-6
        assert float(found.min()) >= float(image.pixels.min()) - 1e-6
    flat = Image(pixels=image.pixels[:, :, :1, :1].expand_as(image.pixels).contiguous())
    if image.channels != 4 or bool((flat.pixels[:, 3] > 0.01).all()):
        close(blur_image(flat, sigma).pixels, flat.pixels, 1e-4 if image.channels == 4 else 1e-5)


@given(images())
def test_neutral_settings_change_no_bit(image: Image) -> None:
    assert torch.equal(blur_image(image, 0.0).pixels, image.pixels)
    assert torch.equal(sharpen_image(image, 2.0, 0.0).pixels, image.pixels)
    assert torch.equal(sharpen_image(image, 0.0, 3.0).pixels, image.pixels)


def test_colours_under_transparency_do_not_show() -> None:
    pixels = torch.zeros(1, 4, 9, 9)
    pixels[:, 0] = 1.0  # red everywhere, seen nowhere
    pixels[:, :, 4, 4] = torch.tensor([0.0, 1.0, 0.0, 1.0])
    found = blur_image(Image(pixels=pixels), 1.0).pixels
    shown = found[0, 3] > 1e-4
    assert int(shown.sum()) > 9
    close(found[0, :3, shown], torch.tensor([0.0, 1.0, 0.0])[:, None].expand(3, int(shown.sum())), 1e-3)
    close(found[0, 3], gaussian(pixels[:, 3:], 1.0)[0, 0], 1e-6)


def test_sharpening_adds_what_a_blur_takes_away() -> None:
    image = Image(pixels=0.3 + 0.2 * noise(1, 3, 12, 14).pixels)
    expected = image.pixels + 0.8 * (image.pixels - gaussian(image.pixels, 1.5))
    close(sharpen_image(image, 1.5, 0.8).pixels, expected, 1e-6)


@given(images(), sigmas, st.floats(0, 10))
def test_sharpening_keeps_transparency(image: Image, sigma: float, amount: float) -> None:
    found = sharpen_image(image, sigma, amount)
    assert found.pixels.shape == image.pixels.shape
    assert torch.equal(found.pixels[:, 3:], image.pixels[:, 3:])


def test_sharpening_makes_steps_steeper() -> None:
    step = torch.linspace(0.4, 0.6, 5).repeat_interleave(4)[None, None, None].repeat(1, 1, 3, 1)
    found = sharpen_image(Image(pixels=step), 1.0, 2.0).pixels
    assert float(found.diff(dim=3).max()) > 1.5 * float(step.diff(dim=3).max())
