"""The networks: shapes, the meta device, zero starts, and masks that mask."""

import pytest
import torch
from torch import nn

from nodes.models.autoencoder_kl import AutoencoderKL, kl_to_standard_normal
from nodes.models.configs import AutoencoderConfig, DiTConfig, MatcherConfig, TextConfig
from nodes.models.dit import DiT
from nodes.models.image_text_matcher import ImageTextMatcher
from nodes.models.layers import masked_mean, patchify, sincos_positions_2d, timestep_embedding, unpatchify
from nodes.models.text_transformer import TextTransformer

TINY_DIT = DiTConfig(width=32, depth=2, heads=2, context_width=16)
TINY_TEXT = TextConfig(vocabulary=20, length=6, width=16, depth=2, heads=2)
TINY_AUTOENCODER = AutoencoderConfig(widths=(8, 16), encoder_blocks=(1, 1), decoder_blocks=(1, 1), groups=4)
THREE_LEVELS = AutoencoderConfig(
    widths=(8, 8, 16), encoder_blocks=(1, 1, 1), decoder_blocks=(1, 1, 1), groups=4, patch=1
)
TINY_MATCHER = MatcherConfig(widths=(8, 16), blocks=(1, 1), groups=4, embedding=12, text=TINY_TEXT)


def randomised(module: nn.Module, seed: int = 0) -> nn.Module:
    """The module with every weight random: zero starts would hide what a test looks for."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(std=0.1)
    return module.eval()


@pytest.mark.parametrize(("height", "width"), [(8, 8), (4, 12), (16, 6)])
def test_patchify_and_back(height: int, width: int) -> None:
    x = torch.randn(2, 3, height, width)
    tokens = patchify(x, 2)
    assert tokens.shape == (2, height * width // 4, 12)
    assert torch.equal(unpatchify(tokens, 2, height, width), x)
    assert torch.equal(tokens[:, 0], x[:, :, :2, :2].permute(0, 2, 3, 1).flatten(1))


def test_patchify_refuses_a_remainder() -> None:
    with pytest.raises(ValueError, match="multiples of 2"):
        patchify(torch.zeros(1, 3, 5, 4), 2)


def test_positions_of_the_grid_differ_and_follow_rows() -> None:
    positions = sincos_positions_2d(3, 5, 16, device=torch.device("cpu"))
    assert positions.unique(dim=0).shape[0] == 15
    assert torch.equal(positions[:5, 8:], positions[:1, 8:].expand(5, -1))  # one row: the second half is constant
    assert torch.equal(positions[0::5, :8], positions[:1, :8].expand(3, -1))


def test_timestep_embedding_of_zero_is_ones_then_zeros() -> None:
    out = timestep_embedding(torch.zeros(2), 8)
    assert torch.equal(out, torch.tensor([[1.0] * 4 + [0.0] * 4] * 2))


@pytest.mark.parametrize("side", [(4, 4), (8, 4), (6, 10)])
def test_a_new_dit_predicts_exactly_zero_at_every_size(side: tuple[int, int]) -> None:
    out = DiT(TINY_DIT)(
        torch.randn(3, 4, *side), torch.rand(3), torch.randn(3, 5, 16), torch.ones(3, 5, dtype=torch.bool)
    )
    assert out.shape == (3, 4, *side)
    assert torch.count_nonzero(out) == 0


def test_dit_ignores_masked_context() -> None:
    model = randomised(DiT(TINY_DIT))
    x, t, context = torch.randn(2, 4, 4, 4), torch.rand(2), torch.randn(2, 5, 16)
    mask = torch.tensor([[True, True, False, False, False], [True, True, True, False, False]])
    plain = model(x, t, context, mask)
    other = model(x, t, torch.where(mask[..., None], context, torch.randn_like(context)), mask)
    torch.testing.assert_close(plain, other, rtol=0, atol=0)
    torch.testing.assert_close(plain[:1], model(x[:1], t[:1], context[:1, :2], None), rtol=1e-5, atol=1e-6)
    assert not torch.allclose(plain, model(x, t, context, torch.ones_like(mask)))


def test_dit_depends_on_time_text_and_place() -> None:
    model = randomised(DiT(TINY_DIT))
    x, t, context = torch.randn(1, 4, 4, 4), torch.tensor([0.3]), torch.randn(1, 2, 16)
    base = model(x, t, context)
    assert not torch.allclose(base, model(x, t + 0.3, context))
    assert not torch.allclose(base, model(x, t, -context))
    assert not torch.allclose(base.flip(3), model(x.flip(3), t, context))


def test_padding_does_not_change_a_caption() -> None:
    model = randomised(TextTransformer(TINY_TEXT))
    short, mask = torch.tensor([[2, 5, 7]]), torch.ones(1, 3, dtype=torch.bool)
    padded, padded_mask = nn.functional.pad(short, (0, 3), value=9), nn.functional.pad(mask, (0, 3))
    out = model(padded, padded_mask)
    torch.testing.assert_close(out[:, :3], model(short, mask), rtol=1e-5, atol=1e-6)
    assert torch.count_nonzero(out[:, 3:]) == 0


def test_text_transformer_looks_both_ways_and_knows_order() -> None:
    model, mask = randomised(TextTransformer(TINY_TEXT)), torch.ones(1, 3, dtype=torch.bool)
    base = model(torch.tensor([[2, 5, 7]]), mask)
    assert not torch.allclose(base[:, 0], model(torch.tensor([[2, 5, 8]]), mask)[:, 0])
    assert not torch.allclose(base[:, 0], model(torch.tensor([[2, 7, 5]]), mask)[:, 0])


def test_text_transformer_refuses_long_captions() -> None:
    with pytest.raises(ValueError, match="at most 6"):
        TextTransformer(TINY_TEXT)(torch.zeros(1, 7, dtype=torch.int64), torch.ones(1, 7, dtype=torch.bool))


@pytest.mark.parametrize("config", [TINY_AUTOENCODER, THREE_LEVELS])
def test_autoencoder_shapes(config: AutoencoderConfig) -> None:
    model = AutoencoderKL(config)
    mean, log_variance = model.encode(torch.zeros(2, 3, 16, 24))
    assert config.downscale == 4
    assert mean.shape == log_variance.shape == (2, 4, 4, 6)
    assert model.decode(mean).shape == (2, 3, 16, 24)
    with pytest.raises(ValueError, match="multiples of 4"):
        model.encode(torch.zeros(1, 3, 18, 16))


def test_log_variance_is_clamped() -> None:
    model = AutoencoderKL(TINY_AUTOENCODER)
    with torch.no_grad():
        model.encoder.conv_out.bias.fill_(1e3)
    assert float(model.encode(torch.zeros(1, 3, 8, 8))[1].detach().max()) == 20.0


def test_kl_agrees_with_torch() -> None:
    mean, log_variance = torch.randn(5, dtype=torch.float64), torch.randn(5, dtype=torch.float64)
    normal = torch.distributions.Normal
    expected = torch.distributions.kl_divergence(normal(mean, (0.5 * log_variance).exp()), normal(0.0, 1.0))
    torch.testing.assert_close(kl_to_standard_normal(mean, log_variance), expected)


def test_masked_mean() -> None:
    x = torch.tensor([[[1.0], [3.0], [100.0]], [[5.0], [7.0], [9.0]]])
    mask = torch.tensor([[True, True, False], [False, False, False]])
    assert masked_mean(x, mask).tolist() == [[2.0], [0.0]]
    assert masked_mean(x[1:], None).tolist() == [[7.0]]


def test_matcher_gives_unit_vectors_and_scaled_products() -> None:
    model = randomised(ImageTextMatcher(TINY_MATCHER))
    image, ids, mask = torch.randn(3, 3, 16, 16), torch.randint(3, 20, (2, 4)), torch.ones(2, 4, dtype=torch.bool)
    images, texts = model.embed_images(image), model.embed_texts(ids, mask)
    torch.testing.assert_close(images.norm(dim=1), torch.ones(3))
    torch.testing.assert_close(texts.norm(dim=1), torch.ones(2))
    torch.testing.assert_close(model(image, ids, mask), model.log_scale.exp() * images @ texts.T)


def test_every_network_builds_and_runs_on_the_meta_device() -> None:
    with torch.device("meta"):
        ids, mask = torch.zeros(2, 4, dtype=torch.int64), torch.ones(2, 4, dtype=torch.bool)
        context = TextTransformer(TINY_TEXT)(ids, mask)
        assert DiT(TINY_DIT)(torch.zeros(2, 4, 8, 8), torch.zeros(2), context, mask).shape == (2, 4, 8, 8)
        autoencoder = AutoencoderKL(TINY_AUTOENCODER)
        assert autoencoder.decode(autoencoder.encode(torch.zeros(2, 3, 8, 8))[0]).device.type == "meta"
        assert ImageTextMatcher(TINY_MATCHER)(torch.zeros(2, 3, 8, 8), ids, mask).shape == (2, 2)


def test_the_bundled_family_is_small_enough() -> None:
    with torch.device("meta"):
        family = (DiT(DiTConfig()), TextTransformer(TextConfig()), AutoencoderKL(AutoencoderConfig()))
    assert sum(p.numel() for module in family for p in module.parameters()) <= 12_500_000
