"""Conditionings of several entries: regions, ranges of noise levels, weights, and which calls they cost."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from nodegraph import InvalidInput
from nodes.checkpoints.load import load_checkpoint
from nodes.conditioning.composing import (
    average_conditionings,
    combine_conditionings,
    concat_conditionings,
    set_picture_size,
)
from nodes.conditioning.encodings import repeated
from nodes.conditioning.limits import limit_to_range, limit_to_rectangle, limit_to_region
from nodes.conditioning.text import encode_text
from nodes.guidance.classifier_free import classifier_free_guidance
from nodes.guidance.entries import counts, predictions, rectangle
from nodes.samplers.euler import euler
from nodes.samplers.sample import sample
from nodes.specs.sampling import ConditioningSpec, GuiderSpec
from nodes.types import BrokenContract, Conditioning, Denoiser, Entry, Latent, Mask, Sigmas

from .oracles import FLOW, SPACE, VP, Affine, affine_denoiser, conditioning
from .tiny_sd import write_sd

SIGMA = torch.tensor(0.6, dtype=torch.float64)
X = torch.randn(3, 1, 4, 6, generator=torch.Generator().manual_seed(2))
A, B = conditioning(3), conditioning(5, seed=1)


def calls(denoiser: Denoiser) -> list[int]:
    assert isinstance(denoiser.network, Affine)
    return denoiser.network.batches


def alone(said: Conditioning, sigma: Tensor = SIGMA, x: Tensor = X) -> Tensor:
    return affine_denoiser().denoise(x, sigma, repeated(said.entries[0].encoding, len(x)))


def nothing(said: Conditioning = A) -> Conditioning:
    assert said.unconditional is not None
    return Conditioning(entries=(Entry(encoding=said.unconditional),))


def guided(said: Conditioning, denoiser: Denoiser | None = None, sigma: Tensor = SIGMA, scale: float = 1.0) -> Tensor:
    return classifier_free_guidance(denoiser or affine_denoiser(), said, None, scale).denoise(X, sigma)


def mask(values: Tensor) -> Mask:
    return Mask(values=values.expand(1, 1, *values.shape[-2:]).contiguous())


@pytest.mark.parametrize(
    "full",
    [
        limit_to_rectangle(A, strength=0.3),
        limit_to_region(A, mask(torch.ones(8, 12)), strength=0.7),
        limit_to_range(A),
        combine_conditionings([A], [0.1]),
    ],
)
@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_what_is_said_of_everything_is_plain_to_the_bit(full: Conditioning, scale: float) -> None:
    denoiser = affine_denoiser()
    assert torch.equal(guided(full, denoiser, scale=scale), guided(A, scale=scale))
    assert calls(denoiser) == [3 if scale == 1.0 else 6]


def test_regions_that_do_not_overlap_know_nothing_of_each_other() -> None:
    left = limit_to_rectangle(A, right=0.5)
    denoiser = affine_denoiser()
    found = guided(combine_conditionings([left, limit_to_rectangle(B, left=0.5)]), denoiser)
    assert torch.equal(found[..., :3], alone(A)[..., :3])
    assert torch.equal(found[..., 3:], alone(B)[..., 3:])
    other = guided(combine_conditionings([left, limit_to_rectangle(conditioning(9, seed=7), left=0.5)]))
    assert torch.equal(found[..., :3], other[..., :3])
    assert (found - other)[..., 3:].abs().min() > 0.0
    assert calls(denoiser) == [6]


def test_predictions_are_averaged_by_strength_times_mask() -> None:
    a, b = torch.rand(2, 1, 1, 8, 12, generator=torch.Generator().manual_seed(0)).clamp(min=0.1)
    both = [limit_to_region(A, mask(a), 0.5), limit_to_region(B, mask(b), 2.0)]
    found = guided(combine_conditionings(both, [3.0, 1.0]))
    w_a, w_b = (
        3.0 * 0.5 * a.reshape(1, 1, 4, 2, 6, 2).mean(dim=(3, 5)),
        2.0 * b.reshape(1, 1, 4, 2, 6, 2).mean(dim=(3, 5)),
    )
    torch.testing.assert_close(found, (w_a * alone(A) + w_b * alone(B)) / (w_a + w_b))


def test_weights_count_by_their_proportions_only() -> None:
    found = [guided(combine_conditionings([A, B], weights)) for weights in ([1.0, 3.0], [2.0, 6.0])]
    torch.testing.assert_close(*found)
    torch.testing.assert_close(found[0], 0.25 * alone(A) + 0.75 * alone(B))
    torch.testing.assert_close(guided(combine_conditionings([A, B])), (alone(A) + alone(B)) / 2)


def test_where_nothing_is_said_the_empty_prompt_counts() -> None:
    denoiser = affine_denoiser()
    said = limit_to_rectangle(A, right=0.5)
    found = guided(said, denoiser)
    assert torch.equal(found[..., :3], alone(A)[..., :3])
    assert torch.equal(found[..., 3:], alone(nothing())[..., 3:])
    assert torch.equal(guided(said, denoiser, scale=5.0)[..., 3:], found[..., 3:])
    assert calls(denoiser) == [6, 6]  # for the negative, nothing is evaluated only once
    with pytest.raises(InvalidInput, match="no empty prompt"):
        guided(replace(said, unconditional=None))


@pytest.mark.parametrize("kind", ["flow", "eps"])
def test_outside_its_range_an_entry_costs_nothing(kind: str) -> None:
    schedule = FLOW if kind == "flow" else VP
    said = combine_conditionings([limit_to_range(A, end=0.4), limit_to_range(B, start=0.4)])
    edge = schedule.at_progress(0.4)
    for factor, chosen in ((1.2, A), (1.001, A), (1.0, B), (0.5, B), (0.0, B)):
        denoiser = affine_denoiser(kind)
        sigma = torch.tensor(edge * factor, dtype=torch.float64)
        if factor == 0.0:
            assert [bool(counts(each, schedule, sigma)) for each in said.entries] == [False, True]
            continue
        found = guided(said, denoiser, sigma)
        assert calls(denoiser) == [3]
        wanted = affine_denoiser(kind).denoise(X, sigma, repeated(chosen.entries[0].encoding, 3))
        assert torch.equal(found, wanted)


def test_in_a_sampling_an_entry_is_evaluated_in_its_steps_only() -> None:
    denoiser = affine_denoiser()
    said = combine_conditionings([A, limit_to_range(B, start=0.25, end=0.5)])
    guider = classifier_free_guidance(denoiser, said, None, 1.0)
    grid = Sigmas.of(torch.linspace(1, 0, 9).tolist())
    sample(guider, euler(), grid, Latent(samples=torch.zeros(1, 1, 4, 4), space=SPACE))
    assert calls(denoiser) == [1, 1, 2, 2, 1, 1, 1, 1]


def test_each_item_of_a_batch_has_its_level() -> None:
    said = limit_to_range(A, end=0.5)
    sigmas = torch.tensor([0.9, 0.4, 0.7], dtype=torch.float64)
    found = guided(said, sigma=sigmas)
    for item, chosen in enumerate((A, nothing(), A)):
        part = slice(item, item + 1)
        torch.testing.assert_close(found[part], alone(chosen, sigmas[item], X[part]))


def test_each_picture_may_have_its_mask() -> None:
    values = torch.stack([torch.full((1, 4, 6), each) for each in (1.0, 0.0, 0.5)])
    found = guided(combine_conditionings([limit_to_region(A, Mask(values=values)), limit_to_rectangle(B, left=0.5)]))
    assert torch.equal(found[0, :, :, :3], alone(A)[0, :, :, :3])
    assert torch.equal(found[1, :, :, 3:], alone(B)[1, :, :, 3:])
    torch.testing.assert_close(found[2, :, :, 3:], (alone(A) / 3 + alone(B) * 2 / 3)[2, :, :, 3:])


def test_entries_that_do_not_go_into_one_call_take_several() -> None:
    denoiser = affine_denoiser()
    sized = set_picture_size(B)
    found = predictions(denoiser, X, SIGMA, [A, sized])
    assert calls(denoiser) == [3, 3]
    assert torch.equal(found[0], alone(A))
    assert torch.equal(found[1], alone(B))


def test_the_most_that_a_network_sees_is_told_before() -> None:
    said = combine_conditionings([limit_to_rectangle(A, right=0.5), limit_to_range(B, end=0.5)])
    assert ConditioningSpec.of(said).branches == 3
    for scale, branches in ((1.0, 3), (3.0, 3), (0.0, 1)):
        guider = classifier_free_guidance(affine_denoiser(), said, None, scale)
        assert GuiderSpec.of(guider).branches == branches
        guider.denoise(X, SIGMA)
        assert max(calls(guider.denoiser)) <= 3 * branches  # type: ignore[attr-defined]
    assert GuiderSpec.of(classifier_free_guidance(affine_denoiser(), said, said, 3.0)).branches == 6


@pytest.mark.parametrize("sides", [(4, 6), (5, 7), (1, 1)])
def test_rectangles_that_adjoin_share_no_pixel_and_leave_none(sides: tuple[int, int]) -> None:
    cuts = [0.0, 0.3, 0.5, 0.77, 1.0]
    parts = [rectangle((0.0, a, 1.0, b), *sides) for a, b in itertools.pairwise(cuts)]
    if sides != (1, 1):
        assert torch.equal(torch.stack(parts).sum(dim=0), torch.ones(1, 1, *sides))
    assert all(each.sum() >= 1 for each in parts)


def test_limits_are_cut_down_not_replaced() -> None:
    twice = limit_to_rectangle(limit_to_rectangle(A, 0.0, 0.2, 0.5, 1.0), 0.25, 0.0, 1.0, 0.6)
    assert twice.entries[0].area == (0.2, 0.25, 0.6, 0.5)
    assert (limit_to_range(limit_to_range(A, 0.1, 0.6), 0.3).entries[0].end) == 0.6
    with pytest.raises(InvalidInput, match="not below right"):
        limit_to_rectangle(twice, left=0.7)
    with pytest.raises(InvalidInput, match="not below the end"):
        limit_to_range(limit_to_range(A, 0.1, 0.3), 0.3)
    with pytest.raises(BrokenContract, match="no rectangle"):
        replace(A.entries[0], area=(0.5, 0.0, 0.5, 1.0))


def test_tokens_are_put_behind_each_other() -> None:
    found = concat_conditionings(limit_to_rectangle(A, right=0.5), conditioning(2, 1, seed=3))
    [entry] = found.entries
    assert entry.area == (0.0, 0.0, 1.0, 0.5)
    assert entry.encoding.mask.tolist() == [[True] * 5, [True] * 4 + [False]]
    assert torch.equal(entry.encoding.tokens[1, :3], A.entries[0].encoding.tokens[0])


def test_prompts_are_interpolated_and_the_ends_are_exact() -> None:
    one = replace(A.entries[0].encoding, pooled=torch.tensor([[1.0, 2.0]]))
    two = replace(B.entries[0].encoding, pooled=torch.tensor([[3.0, -2.0]]))
    a, b = (Conditioning(entries=(Entry(encoding=each),)) for each in (one, two))
    found = average_conditionings(a, b, 0.25).entries[0].encoding
    wanted = 0.25 * two.tokens
    wanted[:, :3] += 0.75 * one.tokens
    torch.testing.assert_close(found.tokens, wanted)
    assert found.pooled is not None
    assert found.pooled.tolist() == [[1.5, 1.0]]
    assert average_conditionings(a, b, 0.0) is a
    last = average_conditionings(a, b, 1.0).entries[0].encoding
    assert torch.equal(last.tokens, two.tokens)
    assert last.pooled is two.pooled
    with pytest.raises(InvalidInput, match="pooled"):
        average_conditionings(a, B)


def test_sdxl_is_told_the_size(tmp_path: Path) -> None:
    model = load_checkpoint(write_sd(tmp_path / "model.safetensors", "XL"))
    prompt = encode_text(model.text_encoder, "a fox")
    x, sigma = torch.randn(1, 4, 8, 16, generator=torch.Generator().manual_seed(0)), torch.tensor(2.0).double()

    def seen(said: Conditioning) -> Tensor:
        return classifier_free_guidance(model.denoiser, said, None, 3.0).denoise(x, sigma)

    same, small = set_picture_size(prompt, 128, 64), set_picture_size(prompt, 256, 64, 5, 0, 128, 64)
    assert same.entries[0].encoding.sizes is not None
    assert same.entries[0].encoding.sizes.tolist() == [[64, 128, 0, 0, 64, 128]]
    torch.testing.assert_close(seen(same), seen(prompt), rtol=1e-5, atol=1e-5)
    assert (seen(small) - seen(prompt)).abs().max() > 1e-3
