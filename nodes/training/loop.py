"""One training loop for all trainers: learning rate, gradient clipping, moving average, checkpoints, cancelling."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .state import CheckpointMismatchError, Learner, load_learner, save_learner, update_average


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long and how fast to train.

    steps: in all, those before a resume included. batch: pictures per step. learning_rate: after the warm-up.
    warmup: steps over which the rate rises from 0. decay: the last part of the steps, in [0, 1], over which it falls to
    0 (a half cosine; 1 - warm-up for an ordinary cosine schedule). clip: largest norm of the gradient. average: decay
    of the moving average per step. seed: of everything random.
    """

    steps: int
    batch: int = 64
    learning_rate: float = 1e-3
    warmup: int = 200
    decay: float = 0.15
    clip: float = 1.0
    average: float = 0.999
    seed: int = 0


def learning_rate(plan: Plan, step: int) -> float:
    """The rate of the step after `step` steps: linear warm-up, constant, then a half cosine down to 0."""
    rise = min(1.0, (step + 1) / max(1, plan.warmup))
    left = (plan.steps - step) / max(1.0, plan.decay * plan.steps)
    fall = 1.0 if left >= 1.0 else 0.5 - 0.5 * math.cos(math.pi * max(0.0, left))
    return plan.learning_rate * rise * fall


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Told after every step. loss: of that step. rate: its learning rate."""

    step: int
    steps: int
    loss: float
    rate: float


def train(
    learner: Learner,
    loss: Callable[[int], Tensor],
    plan: Plan,
    *,
    checkpoint: Path | None = None,
    settings: dict[str, Any] | None = None,
    every_seconds: float = 120.0,
    on_step: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> bool:
    """Train until `plan.steps`, going on from `checkpoint` where that exists; True when the last step was reached.

    loss: the loss of a step, a function of the step's number alone. settings: what must be the same in a checkpoint
    that is continued. every_seconds: between checkpoints; one is also written at the end and when stopping. on_step may
    raise to cancel: the checkpoint is written first. The plan may change between runs; each is kept in the record's
    history.
    """
    settings = settings or {}
    history: list[dict[str, Any]] = []
    if checkpoint is not None and checkpoint.exists():
        record = load_learner(learner, checkpoint)
        if record["settings"] != settings:
            raise CheckpointMismatchError(
                f"{checkpoint} was trained with {record['settings']}, not with {settings}; use another file or folder"
            )
        history = record["history"]
    if not history or history[-1]["plan"] != asdict(plan):
        history.append({"from_step": learner.step, "plan": asdict(plan)})

    def save() -> None:
        if checkpoint is not None:
            save_learner(learner, checkpoint, {"settings": settings, "history": history})

    saved = time.monotonic()
    try:
        while learner.step < plan.steps:
            if should_stop is not None and should_stop():
                return False
            progress = _take_step(learner, loss, plan)
            if on_step is not None:
                on_step(progress)
            if time.monotonic() - saved > every_seconds:
                save()
                saved = time.monotonic()
    finally:
        save()
    return True


def _take_step(learner: Learner, loss: Callable[[int], Tensor], plan: Plan) -> Progress:
    rate = learning_rate(plan, learner.step)
    for group in learner.optimizer.param_groups:
        group["lr"] = rate
    learner.model.train()
    with torch.enable_grad():
        value = loss(learner.step)
        learner.optimizer.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
    number = float(value.detach())
    if not math.isfinite(number):
        raise FloatingPointError(f"the loss of step {learner.step} is {number}; lower the learning rate ({rate:.2g})")
    torch.nn.utils.clip_grad_norm_(learner.model.parameters(), plan.clip)
    learner.optimizer.step()
    learner.step += 1
    update_average(learner, plan.average)
    return Progress(step=learner.step, steps=plan.steps, loss=number, rate=rate)
