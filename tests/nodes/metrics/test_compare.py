"""Two pictures compared: what is shown of them, and the numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity

from nodegraph import InvalidInput, Workflow
from nodegraph.execution.run import Runner
from nodegraph.testing import RecordingContext
from nodes.image.pixels import to_rgb
from nodes.metrics.compare import compare_images
from nodes.types import Image

from ..image.pictures import apple, close, noise


def pairs() -> list[tuple[Image, Image]]:
    picture = apple()
    harmed = Image(pixels=(picture.pixels + 0.1 * noise(1, 3, 256, 256).pixels).clamp(0, 1))
    return [(picture, harmed), (noise(1, 3, 11, 40), noise(1, 3, 11, 40, seed=1)), (picture, noise(1, 3, 256, 256))]


@pytest.mark.parametrize("pair", range(3))
def test_the_numbers_are_skimages(ctx: RecordingContext, pair: int) -> None:
    first, second = pairs()[pair]
    found = compare_images(first, second, ctx)
    x, y = (each.pixels[0].double().permute(1, 2, 0).numpy() for each in (first, second))
    ssim = structural_similarity(
        x, y, data_range=1.0, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert found.mse == pytest.approx(float(mean_squared_error(x, y)), abs=1e-9)
    assert found.psnr == pytest.approx(float(peak_signal_noise_ratio(x, y, data_range=1.0)), abs=1e-6)
    assert found.ssim == pytest.approx(float(ssim), abs=1e-6)


def test_the_same_picture_has_no_difference(ctx: RecordingContext) -> None:
    image = noise(1, 4, 12, 13)
    found = compare_images(image, image, ctx)
    assert not found.image.pixels.any()
    assert (found.mse, found.ssim) == (0.0, pytest.approx(1.0))
    assert found.psnr == pytest.approx(20 * np.log10(255) + 40)


@given(st.floats(0, 1, width=32), st.floats(0, 1, width=32))
def test_flat_pictures_by_hand(a: float, b: float) -> None:
    from nodes.metrics.similarity import mean_squared_error, structural_similarity

    x, y = (torch.full((1, 1, 11, 11), each) for each in (a, b))
    assert float(mean_squared_error(x, y)) == pytest.approx((a - b) ** 2)
    expected = (2 * a * b + 1e-4) / (a * a + b * b + 1e-4)
    assert float(structural_similarity(x, y)) == pytest.approx(expected, abs=1e-9)


def test_views(ctx: RecordingContext) -> None:
    first, second = noise(2, 3, 12, 20), noise(2, 3, 12, 20, seed=1)
    x, y = first.pixels, second.pixels
    close(compare_images(first, second, ctx, amplify=3.0).image.pixels, ((x - y).abs() * 3).clamp(max=1), 1e-6)
    beside = compare_images(first, second, ctx, "side_by_side").image.pixels
    assert torch.equal(beside, torch.cat([x, y], dim=3))
    split = compare_images(first, second, ctx, "split", position=0.25).image.pixels
    assert torch.equal(split[..., :5], x[..., :5])
    assert torch.equal(split[..., 5:], y[..., 5:])
    for position, whole in ((0.0, y), (1.0, x)):
        assert torch.equal(compare_images(first, second, ctx, "split", position=position).image.pixels, whole)
    checker = compare_images(first, second, ctx, "checker", tile=5).image.pixels
    for row in range(12):
        for column in range(20):
            source = x if (row // 5 + column // 5) % 2 == 0 else y
            assert torch.equal(checker[:, :, row, column], source[:, :, row, column])


def test_batches_and_channels(ctx: RecordingContext) -> None:
    one, three = noise(1, 4, 12, 20), noise(3, 1, 12, 20, seed=1)
    found = compare_images(one, three, ctx)
    singles = [compare_images(one, Image(pixels=three.pixels[i : i + 1]), ctx) for i in range(3)]
    for name in ("mse", "psnr", "ssim"):
        mean = sum(getattr(each, name) for each in singles) / 3
        assert getattr(found, name) == pytest.approx(mean)
    close(found.image.pixels, (to_rgb(one.pixels) - three.pixels).abs(), 1e-6)


def test_what_cannot_be_compared_is_refused(ctx: RecordingContext) -> None:
    image = noise(2, 3, 12, 20)
    with pytest.raises(InvalidInput, match="second = '12 x 20': first has 20 x 12 pixels; use resize_image or crop"):
        compare_images(image, noise(1, 3, 20, 12), ctx)
    with pytest.raises(InvalidInput, match="first = '20 x 10': structural similarity needs 11 pixels on each side"):
        compare_images(noise(1, 3, 10, 20), noise(1, 3, 10, 20), ctx)
    with pytest.raises(InvalidInput, match="second = '3 items': first has 2"):
        compare_images(image, noise(3, 3, 12, 20), ctx)


def test_the_workflow_tells_pictures_of_different_sizes_apart(runner: Runner, tmp_path: Path) -> None:
    (tmp_path / "input").mkdir()
    for name, size, colour in (("one", (20, 30), (255, 255, 255)), ("other", (60, 60), (204, 204, 204))):
        Pillow.new("RGB", size, colour).save(tmp_path / "input" / f"{name}.png")
    workflow = Workflow.load(Path(__file__).parents[3] / "workflows" / "compare.json")
    found = runner.run(workflow, {"first": "one.png", "second": "other.png", "amplify": 2.0})
    assert found.outputs["mse"] == pytest.approx(0.04, abs=1e-6)
    assert found.outputs["psnr"] == pytest.approx(10 * np.log10(1 / 0.04), abs=1e-4)
    with Pillow.open(found.files[0]) as picture:
        assert picture.size == (20, 30)
        assert picture.getpixel((3, 4)) == (102, 102, 102)
