"""The noise of other programs, beside torch's own generators."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from nodes.noise import INITIAL, NoiseKind, SeededNoise, Stream, noise_source
from nodes.samplers.euler import euler
from nodes.samplers.euler_ancestral import euler_ancestral
from nodes.samplers.sample import sample
from nodes.schedules.flow import flow_sigmas
from nodes.types import Latent, NoiseSource, Sampler, State
from nodes.types.sampling import Denoise

from ..oracles import FLOW, SPACE, Oracle

SHAPE = (3, 4, 8, 8)


def test_comfyui() -> None:
    noise = noise_source("comfyui", 42, SHAPE)
    torch.manual_seed(42)
    assert torch.equal(noise(INITIAL, 0), torch.randn(SHAPE))
    torch.manual_seed(43)
    for step in range(4):
        assert torch.equal(noise(step, 0), torch.randn(SHAPE))


def test_a1111() -> None:
    noise = noise_source("a1111", 42, SHAPE)
    generators = [torch.Generator().manual_seed(42 + item) for item in range(3)]
    for step in (INITIAL, 0, 1, 2):
        wanted = torch.stack([torch.randn(SHAPE[1:], generator=each) for each in generators])
        assert torch.equal(noise(step, 0), wanted)


def test_per_item_is_what_it_was() -> None:
    assert noise_source("per item", 7, SHAPE) == SeededNoise(seed=7, shape=SHAPE)


@pytest.mark.parametrize("kind", ["comfyui", "a1111"])
def test_order_of_asking_does_not_matter(kind: NoiseKind) -> None:
    before = torch.get_rng_state()
    noise = noise_source(kind, 3, SHAPE)
    inorder = [noise(step, 0) for step in (INITIAL, 0, 1, 2)]
    for step in (1, 1, INITIAL, 2, 0):
        assert torch.equal(noise(step, 0), inorder[step + 1])
    assert torch.equal(noise_source(kind, 3, SHAPE)(2, 0), inorder[3])
    assert torch.equal(before, torch.get_rng_state())
    with pytest.raises(ValueError, match="draw 1 of step 2"):
        noise(2, 1)


def test_a_stream_goes_back() -> None:
    stream = Stream(1, (5,))
    generator = torch.Generator().manual_seed(1)
    values = [torch.randn(5, generator=generator) for _ in range(3)]
    assert all(torch.equal(stream.value(i), values[i]) for i in (2, 0, 1, 1, 2))


def drawn(kind: NoiseKind, batch: int, sampler: Sampler, seed: int = 11) -> torch.Tensor:
    latent = Latent(samples=torch.zeros(batch, 1, 8, 8), space=SPACE)
    return sample(Oracle(oracle_schedule=FLOW), sampler, flow_sigmas(6), latent, seed, kind).samples


@pytest.mark.parametrize("sampler", [euler(), euler_ancestral()], ids=["euler", "ancestral"])
@pytest.mark.parametrize("kind", ["per item", "a1111"])
def test_an_item_does_not_depend_on_its_batch(kind: NoiseKind, sampler: Sampler) -> None:
    alone, together = drawn(kind, 1, sampler), drawn(kind, 3, sampler)
    assert torch.equal(alone[0], together[0])
    assert not torch.equal(together[0], together[1])


def test_item_k_of_a1111_is_the_picture_of_the_next_seed() -> None:
    assert torch.equal(drawn("a1111", 3, euler_ancestral(), 11)[2], drawn("a1111", 1, euler_ancestral(), 13)[0])


def test_kinds_differ_and_repeat() -> None:
    found = [drawn(kind, 2, euler_ancestral()) for kind in get_args(NoiseKind)]
    assert not any(torch.equal(found[i], found[j]) for i, j in ((0, 1), (0, 2), (1, 2)))
    assert all(
        torch.equal(each, drawn(kind, 2, euler_ancestral()))
        for kind, each in zip(get_args(NoiseKind), found, strict=True)
    )


class Still(Sampler):
    """Takes no step."""

    def step(self, state: State, i: int, denoise: Denoise, noise: NoiseSource) -> State:
        return state


@pytest.mark.parametrize("kind", get_args(NoiseKind))
def test_sampling_starts_from_it(kind: NoiseKind) -> None:
    """With a picture to start from at a lower level, that is (1 - sigma) x0 + sigma eps."""
    latent = Latent(samples=torch.full((2, 1, 8, 8), 0.3), space=SPACE)
    found = sample(Oracle(oracle_schedule=FLOW), Still(), flow_sigmas(1, denoise=0.4), latent, 5, kind).samples
    eps = noise_source(kind, 5, (2, 1, 8, 8))(INITIAL, 0)
    torch.testing.assert_close(found, 0.6 * latent.samples + 0.4 * eps, rtol=0, atol=1e-6)
