"""CLIP text encoders as handles: layers, chunks, weights, learned words."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from nodegraph import InvalidInput
from nodegraph.testing import RecordingContext
from nodes.checkpoints.errors import DamagedWeights, PickleRefused
from nodes.conditioning.clip import ClipTextEncoder
from nodes.conditioning.clip_options import clip_skip, load_embedding, prompt_weighting
from nodes.conditioning.text import encode_text
from nodes.conditioning.weighting import weighted
from nodes.models.configs import CLIP_END, CLIP_START
from nodes.specs.models import TextEncoderSpec

from ..tiny_clip import tiny_clip, tiny_clip_pair


def ids_of(text: str, pad: int) -> torch.Tensor:
    inner = [number for word in tiny_clip().tokenizer.words(text) for number in word]
    return torch.tensor([[CLIP_START, *inner, CLIP_END] + [pad] * (75 - len(inner))])


def test_one_tower_is_its_last_hidden_state_after_the_norm() -> None:
    encoder = tiny_clip()
    found = encoder.encode(["a photo of a cat"])
    expected = encoder.towers[0].network(ids_of("a photo of a cat", CLIP_END))
    torch.testing.assert_close(found.tokens, expected.hidden, atol=1e-6, rtol=1e-6)
    assert found.pooled is None
    assert bool(found.mask.all())


def test_two_towers_stand_side_by_side_and_the_second_pools() -> None:
    encoder = tiny_clip_pair()
    found = encoder.encode(["a photo of a cat", ""])
    assert found.tokens.shape == (2, 77, 40)
    for tower, part in zip(encoder.towers, (slice(0, 16), slice(16, 40)), strict=True):
        expected = tower.network(ids_of("a photo of a cat", tower.pad), layer=2, final_norm=False)
        torch.testing.assert_close(found.tokens[:1, :, part], expected.hidden, atol=1e-5, rtol=1e-5)
    assert found.pooled is not None
    torch.testing.assert_close(found.pooled[:1], expected.pooled, atol=1e-5, rtol=1e-5)


def test_clip_skip_takes_earlier_layers() -> None:
    encoder = tiny_clip()
    skipped = clip_skip(encoder, 2)
    expected = encoder.towers[0].network(ids_of("cat", CLIP_END), layer=2, final_norm=True)
    torch.testing.assert_close(skipped.encode(["cat"]).tokens, expected.hidden, atol=1e-6, rtol=1e-6)
    assert torch.equal(clip_skip(skipped, 1).encode(["cat"]).tokens, encoder.encode(["cat"]).tokens)


def test_layers_that_a_file_lacks_are_counted() -> None:
    """23 layers of 24: the penultimate of the full model is the last that is there."""
    encoder = tiny_clip()
    cut = replace(encoder, towers=(replace(encoder.towers[0], layer=2, absent=1),))
    assert torch.equal(cut.encode(["cat"]).tokens, encoder.encode(["cat"]).tokens)
    assert torch.equal(clip_skip(cut, 3).encode(["cat"]).tokens, clip_skip(encoder, 2).encode(["cat"]).tokens)
    with pytest.raises(InvalidInput, match="2 to 3"):
        clip_skip(cut, 1)


def test_chunks_follow_each_other_and_short_prompts_are_filled_with_empty_ones() -> None:
    encoder = tiny_clip_pair()
    both = encoder.encode(["a cat BREAK a dog BREAK", "a fish"])
    cat, dog, fish, nothing = (encoder.encode([text]) for text in ("a cat", "a dog", "a fish", ""))
    assert both.tokens.shape == (2, 154, 40)
    torch.testing.assert_close(both.tokens[0], torch.cat([cat.tokens[0], dog.tokens[0]]), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(both.tokens[1], torch.cat([fish.tokens[0], nothing.tokens[0]]), atol=1e-5, rtol=1e-5)
    assert both.pooled is not None and cat.pooled is not None and fish.pooled is not None
    torch.testing.assert_close(both.pooled, torch.cat([cat.pooled, fish.pooled]), atol=1e-5, rtol=1e-5)


def test_ten_thousand_words() -> None:
    encoder = tiny_clip()
    text = "a red cat sat on (the:1.2) mat " * 1429
    assert encoder.encode([text]).tokens.shape == (1, 77 * 134, 16)
    assert encoder.dropped(text) == (77 * 134, 0)


@pytest.mark.parametrize("how", ["comfyui", "a1111", "none"])
def test_without_weights_no_interpretation_changes_a_bit(how: Any) -> None:
    encoder = tiny_clip_pair()
    text = ["a cat " * 60, "[(cat)", r"\(dog\) (bird:1.0)"]
    plain = [text[0], "cat", "(dog) bird"]
    found = prompt_weighting(encoder, how).encode([text[0], text[2]])
    expected = replace(encoder, weighting="none").encode([plain[0], r"\(dog\) bird"])
    assert torch.equal(found.tokens, expected.tokens)


def test_comfyui_s_weights_move_tokens_away_from_the_empty_prompt() -> None:
    encoder = tiny_clip()
    plain, empty = encoder.encode(["a cat sat"]).tokens, encoder.encode([""]).tokens
    found = encoder.encode(["a (cat:1.5) sat"]).tokens
    expected = plain.clone()
    expected[:, 2] = empty[:, 2] + 1.5 * (plain[:, 2] - empty[:, 2])
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    assert torch.equal(found[:, 3:], encoder.encode(["a cat sat", ""]).tokens[:1, 3:])


def test_a1111_s_weights_multiply_and_keep_the_mean() -> None:
    encoder = prompt_weighting(tiny_clip_pair(), "a1111")
    plain, found = encoder.encode(["a cat sat"]).tokens, encoder.encode(["a (cat:1.5) sat"]).tokens
    for part in (slice(0, 16), slice(16, 40)):
        before, after = plain[..., part], found[..., part]
        torch.testing.assert_close(before.mean(), after.mean(), atol=1e-6, rtol=1e-4)
        factor = (after / before)[0, :, 0]
        assert float(factor[2] / factor[0]) == pytest.approx(1.5, rel=1e-4)
        assert torch.allclose(factor[torch.arange(77) != 2], factor[0], rtol=1e-4)


def test_a1111_scales_each_chunk_by_itself() -> None:
    z = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0)) + 1.0
    weights = torch.ones(3, 4)
    weights[1, 2] = 2.0
    out = weighted(z, weights, None, "a1111")
    assert torch.equal(out[[0, 2]], z[[0, 2]])
    torch.testing.assert_close(out.mean(dim=(1, 2)), z.mean(dim=(1, 2)))
    assert not torch.equal(out[1], z[1])


def test_none_reads_brackets_and_leaves_weights_out() -> None:
    encoder = prompt_weighting(tiny_clip(), "none")
    assert torch.equal(encoder.encode(["a (cat:1.5)"]).tokens, encoder.encode(["a cat"]).tokens)


def write(folder: Path, name: str = "style", **tensors: torch.Tensor) -> Path:
    path = folder / f"{name}.safetensors"
    save_file(tensors, path)
    return path


@pytest.mark.parametrize("layout", ["diffusers", "flat", "a1111", "xl"])
def test_a_learned_word_with_the_vector_of_a_word_is_that_word(tmp_path: Path, layout: str) -> None:
    encoder = tiny_clip_pair() if layout == "xl" else tiny_clip()
    [[cat]] = encoder.tokenizer.words("cat")
    vectors = [
        tower.network.text_model.embeddings.token_embedding.weight[cat].clone()[None] for tower in encoder.towers
    ]
    if layout == "xl":
        path = write(tmp_path, clip_l=vectors[0], clip_g=vectors[1])
    else:
        name = "emb_params" if layout == "a1111" else "<style>"
        path = write(tmp_path, **{name: vectors[0][0] if layout == "flat" else vectors[0]})
    taught = load_embedding(encoder, path)
    expected = encoder.encode(["a photo of a (cat:1.2)"])
    for text in ("a photo of a (style:1.2)", "a photo of a (embedding:Style:1.2)"):
        found = taught.encode([text])
        torch.testing.assert_close(found.tokens, expected.tokens, atol=1e-6, rtol=0)
        if found.pooled is not None:
            torch.testing.assert_close(found.pooled, expected.pooled, atol=1e-6, rtol=0)
    assert not torch.equal(encoder.encode(["style"]).tokens, taught.encode(["style"]).tokens)
    assert torch.equal(encoder.encode(["a dog"]).tokens, taught.encode(["a dog"]).tokens)


def test_several_vectors_take_several_positions_and_do_not_hide_the_end(tmp_path: Path) -> None:
    encoder = tiny_clip_pair()
    words = [number for [number] in encoder.tokenizer.words("red cat end")]
    tables = [tower.network.text_model.embeddings.token_embedding.weight for tower in encoder.towers]
    path = write(tmp_path, clip_l=tables[0][words].clone(), clip_g=tables[1][words].clone())
    taught = load_embedding(encoder, path, "three")
    found, expected = taught.encode(["a three sat"]), encoder.encode(["a red cat end sat"])
    torch.testing.assert_close(found.tokens, expected.tokens, atol=1e-6, rtol=0)
    assert found.pooled is not None and expected.pooled is not None
    torch.testing.assert_close(found.pooled, expected.pooled, atol=1e-6, rtol=0)
    assert taught.encode(["three " * 26]).tokens.shape[1] == 154


def test_an_embedding_of_one_tower_is_zeros_for_the_other(tmp_path: Path) -> None:
    encoder = tiny_clip_pair()
    taught = load_embedding(encoder, write(tmp_path, emb_params=torch.ones(2, 16)))
    assert isinstance(taught, ClipTextEncoder)
    assert [list(tower.learned) for tower in taught.towers] == [["style"], []]
    assert [list(tower.learned) for tower in encoder.towers] == [[], []]
    assert taught.encode(["style"]).tokens.shape == (1, 77, 40)


def test_towers_are_taught_one_by_one_and_agree_on_the_number_of_vectors(tmp_path: Path) -> None:
    first = load_embedding(tiny_clip_pair(), write(tmp_path, emb_params=torch.ones(2, 16)))
    both = load_embedding(first, write(tmp_path, emb_params=torch.ones(2, 24)))
    last = load_embedding(both, write(tmp_path, emb_params=torch.ones(3, 24)))
    assert (
        isinstance(first, ClipTextEncoder) and isinstance(both, ClipTextEncoder) and isinstance(last, ClipTextEncoder)
    )
    assert [len(tower.learned.get("style", ())) for tower in both.towers] == [2, 2]
    assert [len(tower.learned.get("style", ())) for tower in last.towers] == [0, 3]
    assert (first.learned, both.learned, last.learned) == ({"style": 2}, {"style": 2}, {"style": 3})
    assert len(last.chunks("style")[0].slots) == 3


def test_half_precision_gives_float32(tmp_path: Path) -> None:
    encoder = load_embedding(tiny_clip_pair(), write(tmp_path, clip_l=torch.ones(1, 16), clip_g=torch.ones(1, 24)))
    assert isinstance(encoder, ClipTextEncoder)
    towers = tuple(replace(tower, network=copy.deepcopy(tower.network).to(torch.bfloat16)) for tower in encoder.towers)
    half = replace(encoder, towers=towers).encode(["a (style:1.2)"])
    full = encoder.encode(["a (style:1.2)"])
    assert half.tokens.dtype == torch.float32
    assert not torch.equal(half.tokens, full.tokens)
    assert float((half.tokens - full.tokens).norm() / full.tokens.norm()) < 0.05


def test_embeddings_of_other_widths_are_refused_with_the_widths(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"17 wide, those of this text encoder 16 or 24"):
        load_embedding(tiny_clip_pair(), write(tmp_path, emb_params=torch.ones(2, 17)))


def test_pickles_and_damaged_embeddings_are_refused(tmp_path: Path) -> None:
    pickle = tmp_path / "style.pt"
    torch.save({"string_to_param": {"*": torch.ones(1, 16)}}, pickle)
    with pytest.raises(PickleRefused):
        load_embedding(tiny_clip(), pickle)
    with pytest.raises(DamagedWeights):
        load_embedding(tiny_clip(), write(tmp_path, emb_params=torch.full((1, 16), float("nan"))))


def test_the_log_names_brackets_without_partner_and_unknown_words(ctx: RecordingContext) -> None:
    encode_text(tiny_clip(), ["a (cat", "a cat", "embedding:other"], ctx)
    assert len(ctx.logged) == 2
    assert "'(' at 2" in ctx.logged[0]
    assert "no embedding is loaded for other" in ctx.logged[1]


def test_tags_of_other_programs_are_text_and_the_log_says_so(ctx: RecordingContext) -> None:
    text = "a cat <lora:watercolour:0.8> <LoRA:ink:1>, <lora:watercolour:0.8>"
    encode_text(tiny_clip(), text, ctx)
    [line] = ctx.logged
    assert "'<lora:watercolour:0.8>', '<LoRA:ink:1>' is taken as text" in line
    assert "load_lora" in line
    encode_text(tiny_clip(), "a <cat>, lora: 3 < 4, <lora:open", ctx)
    assert len(ctx.logged) == 1


def test_specs_count_positions_without_the_network() -> None:
    encoder = tiny_clip_pair()
    spec = TextEncoderSpec.of(encoder)
    texts = ["", "cat " * 80, "a BREAK b BREAK c"]
    assert spec.tokens(texts) == [77, 154, 231]
    assert spec.tokens(texts) == [encoder.encode([text]).tokens.shape[1] for text in texts]
    assert (spec.width, spec.length) == (40, 77)
    parameters = sum(each.numel() for tower in encoder.towers for each in tower.network.parameters())
    assert (spec.own, spec.parameters) == (4 * parameters, parameters)
