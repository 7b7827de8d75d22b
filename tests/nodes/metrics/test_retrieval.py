"""Picture scores against closed forms."""

import math

import pytest
import torch

from nodes.metrics.retrieval import psnr, retrieval_accuracy


def test_psnr_of_a_constant_error() -> None:
    x = torch.full((2, 4, 4, 3), 100, dtype=torch.uint8)
    y = torch.stack([x[0] + 10, x[1]])
    assert psnr(x, y).tolist() == pytest.approx([20 * math.log10(25.5), 10 * math.log10(255**2 / 1e-4)])


def test_perfect_vectors_are_always_found_and_wrong_ones_never() -> None:
    unit = torch.eye(8)
    rows = torch.arange(8)
    assert retrieval_accuracy(unit, unit, rows, among=8) == 1.0
    assert retrieval_accuracy(unit, unit, (rows + 1) % 8, among=8) == 0.0


def test_random_vectors_score_at_chance() -> None:
    draw = torch.Generator().manual_seed(1)
    images, texts = torch.randn(400, 16, generator=draw), torch.randn(60, 16, generator=draw)
    rows = torch.randint(60, (400,), generator=draw)
    assert retrieval_accuracy(images, texts, rows, among=5, draws=40) == pytest.approx(0.2, abs=0.06)


def test_ties_count_as_wrong() -> None:
    same = torch.ones(4, 3)
    assert retrieval_accuracy(same, same, torch.arange(4), among=4) == 0.0


def test_too_few_captions_raise() -> None:
    with pytest.raises(ValueError, match="needs as many"):
        retrieval_accuracy(torch.eye(3), torch.eye(3), torch.arange(3), among=4)
