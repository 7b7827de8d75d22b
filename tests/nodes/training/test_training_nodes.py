"""Training as nodes: from pictures to a checkpoint that makes pictures; stopping, going on, refusing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from nodegraph import Cancelled, InvalidInput, Workflow
from nodegraph.catalog import Catalog
from nodegraph.execution.cancel import CancelToken
from nodegraph.ports.codec import content_hash, decode, encode
from nodegraph.testing import RecordingContext, local_context
from nodegraph.workflow.validate import find_defects
from nodes.bundled.export import half
from nodes.checkpoints.load import load_checkpoint
from nodes.conditioning.text import encode_text
from nodes.guidance.classifier_free import classifier_free_guidance
from nodes.latents import decode_latent, empty_latent
from nodes.metrics.scores import score_autoencoder, score_retrieval
from nodes.samplers.euler import euler
from nodes.samplers.sample import sample
from nodes.schedules.flow import flow_sigmas
from nodes.training.datasets import dataset_pictures, encode_dataset, split_dataset, train_tokenizer
from nodes.training.exports import load_matcher, save_matcher, save_text_to_image
from nodes.training.trained import LatentData, TrainedAutoencoder, TrainedDenoiser, TrainedMatcher
from nodes.training.trainers import train_autoencoder, train_denoiser, train_matcher

from .test_training import toy_data

ROOT = Path(__file__).parents[3]
AUTOENCODER: dict[str, Any] = {"batch": 4, "width": 8, "warmup": 2}
DENOISER: dict[str, Any] = {
    "batch": 4, "warmup": 2, "width": 16, "depth": 1, "heads": 2, "text_width": 16, "text_depth": 1
}  # fmt: skip
MATCHER: dict[str, Any] = {"batch": 6, "warmup": 2, "width": 8, "embedding": 8, "text_width": 16}


@pytest.fixture(scope="module")
def tokenizer() -> str:
    return train_tokenizer(toy_data(), 150)


@pytest.fixture(scope="module")
def autoencoder(tmp_path_factory: pytest.TempPathFactory) -> TrainedAutoencoder:
    return train_autoencoder(toy_data(), local_context(tmp_path_factory.mktemp("a")), steps=5, **AUTOENCODER)


@pytest.fixture(scope="module")
def latents(autoencoder: TrainedAutoencoder, tmp_path_factory: pytest.TempPathFactory) -> LatentData:
    return encode_dataset(autoencoder, toy_data(), local_context(tmp_path_factory.mktemp("e")))


@pytest.fixture(scope="module")
def denoiser(latents: LatentData, tokenizer: str, tmp_path_factory: pytest.TempPathFactory) -> TrainedDenoiser:
    return train_denoiser(latents, tokenizer, local_context(tmp_path_factory.mktemp("d")), steps=6, **DENOISER)


@pytest.fixture(scope="module")
def matcher(tokenizer: str, tmp_path_factory: pytest.TempPathFactory) -> TrainedMatcher:
    return train_matcher(toy_data(), tokenizer, local_context(tmp_path_factory.mktemp("m")), steps=4, **MATCHER)


class StopsAfter(CancelToken):
    """Set after it was asked so many times."""

    def __init__(self, asked: int) -> None:
        super().__init__()
        self.left = asked

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_from_pictures_to_a_checkpoint_that_makes_pictures(
    autoencoder: TrainedAutoencoder, latents: LatentData, denoiser: TrainedDenoiser, tmp_path: Path
) -> None:
    ctx = local_context(tmp_path)
    file = Path(save_text_to_image(denoiser, autoencoder, latents, ctx, "toys"))
    assert file.parent == tmp_path / "output"
    parts = load_checkpoint(file, ctx)
    for name, value in half(denoiser.build().denoiser).items():
        assert torch.equal(parts.denoiser.network.state_dict()[name], value.float())
    space = parts.denoiser.space
    assert (space.shift, space.scale, space.preview) == (latents.shift, latents.scale, latents.preview)
    guider = classifier_free_guidance(parts.denoiser, encode_text(parts.text_encoder, ["red left", "blue top"]))
    made = sample(guider, euler(), flow_sigmas(2), empty_latent(parts.denoiser, 16, 16))
    assert decode_latent(parts.autoencoder, made).pixels.shape == (2, 3, 16, 16)


def test_a_matcher_comes_back_from_its_checkpoint(matcher: TrainedMatcher, tmp_path: Path) -> None:
    again = load_matcher(Path(save_matcher(matcher, local_context(tmp_path))))
    assert (again.config, again.tokenizer, again.steps) == (matcher.config, matcher.tokenizer, matcher.steps)
    assert same(again.weights, {name: value.half().float() for name, value in matcher.weights.items()})


def test_a_model_is_no_matcher(
    autoencoder: TrainedAutoencoder, latents: LatentData, denoiser: TrainedDenoiser, tmp_path: Path
) -> None:
    file = save_text_to_image(denoiser, autoencoder, latents, local_context(tmp_path))
    with pytest.raises(InvalidInput, match="it holds no matcher"):
        load_matcher(Path(file))


@pytest.mark.parametrize("kind", ["autoencoder", "latents", "denoiser", "matcher"])
def test_what_is_trained_travels_bit_by_bit(kind: str, request: pytest.FixtureRequest) -> None:
    value = request.getfixturevalue(kind)
    again = decode(encode(value))
    assert type(again) is type(value)
    if kind == "latents":
        assert torch.equal(again.latents, value.latents)
        assert (again.entries, again.preview) == (value.entries, value.preview)
    else:
        assert same(again.weights, value.weights)
        assert type(again.build()) is type(value.build())


def test_a_stopped_training_goes_on_with_the_same_bits(latents: LatentData, tokenizer: str, tmp_path: Path) -> None:
    straight = train_denoiser(latents, tokenizer, local_context(tmp_path / "straight"), steps=7, **DENOISER)
    with pytest.raises(Cancelled):
        train_denoiser(
            latents, tokenizer, local_context(tmp_path / "stopped", cancel=StopsAfter(3)), steps=7, **DENOISER
        )
    ctx = local_context(tmp_path / "stopped")
    resumed = train_denoiser(latents, tokenizer, ctx, steps=7, **DENOISER)
    assert ctx.reported[0].done == 5
    assert same(resumed.weights, straight.weights)


def test_training_goes_on_from_another_runs_checkpoint(latents: LatentData, tokenizer: str, tmp_path: Path) -> None:
    first = local_context(tmp_path, key="a" * 64)
    options = DENOISER | {"decay": 0.0}
    train_denoiser(latents, tokenizer, first, steps=3, **options)
    checkpoint = first.state_folder() / "training.safetensors"
    before = checkpoint.read_bytes()
    second = local_context(tmp_path, key="b" * 64)
    resumed = train_denoiser(latents, tokenizer, second, steps=6, resume_from=checkpoint, **options)
    assert second.reported[0].done == 4
    straight = train_denoiser(latents, tokenizer, local_context(tmp_path, key="c" * 64), steps=6, **options)
    assert same(resumed.weights, straight.weights)
    assert checkpoint.read_bytes() == before


@pytest.mark.parametrize(
    ("changed", "words"), [({"steps": 2}, "more than 2"), ({"steps": 9, "width": 32}, "it was trained with")]
)
def test_a_checkpoint_that_does_not_fit_is_refused_and_not_taken_over(
    latents: LatentData, tokenizer: str, tmp_path: Path, changed: dict[str, Any], words: str
) -> None:
    first, second = (local_context(tmp_path, key=each * 64) for each in "ab")
    train_denoiser(latents, tokenizer, first, steps=3, **DENOISER)
    checkpoint = first.state_folder() / "training.safetensors"
    with pytest.raises(InvalidInput, match=words):
        train_denoiser(latents, tokenizer, second, resume_from=checkpoint, **DENOISER | changed)
    assert list(second.state_folder().iterdir()) == []


def test_bfloat16_learns_much_the_same(latents: LatentData, tokenizer: str, tmp_path: Path) -> None:
    losses, weights = [], []
    for bfloat16 in (False, True):
        ctx: RecordingContext = local_context(tmp_path, key=str(int(bfloat16)) * 64)
        weights.append(train_denoiser(latents, tokenizer, ctx, steps=8, bfloat16=bfloat16, **DENOISER).weights)
        losses.append([float(each.message.removeprefix("loss ")) for each in ctx.reported])
    assert losses[1] == pytest.approx(losses[0], rel=0.03)
    assert not same(*weights)
    assert {each.dtype for each in weights[1].values()} == {torch.float32}


def test_inputs_stay_as_they_were(latents: LatentData, tokenizer: str, tmp_path: Path) -> None:
    data = toy_data()
    before = content_hash(latents), content_hash(data)
    train_denoiser(latents, tokenizer, local_context(tmp_path), steps=2, **DENOISER)
    train_autoencoder(data, local_context(tmp_path, key="1" * 64), steps=2, **AUTOENCODER)
    assert (content_hash(latents), content_hash(data)) == before


def test_the_preview_map_is_the_best_linear_one(latents: LatentData) -> None:
    shift, scale = (torch.tensor(each)[:, None, None] for each in (latents.shift, latents.scale))
    x = (latents.latents - shift) * scale
    *rows, offset = torch.tensor(latents.preview)
    made = torch.einsum("nzhw,zr->nrhw", x, torch.stack(rows)) + offset[:, None, None]
    small = torch.nn.functional.avg_pool2d(toy_data().pixels.permute(0, 3, 1, 2) / 255.0, 4)
    error = made - small
    assert float(error.square().mean()) < float((small - small.mean((0, 2, 3), keepdim=True)).square().mean())
    torch.testing.assert_close(torch.einsum("nzhw,nrhw->zr", x, error), torch.zeros(4, 3), atol=2e-2, rtol=0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"batch": 13}, "there are only 12 pictures"),
        ({"width": 18, "heads": 4}, "no multiple of 4"),
        ({"text_width": 18}, "no multiple of 4"),
    ],
)
def test_wrong_sizes_are_refused(
    latents: LatentData, tokenizer: str, tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        train_denoiser(latents, tokenizer, local_context(tmp_path), steps=1, **DENOISER | options)


def test_scores(autoencoder: TrainedAutoencoder, matcher: TrainedMatcher, tmp_path: Path) -> None:
    ctx, data = local_context(tmp_path), toy_data()
    assert 0.0 < score_autoencoder(autoencoder, data, ctx) < 60.0
    chosen = dataset_pictures(data, 10)
    assert 0.0 <= score_retrieval(matcher, chosen.image, chosen.captions, ctx, among=5) <= 1.0
    with pytest.raises(InvalidInput, match="only 10 different captions"):
        score_retrieval(matcher, chosen.image, chosen.captions, ctx, among=11)
    with pytest.raises(InvalidInput, match="there are 10 pictures"):
        score_retrieval(matcher, chosen.image, chosen.captions[1:], ctx, among=5)


def test_chosen_pictures_show_what_their_captions_say() -> None:
    data = toy_data()
    chosen = dataset_pictures(data, 12, wording="with style", seed=3)
    assert len(set(chosen.captions)) == 12
    by_caption = {f"flat {entry.captions[0]}": row for row, entry in enumerate(data.entries)}
    for picture, caption in zip(chosen.image.pixels, chosen.captions, strict=True):
        assert torch.equal((picture * 255).round().byte().permute(1, 2, 0), data.pixels[by_caption[caption]])
    with pytest.raises(InvalidInput, match="only 12 different captions"):
        dataset_pictures(data, 13)
    with pytest.raises(InvalidInput, match="only 0 different captions"):
        dataset_pictures(data, 1, style="noto")


def test_splitting_loses_nothing() -> None:
    data = toy_data()
    parts = split_dataset(data)
    assert sorted(each.name for part in parts for each in part.entries) == sorted(each.name for each in data.entries)


@pytest.mark.parametrize("path", sorted((ROOT / "workflows").rglob("*.json")), ids=lambda path: path.stem)
def test_every_workflow_is_valid_and_says_what_it_does(path: Path, catalog: Catalog) -> None:
    workflow = Workflow.load(path)
    assert find_defects(workflow, catalog) == []
    assert workflow.description
    assert all(each.title for each in workflow.inputs.values())
    assert json.loads(path.read_text("utf-8"))["format"] == "nodegraph/1"
