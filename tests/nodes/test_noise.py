from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.noise import INITIAL, SeededNoise, item_noise


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**53 - 1), st.integers(1, 5), st.integers(-1, 50), st.integers(0, 3))
def test_bits_do_not_depend_on_the_batch(seed: int, batch: int, step: int, draw: int) -> None:
    together = SeededNoise(seed=seed, shape=(batch, 2, 3, 5))(step, draw)
    for item in range(batch):
        assert torch.equal(together[item], item_noise((2, 3, 5), seed=seed, item=item, step=step, draw=draw))


def test_every_argument_counts() -> None:
    base = {"seed": 0, "item": 0, "step": 0, "draw": 0}
    first = item_noise((64,), **base)
    for name in base:
        assert not torch.equal(first, item_noise((64,), **{**base, name: 1}))
    assert not torch.equal(first, item_noise((64,), **{**base, "step": INITIAL}))


def test_it_is_standard_normal_and_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    noise = SeededNoise(seed=4, shape=(8, 4, 64, 64))(0, 0)
    assert torch.equal(before, torch.get_rng_state())
    count = noise.numel()
    assert abs(float(noise.mean())) < 4 / count**0.5
    assert abs(float(noise.var()) - 1.0) < 4 * (2 / count) ** 0.5
    across = (noise[0] * noise[1]).mean() * (count / 8) ** 0.5
    assert abs(float(across)) < 4


def test_seeds_give_the_same_pictures_in_every_version() -> None:
    found = item_noise((4, 8, 8), seed=42, item=1, step=2, draw=0).flatten()[:4]
    torch.testing.assert_close(found, torch.tensor([1.1195506, -2.3988008, -0.7666365, 0.3814966]), rtol=0, atol=1e-6)
