"""What a trainer must keep to go on exactly where it stopped, and the file it keeps it in.

A checkpoint is one safetensors file: `model.*`, `ema.*` (both in float32), `first.*` and `second.*` (AdamW's moments,
by parameter name), and one JSON string under the metadata key "training". Everything random is a pure function of the
seed and the step (`generator`, `batch_indices`), so a run that was killed and resumed ends with the same bits.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int64
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor, nn

from nodegraph.files import write_atomically


class CheckpointMismatchError(ValueError):
    """A training checkpoint does not belong to the model or settings it was to continue."""


def generator(seed: int, step: int, purpose: str = "") -> torch.Generator:
    """A CPU random generator that depends on the seed, the step and the purpose alone."""
    digest = sha256(f"{seed}/{step}/{purpose}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def batch_indices(seed: int, step: int, batch: int, count: int) -> Int64[Tensor, " batch"]:
    """The members of batch number `step`: every epoch a new order of all `count` members, the incomplete rest
    dropped.
    """
    if batch > count:
        raise ValueError(f"a batch of {batch} cannot be drawn from {count} members; use a smaller batch or more data")
    epoch, place = divmod(step, count // batch)
    order = torch.randperm(count, generator=generator(seed, epoch, "epoch"))
    return order[place * batch : (place + 1) * batch]


@dataclass(kw_only=True)
class Learner:
    """A model in training: its weights, their moving average, the optimiser and the number of steps taken."""

    model: nn.Module
    ema: nn.Module
    optimizer: torch.optim.AdamW
    step: int = 0


def new_learner(model: nn.Module, *, betas: tuple[float, float] = (0.9, 0.95), weight_decay: float = 0.01) -> Learner:
    """A learner at step 0. Matrices and kernels decay, biases, gains and tables do not."""
    ema = copy.deepcopy(model).eval().requires_grad_(False)
    decayed = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
    return Learner(model=model, ema=ema, optimizer=torch.optim.AdamW(groups, lr=0.0, betas=betas, fused=True))


def update_average(learner: Learner, decay: float) -> None:
    """ema <- rate ema + (1 - rate) model with rate = min(decay, (1 + step) / (10 + step)): it starts quickly."""
    rate = min(decay, (1 + learner.step) / (10 + learner.step))
    with torch.no_grad():
        averages: list[Tensor] = list(learner.ema.parameters())
        values: list[Tensor] = list(learner.model.parameters())
        torch._foreach_lerp_(averages, values, 1.0 - rate)


def save_learner(learner: Learner, path: Path, record: dict[str, Any]) -> None:
    """Write a checkpoint atomically. record: JSON values to keep beside it (settings, history), without "step"."""
    tensors = {f"model.{name}": value for name, value in learner.model.state_dict().items()}
    tensors |= {f"ema.{name}": value for name, value in learner.ema.state_dict().items()}
    for name, parameter in learner.model.named_parameters():
        state = learner.optimizer.state.get(parameter)
        if state:
            tensors |= {f"first.{name}": state["exp_avg"], f"second.{name}": state["exp_avg_sq"]}
    plain = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
    write_atomically(path, save(plain, {"training": json.dumps({"step": learner.step, **record})}))


def read_record(path: Path) -> dict[str, Any]:
    """The JSON record of a checkpoint, with its `step`."""
    with safe_open(path, "pt") as file:
        record = json.loads((file.metadata() or {}).get("training", "null"))
    if not isinstance(record, dict):
        raise CheckpointMismatchError(f"{path} holds no training record; it is no checkpoint of a trainer")
    return record


def load_learner(learner: Learner, path: Path) -> dict[str, Any]:
    """Put a checkpoint's state into a new learner of the same model; returns the record. Every tensor must fit."""
    record = read_record(path)
    with safe_open(path, "pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no mapping
    for prefix, module in (("model.", learner.model), ("ema.", learner.ema)):
        part = {key.removeprefix(prefix): tensors.pop(key) for key in list(tensors) if key.startswith(prefix)}
        try:
            module.load_state_dict(part)
        except RuntimeError as error:
            raise CheckpointMismatchError(f"{path} does not fit the model: {error}") from error
    for name, parameter in learner.model.named_parameters():
        if f"first.{name}" not in tensors:
            continue
        moments = [torch.empty_like(parameter, requires_grad=False) for _ in range(2)]
        for moment, kind in zip(moments, ("first", "second"), strict=True):
            moment.copy_(tensors.pop(f"{kind}.{name}"))
        count = torch.tensor(float(record["step"]), device=parameter.device)
        learner.optimizer.state[parameter] = {"step": count, "exp_avg": moments[0], "exp_avg_sq": moments[1]}
    if tensors:
        raise CheckpointMismatchError(f"{path} holds tensors that the model has no place for: {sorted(tensors)[:5]}")
    learner.step = int(record["step"])
    return record
