"""The training loop: exact resume, learning rates, cancelling, and that things are learned, at tiny sizes."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from torch import Tensor

from nodes.models.configs import AutoencoderConfig, DiTConfig, MatcherConfig, TextConfig
from nodes.models.word_pieces import train_word_pieces
from nodes.training.autoencoder import (
    AutoencoderLoss,
    autoencoder_loss,
    encode_all,
    gradient_error,
    latent_statistics,
    new_autoencoder,
    reconstruct,
)
from nodes.training.captions import all_wordings
from nodes.training.denoiser import FlowData, FlowLoss, TextToLatent, draw_times, flow_loss, new_denoiser, preview
from nodes.training.icon_data import IconData, IconEntry
from nodes.training.loop import Plan, Progress, learning_rate, train
from nodes.training.matcher import augment, matcher_loss, new_matcher, retrieval_score
from nodes.training.state import CheckpointMismatchError, Learner, batch_indices, generator, new_learner, read_record

COLOURS = {"red": (220, 30, 30), "green": (30, 180, 30), "blue": (30, 30, 220), "black": (20, 20, 20)}
SIDES = {"left": (slice(None), slice(0, 8)), "top": (slice(0, 8), slice(None)), "middle": (slice(4, 12), slice(4, 12))}
SMALL_AUTOENCODER = AutoencoderConfig(widths=(8, 16), encoder_blocks=(1, 1), decoder_blocks=(1, 1), groups=4)


def toy_data() -> IconData:
    """Coloured areas on white, named "red left" and so on."""
    entries, pictures = [], []
    for colour, value in COLOURS.items():
        for side, where in SIDES.items():
            picture = torch.full((16, 16, 3), 255, dtype=torch.uint8)
            picture[where] = torch.tensor(value, dtype=torch.uint8)
            pictures.append(picture)
            entries.append(IconEntry(name=f"{colour}-{side}", style="flat", captions=(f"{colour} {side}",)))
    return IconData(pixels=torch.stack(pictures), entries=tuple(entries), sources=())


def toy_tokenizer(data: IconData) -> Tokenizer:
    return Tokenizer.from_str(train_word_pieces(all_wordings(data.entries), vocabulary=150))


Trainer = Callable[[Plan], tuple[Learner, Callable[[int], Tensor]]]


def flow_trainer(plan: Plan) -> tuple[Learner, Callable[[int], Tensor]]:
    data = toy_data()
    learner = new_denoiser(
        DiTConfig(width=16, depth=1, heads=2, context_width=16),
        TextConfig(vocabulary=150, width=16, depth=1, heads=2),
        plan,
    )
    latents = torch.randn(len(data), 4, 4, 4, generator=generator(7, 0))
    flow = FlowData(latents=latents, entries=data.entries, tokenizer=toy_tokenizer(data))
    return learner, lambda step: flow_loss(learner.model, flow, step, plan, FlowLoss())


def autoencoder_trainer(plan: Plan) -> tuple[Learner, Callable[[int], Tensor]]:
    learner, data = new_autoencoder(SMALL_AUTOENCODER, plan), toy_data()
    return learner, lambda step: autoencoder_loss(learner.model, data.pixels, step, plan, AutoencoderLoss())  # type: ignore[arg-type]


def matcher_trainer(plan: Plan) -> tuple[Learner, Callable[[int], Tensor]]:
    data = toy_data()
    tokenizer = toy_tokenizer(data)
    text = TextConfig(vocabulary=150, width=16, depth=1, heads=2)
    learner = new_matcher(MatcherConfig(widths=(8, 16), blocks=(1, 1), groups=4, embedding=16, text=text), plan)
    return learner, lambda step: matcher_loss(learner.model, data, tokenizer, step, plan)  # type: ignore[arg-type]


class KilledError(Exception):
    pass


@pytest.mark.parametrize("trainer", [flow_trainer, autoencoder_trainer, matcher_trainer])
def test_a_resumed_run_ends_with_the_same_bits(trainer: Trainer, tmp_path: Path) -> None:
    plan = Plan(steps=9, batch=4, warmup=2, decay=0.5)
    straight, loss = trainer(plan)
    train(straight, loss, plan)
    checkpoint = tmp_path / "run.safetensors"

    first, loss = trainer(plan)
    assert not train(first, loss, plan, checkpoint=checkpoint, should_stop=lambda: first.step == 3)
    second, loss = trainer(plan)

    def kill(progress: Progress) -> None:
        if progress.step == 6:
            raise KilledError

    with pytest.raises(KilledError):
        train(second, loss, plan, checkpoint=checkpoint, on_step=kill)
    assert read_record(checkpoint)["step"] == 6
    third, loss = trainer(plan)
    assert train(third, loss, plan, checkpoint=checkpoint)
    for module in ("model", "ema"):
        expected, found = getattr(straight, module).state_dict(), getattr(third, module).state_dict()
        assert all(torch.equal(expected[key], found[key]) for key in expected)
    assert not torch.equal(*(next(iter(getattr(third, module).parameters())) for module in ("model", "ema")))


def test_a_changed_plan_is_recorded_and_other_settings_are_refused(tmp_path: Path) -> None:
    checkpoint = tmp_path / "run.safetensors"
    for steps in (2, 3):
        plan = Plan(steps=steps, batch=4)
        learner, loss = flow_trainer(plan)
        train(learner, loss, plan, checkpoint=checkpoint, settings={"width": 16})
    assert [(each["from_step"], each["plan"]["steps"]) for each in read_record(checkpoint)["history"]] == [
        (0, 2),
        (2, 3),
    ]
    learner, loss = flow_trainer(plan)
    with pytest.raises(CheckpointMismatchError, match="not with"):
        train(learner, loss, plan, checkpoint=checkpoint, settings={"width": 17})
    other, loss = autoencoder_trainer(plan)
    with pytest.raises(CheckpointMismatchError, match="does not fit"):
        train(other, loss, plan, checkpoint=checkpoint, settings={"width": 16})


def test_an_endless_loss_stops_the_run() -> None:
    learner = new_learner(torch.nn.Linear(2, 1))
    with pytest.raises(FloatingPointError, match="lower the learning rate"):
        train(learner, lambda step: torch.tensor(float("nan"), requires_grad=True), Plan(steps=1))


def test_learning_rate_rises_stays_and_falls() -> None:
    plan = Plan(steps=100, learning_rate=2.0, warmup=10, decay=0.2)
    rates = [learning_rate(plan, step) for step in range(101)]
    assert rates[0] == pytest.approx(0.2)
    assert rates[9:81] == [2.0] * 72
    assert all(b < a for a, b in pairwise(rates[80:]))
    assert rates[90] == pytest.approx(1.0)
    assert rates[100] == 0.0


def test_every_epoch_has_every_member_once_in_another_order() -> None:
    epochs = [torch.cat([batch_indices(3, 4 * epoch + step, 5, 20) for step in range(4)]) for epoch in range(2)]
    assert [sorted(epoch.tolist()) for epoch in epochs] == [list(range(20))] * 2
    assert not torch.equal(*epochs)
    with pytest.raises(ValueError, match="smaller batch"):
        batch_indices(0, 0, 21, 20)


def test_generators_differ_by_seed_step_and_purpose() -> None:
    drawn = {
        float(torch.rand((), generator=generator(*key))) for key in ((0, 0, ""), (1, 0, ""), (0, 1, ""), (0, 0, "a"))
    }
    assert len(drawn) == 4


def test_times_are_inside_and_spread() -> None:
    t = draw_times(4000, generator(0, 0), 0.1)
    assert 0.0 < float(t.min()) < 0.02
    assert 0.98 < float(t.max()) < 1.0
    assert float(t.mean()) == pytest.approx(0.5, abs=0.02)
    assert float(t.std()) == pytest.approx(0.217, abs=0.01)  # 0.9 * 0.0433 (logit-normal) + 0.1 / 12, square root


def test_gradient_error_sees_edges_only() -> None:
    flat, edge = torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4)
    edge[..., 2:] = 1.0
    assert float(gradient_error(flat, flat + 0.5)) == 0.0
    assert float(gradient_error(flat, edge)) == pytest.approx(0.5 / 3)


def test_latents_are_standard_after_shift_and_scale() -> None:
    latents = (
        torch.randn(50, 2, 4, 4) * torch.tensor([3.0, 0.1])[:, None, None] + torch.tensor([5.0, -1.0])[:, None, None]
    )
    shift, scale = latent_statistics(latents)
    standard = (latents - torch.tensor(shift)[:, None, None]) * torch.tensor(scale)[:, None, None]
    torch.testing.assert_close(standard.mean((0, 2, 3)), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(standard.std((0, 2, 3)), torch.ones(2), atol=1e-4, rtol=0)


def test_augmentation_keeps_white_white_and_moves_pictures() -> None:
    white = torch.ones(4, 3, 16, 16)
    assert torch.equal(augment(white, generator(0, 0)), white)
    dot = white.clone()
    dot[:, :, 8, 8] = -1.0
    places = augment(dot, generator(0, 0))[:, 0].flatten(1).argmin(1)
    assert len(set(places.tolist())) > 1


def test_the_autoencoder_learns() -> None:
    plan, data = Plan(steps=60, batch=12, learning_rate=5e-3, warmup=5, decay=0.5, average=0.9), toy_data()
    learner, loss = autoencoder_trainer(plan)
    losses: list[float] = []
    train(learner, loss, plan, on_step=lambda progress: losses.append(progress.loss))
    assert sum(losses[-5:]) < 0.5 * sum(losses[:5])
    assert encode_all(learner.ema, data.pixels).shape == (12, 4, 4, 4)  # type: ignore[arg-type]
    assert reconstruct(learner.ema, data.pixels).shape == data.pixels.shape  # type: ignore[arg-type]


def test_the_matcher_learns_a_toy_set() -> None:
    plan, data = Plan(steps=100, batch=12, learning_rate=5e-3, warmup=5, decay=0.5, average=0.9), toy_data()
    learner, loss = matcher_trainer(plan)
    train(learner, loss, plan)
    captions = [entry.captions[0] for entry in data.entries]
    assert retrieval_score(learner.ema, toy_tokenizer(data), data.pixels, captions) >= 0.75  # type: ignore[arg-type]


def test_the_flow_learns_what_captions_mean() -> None:
    data = toy_data()
    data = data.subset([0, 6])  # red left, blue left
    latents = torch.stack([torch.full((4, 4, 4), 1.0), torch.full((4, 4, 4), -1.0)])
    flow = FlowData(latents=latents.repeat(8, 1, 1, 1), entries=data.entries * 8, tokenizer=toy_tokenizer(data))
    plan = Plan(steps=150, batch=16, learning_rate=5e-3, warmup=10, decay=0.5, average=0.9)
    text = TextConfig(vocabulary=150, width=16, depth=1, heads=2)
    learner = new_denoiser(DiTConfig(width=32, depth=1, heads=2, context_width=16), text, plan)
    train(learner, lambda step: flow_loss(learner.model, flow, step, plan, FlowLoss()), plan)
    assert isinstance(learner.ema, TextToLatent)
    made = preview(learner.ema, flow.tokenizer, ["red left", "blue left"], side=4, steps=8, guidance=1.0)
    assert float((made[0] - 1.0).abs().mean()) < 0.4
    assert float((made[1] + 1.0).abs().mean()) < 0.4
