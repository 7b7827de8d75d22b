"""Pictures that the tests of this room share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from hypothesis import strategies as st
from torch import Tensor

from nodes.image.load import load_image
from nodes.types import Image, Mask

APPLE = Path(__file__).parents[3] / "nodes" / "bundled" / "pictures" / "apple.png"


def noise(*shape: int, seed: int = 0) -> Image:
    return Image(pixels=torch.rand(*shape, generator=torch.Generator().manual_seed(seed)))


def mask_noise(batch: int, height: int, width: int, seed: int = 0) -> Mask:
    return Mask(values=torch.rand(batch, 1, height, width, generator=torch.Generator().manual_seed(seed)))


def apple() -> Image:
    return load_image(APPLE).image


def close(found: Tensor, expected: object, atol: float = 1e-5) -> None:
    """At most `atol` apart; the expected one may be a numpy array of float64."""
    goal = expected if isinstance(expected, Tensor) else torch.tensor(np.array(expected, dtype=np.float64))
    torch.testing.assert_close(found.double(), goal.double(), rtol=0, atol=atol)


@st.composite
def images(draw: st.DrawFn, largest: int = 12) -> Image:
    """Noise of any size and kind, sometimes with flat parts."""
    sides = st.integers(1, largest)
    shape = (draw(st.integers(1, 2)), draw(st.sampled_from([1, 3, 4])), draw(sides), draw(sides))
    image = noise(*shape, seed=draw(st.integers(0, 1_000)))
    levels = draw(st.sampled_from([0, 1, 3]))
    return Image(pixels=(image.pixels * levels).round() / levels) if levels else image
