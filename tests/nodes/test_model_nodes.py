"""Text, latents and sampling with a tiny model of the bundled family."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from nodegraph import InvalidInput
from nodegraph.ports.codec.hashing import content_hash
from nodegraph.testing import RecordingContext
from nodes.checkpoints.load import LoadedCheckpoint
from nodes.conditioning.text import encode_text
from nodes.guidance.classifier_free import classifier_free_guidance
from nodes.latents import decode_latent, empty_latent, encode_image
from nodes.samplers.euler import euler
from nodes.samplers.sample import sample
from nodes.schedules.flow import flow_sigmas
from nodes.types import Image


def test_no_words_are_the_unconditional_prompt(model: LoadedCheckpoint) -> None:
    found = encode_text(model.text_encoder, "")
    assert found.unconditional is not None
    assert torch.equal(found.entries[0].encoding.tokens, found.unconditional.tokens)
    assert torch.equal(encode_text(model.text_encoder, "  \n ").entries[0].encoding.tokens, found.unconditional.tokens)


def test_ten_thousand_words_are_cut_and_the_log_says_so(model: LoadedCheckpoint, ctx: RecordingContext) -> None:
    found = encode_text(model.text_encoder, "cat " * 10_000, ctx)
    assert found.entries[0].encoding.tokens.shape[1] == 8
    assert "10001 tokens" in ctx.logged[0]
    assert "the last 9993 are left out" in ctx.logged[0]
    assert torch.equal(
        found.entries[0].encoding.tokens, encode_text(model.text_encoder, "cat " * 7).entries[0].encoding.tokens
    )


def test_prompts_of_a_list_are_those_of_single_runs(model: LoadedCheckpoint, ctx: RecordingContext) -> None:
    texts = ["a red apple", "", "the blue sea and an old house"]
    together = encode_text(model.text_encoder, texts, ctx).entries[0].encoding
    for item, text in enumerate(texts):
        alone = encode_text(model.text_encoder, text).entries[0].encoding
        assert int(together.mask[item].sum()) == alone.tokens.shape[1]
        torch.testing.assert_close(together.tokens[item, : alone.tokens.shape[1]], alone.tokens[0], rtol=0, atol=1e-5)
    assert not ctx.logged
    with pytest.raises(InvalidInput, match="the list holds no prompt"):
        encode_text(model.text_encoder, [])


def test_unusual_characters_are_harmless(model: LoadedCheckpoint) -> None:
    for text in ("\0", "☃" * 50, "ＡＰＰＬＥ", "x" * 5_000, "é\u0301"):
        assert encode_text(model.text_encoder, text).entries[0].encoding.tokens.isfinite().all()


def test_empty_latents_fit_the_model(model: LoadedCheckpoint) -> None:
    found = empty_latent(model.denoiser, 24, 16, 3)
    assert found.samples.shape == (3, 4, 4, 6)
    assert not found.samples.any()
    assert empty_latent(model.autoencoder, 4, 4).samples.shape == (1, 4, 1, 1)
    with pytest.raises(InvalidInput, match="multiples of 8 pixels; use 16 or 24"):
        empty_latent(model.denoiser, 20, 16)
    with pytest.raises(InvalidInput, match="use 8"):
        empty_latent(model.denoiser, 16, 1)


def test_encoding_and_decoding(model: LoadedCheckpoint, ctx: RecordingContext) -> None:
    image = Image(pixels=torch.rand(2, 3, 12, 8, generator=torch.Generator().manual_seed(0)))
    before = content_hash(image), content_hash(model.autoencoder)
    latent = encode_image(model.autoencoder, image, ctx)
    assert latent.samples.shape == (2, 4, 3, 2)
    assert torch.equal(latent.samples, encode_image(model.autoencoder, image).samples)
    assert decode_latent(model.autoencoder, latent, ctx).pixels.shape == image.pixels.shape
    assert before == (content_hash(image), content_hash(model.autoencoder))
    grey = encode_image(model.autoencoder, Image(pixels=image.pixels[:, :1]))
    assert grey.samples.shape == latent.samples.shape
    with pytest.raises(InvalidInput, match="its height is no multiple of 4; use resize_image, for example to 8 x 12"):
        encode_image(model.autoencoder, Image(pixels=image.pixels[:, :, :11]))


def test_latents_of_another_space_are_refused_by_name(model: LoadedCheckpoint) -> None:
    latent = empty_latent(model.denoiser, 8, 8)
    other = replace(model.autoencoder, space=replace(model.autoencoder.space, name="sdxl"))
    with pytest.raises(InvalidInput, match="'icons'; this autoencoder reads 'sdxl'"):
        decode_latent(other, latent)
    scaled = replace(model.autoencoder, space=replace(model.autoencoder.space, scale=(1.0, 1.0, 1.0, 1.0)))
    with pytest.raises(InvalidInput, match="of the same name, but scale"):
        decode_latent(scaled, latent)


def test_a_batch_of_prompts_gives_the_pictures_of_single_runs(model: LoadedCheckpoint) -> None:
    texts = ["a red apple", "cat"]
    images = []
    for prompt in (texts, texts[0]):
        guider = classifier_free_guidance(model.denoiser, encode_text(model.text_encoder, prompt), None, 4.0)
        latent = sample(guider, euler(), flow_sigmas(4), empty_latent(model.denoiser, 16, 16), 5)
        images.append(decode_latent(model.autoencoder, latent).pixels)
    assert len(images[0]) == 2
    torch.testing.assert_close(images[0][:1], images[1], rtol=0, atol=1e-4)


def test_batched_guidance_through_the_transformer_equals_separate_calls(model: LoadedCheckpoint) -> None:
    positive = encode_text(model.text_encoder, "a green pear")
    x = torch.randn(1, 4, 4, 4, generator=torch.Generator().manual_seed(1))
    sigma = torch.tensor(0.7, dtype=torch.float64)
    p, n, both = (
        classifier_free_guidance(model.denoiser, positive, None, scale).denoise(x, sigma) for scale in (1.0, 0.0, 2.0)
    )
    torch.testing.assert_close(both, n + 2.0 * (p - n), rtol=0, atol=1e-5)
    assert float((p - n).abs().max()) > 1e-3
