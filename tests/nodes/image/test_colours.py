"""Colour spaces, adjustments, and colours matched to those of another picture."""

from __future__ import annotations

import colorsys
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageEnhance
from skimage import color, exposure

from nodegraph import InvalidInput
from nodegraph.testing import RecordingContext
from nodes.image.adjust import adjust_image
from nodes.image.colour import from_lab, from_linear, to_lab, to_linear
from nodes.image.match_colour import Method, match_colour
from nodes.image.pixels import from_pillow, to_pillow, to_rgb, with_channels
from nodes.types import Image

from .pictures import apple, close, images, noise

METHODS = get_args(Method)


# spaces


def test_lab_is_skimages() -> None:
    pixels = noise(1, 3, 30, 40).pixels.double()
    expected = color.rgb2lab(pixels[0].permute(1, 2, 0).numpy())
    found = to_lab(pixels)[0].permute(1, 2, 0)
    close(found, expected, 2e-4)  # of 100: skimage rounds the constants of dark colours to 7.787 and 0.008856
    xyz = color.rgb2xyz(pixels[0].permute(1, 2, 0).numpy()) / [0.95047, 1.0, 1.08883]
    bright = torch.tensor(xyz.min(axis=2) > 0.009)
    assert int(bright.sum()) > 1_000
    close(found[bright], expected[bright.numpy()], 1e-9)


@pytest.mark.parametrize(("there", "back"), [(to_lab, from_lab), (to_linear, from_linear)])
def test_spaces_go_there_and_back(there: object, back: object) -> None:
    grid = torch.linspace(0, 1, 11, dtype=torch.float64)
    pixels = torch.cartesian_prod(grid, grid, grid).T[None]
    close(back(there(pixels)), pixels, 1e-6)  # type: ignore[operator]


def test_linear_light_by_the_standard() -> None:
    found = to_linear(torch.tensor([0.0, 0.04045, 0.5, 1.0], dtype=torch.float64))
    close(found, [0.0, 0.04045 / 12.92, ((0.5 + 0.055) / 1.055) ** 2.4, 1.0], 1e-12)


def test_grey_has_no_colour_in_lab() -> None:
    lab = to_lab(torch.linspace(0, 1, 9, dtype=torch.float64).expand(1, 3, 9))
    assert float(lab[:, 1:].abs().max()) < 0.01
    assert lab[0, 0, [0, 8]].tolist() == pytest.approx([0.0, 100.0], abs=1e-3)


# adjustments


@given(images())
def test_neutral_adjustments_change_no_bit(image: Image) -> None:
    assert torch.equal(adjust_image(image).pixels, image.pixels)


def test_adjustments_by_hand() -> None:
    image = noise(2, 3, 5, 6)
    x = image.pixels
    close(adjust_image(image, brightness=1.7).pixels, (x * 1.7).clamp(0, 1), 1e-6)
    close(adjust_image(image, contrast=0.3).pixels, 0.5 + 0.3 * (x - 0.5), 1e-6)
    close(adjust_image(image, gamma=2.0).pixels, x.sqrt(), 1e-6)
    grey = adjust_image(image, saturation=0.0).pixels
    close(grey, with_channels(x, 1).expand_as(x), 1e-6)
    assert torch.equal(adjust_image(image, brightness=0.0).pixels, torch.zeros_like(x))


def test_brightness_is_pillows() -> None:
    picture = to_pillow(noise(1, 3, 20, 20).pixels[0])
    expected = from_pillow(ImageEnhance.Brightness(picture).enhance(0.6))
    close(adjust_image(Image(pixels=from_pillow(picture)[None]), 0.6).pixels[0], expected, 1.01 / 255)


@pytest.mark.parametrize("degrees", [-180.0, -77.0, 10.0, 120.0, 180.0])
def test_hues_turn_like_those_of_colorsys(degrees: float) -> None:
    levels = torch.tensor([0.0, 0.3, 0.5, 1.0])
    colours = torch.cartesian_prod(levels, levels, levels)
    found = adjust_image(Image(pixels=colours.T[None, :, :, None].contiguous()), hue=degrees).pixels[0, :, :, 0].T
    expected = []
    for colour in colours.tolist():
        hue, saturation, value = colorsys.rgb_to_hsv(*colour)
        expected.append(colorsys.hsv_to_rgb((hue + degrees / 360) % 1, saturation, value))
    close(found, expected)


@given(images(), st.floats(0, 10), st.floats(0, 10), st.floats(0, 10), st.floats(-180, 180), st.floats(0.1, 10))
def test_adjusted_pictures_stay_pictures(
    image: Image, brightness: float, contrast: float, saturation: float, hue: float, gamma: float
) -> None:
    found = adjust_image(image, brightness, contrast, saturation, hue, gamma)
    assert torch.equal(found.pixels[:, 3:], image.pixels[:, 3:])
    assert found.pixels.shape == image.pixels.shape


# matching


@given(images(), st.sampled_from(METHODS), st.sampled_from([1, 3, 4]))
def test_strength_0_changes_no_bit(recording: RecordingContext, image: Image, method: Method, channels: int) -> None:
    found = match_colour(image, noise(1, channels, 3, 4), recording, method, 0.0).pixels
    assert torch.equal(found, with_channels(image.pixels, max(3, image.channels)))


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> RecordingContext:
    from nodegraph.testing import local_context

    return local_context(tmp_path_factory.mktemp("matching"))


@pytest.mark.parametrize("method", METHODS)
def test_a_picture_matched_to_itself_stays(ctx: RecordingContext, method: Method) -> None:
    for image in (noise(1, 3, 9, 11), apple()):
        close(match_colour(image, image, ctx, method).pixels, image.pixels)


def soft(seed: int, height: int = 24, width: int = 30) -> Image:
    """Colours that go together, in the middle of the range so that nothing is clamped."""
    mix = torch.tensor([[0.15, 0.05, 0.0], [0.02, 0.1, 0.05], [0.0, 0.03, 0.1]])
    turned = mix.roll(seed, 0) if seed else mix
    values = torch.einsum("ij,bjhw->bihw", turned, noise(1, 3, height, width, seed=seed).pixels - 0.5)
    return Image(pixels=values + torch.tensor([0.5, 0.4 + 0.1 * seed, 0.55])[:, None, None])


def test_mean_and_deviation_become_those_of_the_reference(ctx: RecordingContext) -> None:
    image, reference = soft(0), soft(1, 17, 19)
    for method, into in (("mean_std_lab", to_lab), ("mean_std_linear", to_linear)):
        found, goal = (
            into(each.pixels.double()).flatten(2)
            for each in (match_colour(image, reference, ctx, method), reference)  # type: ignore[arg-type]
        )
        scale = 100.0 if method == "mean_std_lab" else 1.0
        close(found.mean(2) / scale, goal.mean(2) / scale)
        close(found.std(2, correction=0) / scale, goal.std(2, correction=0) / scale)


def test_mean_and_covariance_become_those_of_the_reference(ctx: RecordingContext) -> None:
    image, reference = soft(0), soft(1, 17, 19)
    found = match_colour(image, reference, ctx, "covariance").pixels.double()[0].flatten(1)
    goal = reference.pixels.double()[0].flatten(1)
    close(found.mean(1), goal.mean(1), 1e-6)
    close(found.cov(correction=0), goal.cov(correction=0), 1e-6)
    before = image.pixels.double()[0].flatten(1)
    A, B = before.cov(correction=0), goal.cov(correction=0)
    centred = before - before.mean(1, keepdim=True)
    T = (found - found.mean(1, keepdim=True)) @ centred.T @ torch.linalg.inv(centred @ centred.T)
    close(T, T.T, 1e-5)  # the gradient of a convex function: no other linear map moves colours less
    assert bool((torch.linalg.eigvalsh((T + T.T) / 2) > 0).all())
    cholesky = torch.linalg.cholesky(B) @ torch.linalg.inv(torch.linalg.cholesky(A))
    other = cholesky @ centred + goal.mean(1, keepdim=True)
    assert float((found - before).square().sum()) < float((other - before).square().sum())


@pytest.mark.parametrize("levels", [0, 7])
def test_histograms_are_matched_like_skimages(ctx: RecordingContext, levels: int) -> None:
    image, reference = noise(1, 3, 20, 30), Image(pixels=noise(1, 3, 15, 12, seed=1).pixels ** 2)
    if levels:
        image, reference = (Image(pixels=(each.pixels * levels).round() / levels) for each in (image, reference))
    first, second = (each.pixels[0].double().numpy() for each in (image, reference))
    expected = exposure.match_histograms(first, second, channel_axis=0)
    close(match_colour(image, reference, ctx, "histogram").pixels[0], expected)


@given(st.integers(0, 1_000))
def test_matched_histograms_keep_the_order_of_values(recording: RecordingContext, seed: int) -> None:
    image, reference = noise(1, 3, 6, 7, seed=seed), noise(1, 3, 9, 8, seed=seed + 1)
    found = match_colour(image, reference, recording, "histogram").pixels
    for channel in range(3):
        order = image.pixels[0, channel].flatten().argsort()
        assert bool((found[0, channel].flatten()[order].diff() >= 0).all())


@pytest.mark.parametrize("method", METHODS)
def test_flat_pictures_take_the_mean_and_no_noise(ctx: RecordingContext, method: Method) -> None:
    flat = Image(pixels=torch.full((1, 3, 6, 6), 0.3))
    found = match_colour(flat, soft(1), ctx, method).pixels
    assert float(found.flatten(2).std(2).max()) < 1e-5
    if method == "covariance":
        close(found[0, :, 0, 0], soft(1).pixels.mean((0, 2, 3)))
    matched = match_colour(soft(1), flat, ctx, method).pixels
    close(matched, torch.full_like(matched, 0.3), 1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_what_is_hidden_does_not_count(ctx: RecordingContext, method: Method) -> None:
    image, reference = soft(0), soft(1)
    opaque = match_colour(image, reference, ctx, method).pixels
    halves = [
        Image(pixels=torch.cat([torch.cat([each.pixels, torch.ones_like(each.pixels)], dim=3), alpha], dim=1))
        for each in (image, reference)
        for alpha in [torch.cat([torch.ones(1, 1, 24, 30), torch.zeros(1, 1, 24, 30)], dim=3)]
    ]
    found = match_colour(halves[0], halves[1], ctx, method).pixels
    close(found[:, :3, :, :30], opaque)
    assert torch.equal(found[:, 3:], halves[0].pixels[:, 3:])


def test_strength_goes_between_and_batches_fit(ctx: RecordingContext) -> None:
    images, references = noise(3, 3, 5, 6), noise(3, 1, 7, 4, seed=1)
    whole = match_colour(images, references, ctx).pixels
    half = match_colour(images, references, ctx, strength=0.5).pixels
    close(half, (images.pixels + whole) / 2, 1e-6)
    for index in range(3):
        one, goal = (Image(pixels=each.pixels[index : index + 1]) for each in (images, references))
        assert torch.equal(match_colour(one, goal, ctx).pixels[0], whole[index])
        assert torch.equal(match_colour(images, goal, ctx).pixels[index], whole[index])
        assert torch.equal(match_colour(one, references, ctx).pixels[index], whole[index])
    with pytest.raises(InvalidInput, match="reference = '2 items': image has 3"):
        match_colour(images, noise(2, 3, 2, 2), ctx)


def test_grey_becomes_colour(ctx: RecordingContext) -> None:
    found = match_colour(noise(1, 1, 5, 5), soft(1), ctx).pixels
    assert found.shape == (1, 3, 5, 5)
    close(to_lab(found.double()).mean((0, 2, 3)), to_lab(to_rgb(soft(1).pixels).double()).mean((0, 2, 3)), 0.5)
    assert np.isfinite(found.numpy()).all()
