"""Keeping part of a latent, and divided runs."""

from __future__ import annotations

from typing import Any

import torch

from nodes.samplers.euler import euler
from nodes.schedules.flow import flow_sigmas
from nodes.types import Mask

from . import Case


def sampling(v: Any, **more: Any) -> dict[str, Any]:
    return {"guider": v.guider(), "sampler": euler(), "sigmas": flow_sigmas(3), "latent": v.latent, **more}


def mask(height: int, width: int, batch: int = 1) -> Mask:
    return Mask(values=torch.rand(batch, 1, height, width, generator=torch.Generator().manual_seed(0)))


ACCEPTED: list[Case] = [
    ("sample", lambda v: sampling(v, mask=mask(16, 16))),
    ("sample", lambda v: sampling(v, mask=mask(4, 4, 2), mask_mode="differential", start_step=1)),
    ("sample", lambda v: sampling(v, start_step=1, end_step=2, add_noise=False)),
]

REFUSED: list[Case] = [
    ("sample", lambda v: sampling(v, mask=mask(8, 16))),
    ("sample", lambda v: sampling(v, mask=mask(16, 16, 3))),
    ("sample", lambda v: sampling(v, mask=mask(16, 16), add_noise=False)),
    ("sample", lambda v: sampling(v, end_step=4)),
    ("sample", lambda v: sampling(v, start_step=2, end_step=2)),
]
