"""Pictures laid on pictures, and blend modes."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageChops

from nodegraph import InvalidInput
from nodes.image.composite import BlendMode, blend_images, composite_images
from nodes.image.pixels import from_pillow, to_bytes, to_pillow, with_channels
from nodes.types import Image, Mask

from .pictures import close, images, mask_noise, noise

CHANNELS = (1, 3, 4)
MODES = get_args(BlendMode)


def flat(*levels: float) -> Image:
    return Image(pixels=torch.tensor(levels)[None, :, None, None])


# composites


@given(images(), st.sampled_from(CHANNELS), st.integers(0, 9))
def test_mask_0_leaves_the_base_bit_for_bit(base: Image, channels: int, seed: int) -> None:
    overlay = noise(1, channels, base.height, base.width, seed=seed)
    mask = Mask(values=torch.zeros(1, 1, base.height, base.width))
    found = composite_images(base, overlay, mask).pixels
    assert torch.equal(found, with_channels(base.pixels, found.shape[1]))


@given(images(), st.sampled_from((1, 3)), st.integers(0, 9))
def test_mask_1_gives_an_opaque_overlay_bit_for_bit(base: Image, channels: int, seed: int) -> None:
    overlay = noise(1, channels, base.height, base.width, seed=seed)
    mask = Mask(values=torch.ones(1, 1, base.height, base.width))
    for found in (composite_images(base, overlay, mask).pixels, composite_images(base, overlay).pixels):
        assert torch.equal(found, with_channels(overlay.pixels, found.shape[1]).expand_as(found))


@given(images(), st.integers(0, 9))
def test_a_picture_laid_on_itself_is_itself(base: Image, seed: int) -> None:
    if base.channels == 4:
        base = Image(pixels=base.pixels[:, :3])
    mask = mask_noise(1, base.height, base.width, seed)
    assert torch.equal(composite_images(base, base, mask).pixels, base.pixels)


def test_over_is_pillows_alpha_composite() -> None:
    base, overlay = (to_pillow(noise(1, 4, 40, 50, seed=seed).pixels[0]) for seed in (1, 2))
    expected = from_pillow(Pillow.alpha_composite(base, overlay))
    images = [Image(pixels=from_pillow(each)[None]) for each in (base, overlay)]
    found = composite_images(*images).pixels[0]
    shown = expected[3] > 0.1  # 8 bits of colour say little where little shows
    close(found[3], expected[3], 1 / 255)
    close(found[:, shown], expected[:, shown], 2 / 255)


@given(st.integers(0, 1_000))
def test_over_is_associative(seed: int) -> None:
    one, two, three = (noise(1, 4, 3, 3, seed=3 * seed + each) for each in range(3))
    left = composite_images(composite_images(one, two), three).pixels
    right = composite_images(one, composite_images(two, three)).pixels
    close(left, right)


def test_over_by_hand() -> None:
    half_red = flat(1.0, 0.0, 0.0, 0.5)
    assert composite_images(flat(0.0, 0.0, 1.0), half_red).pixels.flatten().tolist() == [0.5, 0.0, 0.5]
    assert composite_images(flat(0.5), half_red).pixels.flatten().tolist() == [0.75, 0.25, 0.25]
    found = composite_images(flat(0.0, 0.0, 1.0, 0.5), half_red).pixels.flatten().tolist()
    assert found == pytest.approx([2 / 3, 0.0, 1 / 3, 0.75])
    nothing = flat(0.3, 0.6, 0.9, 0.0)
    assert torch.equal(composite_images(nothing, flat(1.0, 0.0, 0.0, 0.0)).pixels, nothing.pixels)
    assert torch.equal(composite_images(nothing, half_red).pixels, half_red.pixels)
    quarter = Mask(values=torch.full((1, 1, 1, 1), 0.25))
    assert composite_images(flat(0.0), flat(1.0), quarter).pixels.item() == 0.25
    assert composite_images(flat(0.0), flat(1.0, 1.0, 1.0, 0.5), quarter).pixels[0, 0].item() == 0.125


@given(st.integers(-6, 8), st.integers(-5, 6))
def test_an_overlay_lies_where_it_is_put(left: int, top: int) -> None:
    base, overlay, mask = noise(2, 3, 7, 9), noise(2, 3, 6, 7, seed=1), mask_noise(2, 6, 7)
    expected = base.pixels.clone()
    for row in range(6):
        for column in range(7):
            y, x = top + row, left + column
            if 0 <= y < 7 and 0 <= x < 9:
                share = mask.values[:, :, row, column]
                expected[:, :, y, x] = (1 - share) * base.pixels[:, :, y, x] + share * overlay.pixels[:, :, row, column]
    found = composite_images(base, overlay, mask, left, top).pixels
    close(found, expected, 1e-6)
    untouched = torch.ones(7, 9, dtype=torch.bool)
    untouched[max(0, top) : top + 6, max(0, left) : left + 7] = False
    assert torch.equal(found[:, :, untouched], base.pixels[:, :, untouched])


def test_batches_and_what_does_not_fit() -> None:
    one, three = noise(1, 3, 4, 6), noise(3, 3, 4, 6, seed=1)
    masks = mask_noise(3, 4, 6)
    for base, overlay, mask in ((one, three, None), (three, one, None), (one, one, masks), (three, three, masks)):
        found = composite_images(base, overlay, mask).pixels
        for index in range(3):
            single = composite_images(
                Image(pixels=base.pixels.expand(3, -1, -1, -1)[index : index + 1]),
                Image(pixels=overlay.pixels.expand(3, -1, -1, -1)[index : index + 1]),
                mask and Mask(values=mask.values[index : index + 1]),
            )
            assert torch.equal(found[index : index + 1], single.pixels)
    with pytest.raises(InvalidInput, match="overlay = '2 items': base has 3; give as many, or one"):
        composite_images(three, noise(2, 3, 4, 6))
    with pytest.raises(InvalidInput, match="mask = '4 x 6': overlay has 6 x 4 pixels; use resize_mask before"):
        composite_images(one, one, mask_noise(1, 6, 4))
    with pytest.raises(InvalidInput, match="left = 6: the overlay of 6 x 4 would lie beyond the base of 6 x 4"):
        composite_images(one, one, None, 6)
    with pytest.raises(InvalidInput, match="top = -4"):
        composite_images(one, one, None, 0, -4)


# blend modes

CHOPS = {
    "multiply": ImageChops.multiply, "screen": ImageChops.screen, "overlay": ImageChops.overlay,
    "darken": ImageChops.darker, "lighten": ImageChops.lighter, "hard_light": ImageChops.hard_light,
    "difference": ImageChops.difference, "add": ImageChops.add, "subtract": ImageChops.subtract,
}  # fmt: skip


@pytest.mark.parametrize("mode", CHOPS)
def test_blend_modes_are_pillows(mode: str) -> None:
    base, overlay = (to_pillow(noise(1, 3, 40, 50, seed=seed).pixels[0]) for seed in (1, 2))
    found = blend_images(*[Image(pixels=from_pillow(each)[None]) for each in (base, overlay)], mode)  # type: ignore[arg-type]
    expected = np.asarray(CHOPS[mode](base, overlay)).astype(int)
    apart = to_bytes(found.pixels)[0].permute(1, 2, 0).numpy().astype(int) - expected
    assert np.abs(apart).max() <= 1


FORMULAS = {
    "normal": lambda b, s: s,
    "dodge": lambda b, s: 0 if b == 0 else 1 if s == 1 else min(1, b / (1 - s)),
    "burn": lambda b, s: 1 if b == 1 else 0 if s == 0 else 1 - min(1, (1 - b) / s),
    "soft_light": lambda b, s: (
        b - (1 - 2 * s) * b * (1 - b)
        if s <= 0.5
        else b + (2 * s - 1) * ((((16 * b - 12) * b + 4) * b if b <= 0.25 else b**0.5) - b)
    ),
    "exclusion": lambda b, s: b + s - 2 * b * s,
}


@pytest.mark.parametrize("mode", FORMULAS)
def test_blend_modes_are_those_of_the_w3c(mode: str) -> None:
    levels = torch.linspace(0, 1, 21)
    base, overlay = levels.repeat(21, 1)[None, None], levels[:, None].repeat(1, 21)[None, None]
    found = blend_images(Image(pixels=base), Image(pixels=overlay), mode).pixels  # type: ignore[arg-type]
    expected = [[FORMULAS[mode](float(b), float(s)) for b in levels] for s in levels]
    close(found[0, 0], expected)


@given(images(), st.sampled_from(MODES), st.sampled_from(CHANNELS), st.integers(0, 9))
def test_amount_0_and_mask_0_leave_the_base_bit_for_bit(base: Image, mode: str, channels: int, seed: int) -> None:
    overlay = noise(1, channels, base.height, base.width, seed=seed)
    nothing = Mask(values=torch.zeros(1, 1, base.height, base.width))
    for found in (blend_images(base, overlay, mode, 0.0), blend_images(base, overlay, mode, 1.0, nothing)):  # type: ignore[arg-type]
        assert torch.equal(found.pixels, with_channels(base.pixels, found.channels))


def test_the_base_keeps_its_transparency_and_the_overlays_counts() -> None:
    base, overlay = noise(1, 4, 3, 3), noise(1, 4, 3, 3, seed=1)
    found = blend_images(base, overlay, "multiply", 0.5).pixels
    assert torch.equal(found[:, 3], base.pixels[:, 3])
    share = 0.5 * overlay.pixels[:, 3:]
    b, s = base.pixels[:, :3], overlay.pixels[:, :3]
    close(found[:, :3], b + share * (b * s - b), 1e-6)


def test_blended_pictures_have_one_size() -> None:
    with pytest.raises(InvalidInput, match="overlay = '3 x 2': base has 2 x 3 pixels; use resize_image or crop_image"):
        blend_images(noise(1, 3, 3, 2), noise(1, 3, 2, 3))
    with pytest.raises(InvalidInput, match="mask = '3 x 2': base has 2 x 3"):
        blend_images(noise(1, 3, 3, 2), noise(1, 3, 3, 2), mask=mask_noise(1, 2, 3))
    assert len(blend_images(noise(1, 3, 3, 2), noise(4, 3, 3, 2))) == 4
