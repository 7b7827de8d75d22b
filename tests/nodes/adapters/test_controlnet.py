"""ControlNets beside a model: identity where nothing is asked for, sums, and when they are called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from nodegraph import InvalidInput
from nodes.adapters.apply_controlnet import apply_controlnet, controlnet_from_denoiser
from nodes.adapters.controlnet import ControlNet, ControlPatch
from nodes.types import Conditioning, Denoiser, Entry, Image, Patch

from ..tiny_controlnet import (
    CONFIGS,
    counted,
    denoised,
    drawn,
    encoding,
    hint,
    latent,
    sigma_at,
    tiny_controlnet,
    tiny_denoiser,
)
from ..tiny_sd import UNET1

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def without_gradients(request: pytest.FixtureRequest) -> Iterator[None]:
    """As nodes run, but for the test that trains."""
    with torch.set_grad_enabled("learns" in request.node.name):
        yield


# neutral settings


@pytest.mark.parametrize("version", CONFIGS)
def test_a_new_one_changes_nothing_whatever_the_hint(version: str) -> None:
    base = tiny_denoiser(version)
    control = controlnet_from_denoiser(base, seed=3)
    assert not any(each.requires_grad for each in control.network.parameters())
    for picture in (hint(1), hint(2, seed=9), Image(pixels=torch.ones(1, 3, 64, 96))):
        assert torch.equal(denoised(apply_controlnet(base, control, picture, 3.0), version), denoised(base, version))


def test_a_new_one_is_a_copy_of_the_encoder() -> None:
    base = tiny_denoiser("2")
    state, copy = base.network.state_dict(), controlnet_from_denoiser(base, seed=3).network.state_dict()
    shared = copy.keys() & state.keys()
    assert len(shared) == len(copy) - 16 - 2 * 7 and all(torch.equal(copy[name], state[name]) for name in shared)
    assert all(copy[name].data_ptr() != state[name].data_ptr() for name in shared)
    assert not any(bool(value.any()) for name, value in copy.items() if "zero_convs" in name or "block_out" in name)
    assert copy["input_hint_block.0.weight"].std() > 0.1
    assert not copy["input_hint_block.14.weight"].any()
    again = controlnet_from_denoiser(base, seed=3).network.state_dict()
    assert all(torch.equal(copy[name], again[name]) for name in copy)
    other = controlnet_from_denoiser(base, seed=4).network.state_dict()
    assert not torch.equal(copy["input_hint_block.0.weight"], other["input_hint_block.0.weight"])


def test_a_new_one_learns_from_its_zeros() -> None:
    """After one step the zero convolutions are not zero, while the copied encoder had no gradient yet; then it has."""
    base = tiny_denoiser("1")
    network = controlnet_from_denoiser(base).network.requires_grad_(True)
    denoiser = apply_controlnet(base, ControlNet(network=network), hint())
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    encoder, norms = network.input_blocks[1][0].in_layers[2].weight, []
    for _ in range(2):
        denoiser.patches[0].guided.clear()  # type: ignore[attr-defined]
        optimiser.zero_grad()
        denoised(denoiser).square().mean().backward()
        norms.append(float(encoder.grad.abs().sum()))
        optimiser.step()
    assert norms[0] == 0.0 < norms[1]
    assert all(each[0].weight.abs().sum() > 0 for each in network.zero_convs)


def test_strength_0_is_the_model_itself() -> None:
    base = tiny_denoiser()
    control, network = counted()
    assert apply_controlnet(base, control, hint(), 0.0) is base
    assert (network.calls, network.hints) == (0, [])


def test_the_model_before_is_unchanged() -> None:
    base = tiny_denoiser()
    before = denoised(base)
    steered = denoised(apply_controlnet(base, tiny_controlnet(), hint()))
    assert not torch.equal(steered, before)
    assert torch.equal(denoised(base), before)


# sums


def residuals(denoiser: Denoiser, control: ControlNet, picture: Image, strength: float) -> list[Tensor]:
    """What one ControlNet adds, as the taps see it."""
    seen: list[Tensor] = []

    class Seen(ControlPatch):
        def residuals(self, call: Any) -> list[Tensor]:
            seen.extend(super().residuals(call))
            return seen

    [patch] = apply_controlnet(denoiser, control, picture, strength).patches
    assert isinstance(patch, ControlPatch)
    fields = {name: getattr(patch, name) for name in ("control", "hint", "strength", "highest", "lowest")}
    denoised(denoiser.patch(Seen(**fields, fit="crop", weighting="even")))
    return seen


def test_strength_scales_every_output() -> None:
    base, control = tiny_denoiser(), tiny_controlnet()
    single, double = (residuals(base, control, hint(), strength) for strength in (1.0, 2.0))
    assert len(single) == 7
    for one, two in zip(single, double, strict=True):
        assert one.std() > 0.01
        assert torch.equal(2.0 * one, two)


def test_two_add_up_in_either_order() -> None:
    base, first, second = tiny_denoiser(), tiny_controlnet(), tiny_controlnet(seed=8)
    a, b = hint(), hint(seed=9)
    one_two = denoised(apply_controlnet(apply_controlnet(base, first, a), second, b, 0.5))
    two_one = denoised(apply_controlnet(apply_controlnet(base, second, b, 0.5), first, a))
    assert (one_two - two_one).abs().max() <= 1e-5 * one_two.abs().max()
    both = denoised(apply_controlnet(apply_controlnet(base, first, a, 0.5), first, a, 0.5))
    assert (both - denoised(apply_controlnet(base, first, a))).abs().max() <= 1e-5 * both.abs().max()


def test_soft_weights_fall_towards_the_finest() -> None:
    [patch] = apply_controlnet(tiny_denoiser(), tiny_controlnet(), hint(), 2.0, weighting="soft").patches
    assert isinstance(patch, ControlPatch)
    assert patch.factors(13) == [2.0 * 0.825 ** (12 - i) for i in range(13)]
    assert replace(patch, weighting="even").factors(3) == [2.0] * 3


def test_only_the_mean_counts_where_the_network_says_so() -> None:
    base, control = tiny_denoiser(), tiny_controlnet()
    plain, pooled = (residuals(base, each, hint(), 1.0) for each in (control, replace(control, pooled=True)))
    for one, mean in zip(plain, pooled, strict=True):
        assert mean.shape == (2, one.shape[1], 1, 1)
        assert torch.allclose(one.mean((2, 3)), mean[:, :, 0, 0])


# the part of the steps


def guided_run(denoiser: Denoiser, steps: int) -> None:
    said = Conditioning(entries=(Entry(encoding=encoding(batch=1)),))
    other = Conditioning(entries=(Entry(encoding=encoding(batch=1, seed=5)),))
    drawn(denoiser, said, other, latent(1), steps)


@pytest.mark.parametrize(
    ("start", "end", "calls"), [(0.0, 1.0, 10), (0.0, 0.5, 5), (0.5, 1.0, 5), (0.25, 0.75, 5), (0.95, 0.99, 0)]
)
def test_it_is_called_in_its_part_of_the_steps_only(start: float, end: float, calls: int) -> None:
    base = tiny_denoiser()
    control, network = counted()
    guided_run(apply_controlnet(base, control, hint(), start=start, end=end), 10)
    assert network.calls == calls  # levels at the training steps 1, 101, ..., 901 of 1000
    assert len(network.hints) == min(calls, 1)


def test_outside_its_part_nothing_changes() -> None:
    base = tiny_denoiser()
    late = apply_controlnet(base, tiny_controlnet(), hint(), start=0.5)
    early = sigma_at(base, 700.0)[0]
    assert torch.equal(denoised(late, sigma=early), denoised(base, sigma=early))
    both = sigma_at(base, 700.0, 300.0)
    found, plain = denoised(late, sigma=both), denoised(base, sigma=both)
    assert torch.equal(found[0], plain[0])
    assert not torch.equal(found[1], plain[1])


def test_parts_that_follow_each_other_share_no_level() -> None:
    base = tiny_denoiser()
    first, second = (counted(seed) for seed in (7, 8))
    denoiser = apply_controlnet(base, first[0], hint(), end=0.5)
    denoiser = apply_controlnet(denoiser, second[0], hint(), start=0.5)
    middle = base.schedule.at_progress(0.5)
    for level in (middle * 1.0001, middle, middle * 0.9999):
        denoised(denoiser, sigma=torch.tensor(level, dtype=torch.float64))
    assert (first[1].calls, second[1].calls) == (1, 2)


def test_parts_that_end_before_they_start_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"it starts at 0\.6"):
        apply_controlnet(tiny_denoiser(), tiny_controlnet(), hint(), start=0.6, end=0.6)


# models


def test_it_computes_in_its_own_dtype_and_adds_in_the_models() -> None:
    base, control = tiny_denoiser(), tiny_controlnet()
    half = replace(base, network=tiny_denoiser().network.to(torch.bfloat16))
    coarse = ControlNet(network=tiny_controlnet().network.to(torch.bfloat16))
    wanted = denoised(apply_controlnet(base, control, hint()))
    plain = denoised(base)
    for model, handle in ((half, coarse), (half, control), (base, coarse)):
        found = denoised(apply_controlnet(model, handle, hint()))
        assert found.dtype is torch.float32
        assert (found - wanted).abs().mean() < 0.1 * (plain - wanted).abs().mean()


def test_an_inpainting_model_takes_the_controlnet_of_its_version() -> None:
    inpainting = tiny_denoiser(config=replace(UNET1, in_channels=9))

    class Beside(Patch):
        def channels(self, call: Any) -> Tensor:
            return torch.zeros_like(call.x[:, :1]).expand(-1, 5, -1, -1)

    masked = inpainting.patch(Beside())
    assert not torch.equal(denoised(apply_controlnet(masked, tiny_controlnet(), hint())), denoised(masked))
    with pytest.raises(InvalidInput, match="9 channels"):
        controlnet_from_denoiser(inpainting)


def test_another_version_is_refused_by_both_names() -> None:
    with pytest.raises(InvalidInput, match=r"it is for Stable Diffusion of context width 128.*context width 64"):
        apply_controlnet(tiny_denoiser("1"), tiny_controlnet("XL"), hint())
    with pytest.raises(InvalidInput, match="of another shape"):
        apply_controlnet(tiny_denoiser("1"), tiny_controlnet("2"), hint())
