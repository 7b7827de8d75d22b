"""Grids, and handles with another schedule or prediction."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

from nodes.parameterisations import Sample, Velocity
from nodes.schedules.named import Scheduler

from . import Case


def predicting_v(values: Any) -> Any:
    return replace(values.table, parameterisation=Velocity())


ACCEPTED: list[Case] = [
    ("exponential_sigmas", lambda v: {"denoiser": v.model.denoiser, "steps": 5, "denoise": 0.5}),
    ("exponential_sigmas", lambda v: {"denoiser": v.table, "steps": 1, "sigma_min": 0.1, "sigma_max": 0.9}),
    *[
        (
            "scheduler_sigmas",
            lambda v, name=name, denoise=denoise: {  # type: ignore[misc]
                "denoiser": v.table,
                "scheduler": name,
                "steps": 9,
                "denoise": denoise,
            },
        )
        for name in get_args(Scheduler)
        for denoise in (1.0, 0.3)
    ],
    ("discrete_sigmas", lambda v: {"denoiser": v.table, "steps": 7, "spacing": "leading", "offset": 1}),
    ("zero_terminal_snr", lambda v: {"denoiser": predicting_v(v)}),
    ("zero_terminal_snr", lambda v: {"denoiser": replace(v.table, parameterisation=Sample())}),
    ("set_prediction", lambda v: {"denoiser": v.table, "prediction": "v"}),
    ("set_noise_schedule", lambda v: {"denoiser": v.table}),
    ("set_noise_schedule", lambda v: {"denoiser": v.table, "betas": "linear", "start": 1e-4, "end": 0.02}),
    ("set_noise_schedule", lambda v: {"denoiser": v.table, "betas": "cosine", "steps": 300}),
]

REFUSED: list[Case] = [
    ("exponential_sigmas", lambda v: {"denoiser": v.model.denoiser, "sigma_min": 2.0}),
    ("scheduler_sigmas", lambda v: {"denoiser": v.model.denoiser}),
    ("scheduler_sigmas", lambda v: {"denoiser": v.table, "scheduler": "simple", "steps": 101}),
    ("scheduler_sigmas", lambda v: {"denoiser": v.table, "scheduler": "ddim_uniform", "steps": 60, "denoise": 0.5}),
    ("discrete_sigmas", lambda v: {"denoiser": v.table, "steps": 10, "offset": 1}),
    ("discrete_sigmas", lambda v: {"denoiser": v.table, "steps": 100, "spacing": "leading", "offset": 1}),
    ("zero_terminal_snr", lambda v: {"denoiser": v.table}),
    ("zero_terminal_snr", lambda v: {"denoiser": v.model.denoiser}),
    ("set_noise_schedule", lambda v: {"denoiser": v.model.denoiser}),
    ("set_noise_schedule", lambda v: {"denoiser": v.table, "start": 0.02, "end": 0.02}),
]
