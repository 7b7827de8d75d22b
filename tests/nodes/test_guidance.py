from __future__ import annotations

import pytest
import torch

from nodegraph import InvalidInput
from nodes.conditioning.encodings import joined, repeated
from nodes.guidance.classifier_free import classifier_free_guidance
from nodes.types import Denoiser, Encoding

from .oracles import Affine, affine_denoiser, conditioning

SIGMA = torch.tensor(0.6, dtype=torch.float64)
X = torch.randn(3, 1, 4, 4, generator=torch.Generator().manual_seed(2))


def calls(denoiser: Denoiser) -> list[int]:
    assert isinstance(denoiser.network, Affine)
    return denoiser.network.batches


@pytest.mark.parametrize("kind", ["flow", "eps", "x0"])
def test_both_branches_in_one_call_equal_two_calls(kind: str) -> None:
    positive, negative = conditioning(5, 2, 3), conditioning(1, seed=1)
    denoiser = affine_denoiser(kind)
    guided = classifier_free_guidance(denoiser, positive, negative, 4.0).denoise(X, SIGMA)
    assert calls(denoiser) == [6]
    p = classifier_free_guidance(denoiser, positive, negative, 1.0).denoise(X, SIGMA)
    n = classifier_free_guidance(denoiser, positive, negative, 0.0).denoise(X, SIGMA)
    torch.testing.assert_close(guided, n + 4.0 * (p - n), rtol=0, atol=1e-6 if kind != "eps" else 1e-5)
    assert calls(denoiser) == [6, 3, 3]


def test_scale_1_and_0_are_one_branch_bit_by_bit() -> None:
    positive, negative = conditioning(2), conditioning(4, seed=1)
    denoiser = affine_denoiser()
    p = denoiser.denoise(X, SIGMA, repeated(positive.entries[0].encoding, 3))
    n = denoiser.denoise(X, SIGMA, repeated(negative.entries[0].encoding, 3))
    assert torch.equal(classifier_free_guidance(denoiser, positive, negative, 1.0).denoise(X, SIGMA), p)
    assert torch.equal(classifier_free_guidance(denoiser, positive, negative, 0.0).denoise(X, SIGMA), n)


def test_without_a_negative_the_empty_prompt_counts() -> None:
    positive = conditioning(2)
    assert positive.unconditional is not None
    denoiser = affine_denoiser()
    found = classifier_free_guidance(denoiser, positive, None, 0.0).denoise(X, SIGMA)
    assert torch.equal(found, denoiser.denoise(X, SIGMA, repeated(positive.unconditional, 3)))


def test_prediction_type_does_not_matter() -> None:
    """Guided as eps and as x0 agree: the combination is linear and its coefficients sum to 1."""
    sigma = torch.tensor(2.0, dtype=torch.float64)
    x = X.double()
    d_p, d_n = torch.randn(2, 3, 1, 4, 4, dtype=torch.float64).unbind()
    eps_p, eps_n = (x - d_p) / sigma, (x - d_n) / sigma
    through_eps = x - sigma * (eps_n + 3.0 * (eps_p - eps_n))
    torch.testing.assert_close(through_eps, d_n + 3.0 * (d_p - d_n), rtol=0, atol=1e-12)


def test_levels_per_item_reach_both_branches() -> None:
    denoiser, positive = affine_denoiser("eps"), conditioning(2, 1, 3)
    sigmas = torch.tensor([0.1, 1.0, 10.0], dtype=torch.float64)
    guided = classifier_free_guidance(denoiser, positive, None, 2.0)
    together = guided.denoise(X, sigmas)
    for item in range(3):
        part = conditioning(2, 1, 3).entries[0].encoding[item : item + 1]
        p = denoiser.denoise(X[item : item + 1], sigmas[item], part)
        assert positive.unconditional is not None
        n = denoiser.denoise(X[item : item + 1], sigmas[item], positive.unconditional)
        torch.testing.assert_close(together[item : item + 1], n + 2.0 * (p - n), rtol=1e-5, atol=1e-4)


def test_what_cannot_be_guided_is_refused() -> None:
    denoiser = affine_denoiser()
    with pytest.raises(InvalidInput, match="without an empty prompt"):
        classifier_free_guidance(denoiser, conditioning(2, empty=False), None, 3.0)
    classifier_free_guidance(denoiser, conditioning(2, empty=False), None, 1.0)  # needs none
    with pytest.raises(InvalidInput, match="there are 3 positive prompts"):
        classifier_free_guidance(denoiser, conditioning(1, 1, 1), conditioning(1, 1), 3.0)


def test_joining_pads_with_masked_zeros() -> None:
    a, b = conditioning(3).entries[0].encoding, conditioning(1, 2, seed=1).entries[0].encoding
    both = joined([a, b])
    assert both.tokens.shape == (3, 3, 3)
    assert both.mask.tolist() == [[True] * 3, [True, False, False], [True, True, False]]
    assert torch.equal(both.tokens[1:, 2], torch.zeros(2, 3))
    assert torch.equal(a.tokens, conditioning(3).entries[0].encoding.tokens)


def test_encodings_of_different_encoders_do_not_join() -> None:
    plain = conditioning(2).entries[0].encoding
    pooled = Encoding(tokens=plain.tokens, mask=plain.mask, pooled=torch.zeros(1, 2))
    with pytest.raises(ValueError, match="different encoders"):
        joined([plain, pooled])
    with pytest.raises(ValueError, match="cannot stand for 5"):
        repeated(conditioning(1, 1).entries[0].encoding, 5)
