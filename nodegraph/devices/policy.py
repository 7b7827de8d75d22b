"""Which device and precision to compute in, decided without torch so that plans can be made without it."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from ..settings import Settings


@dataclass(frozen=True, slots=True)
class DevicePolicy:
    """Where and how to compute; part of the key of every node whose code uses torch."""

    device: str
    precision: str
    threads: int

    @property
    def text(self) -> str:
        """The policy as it enters keys; threads change bits on the CPU only."""
        return f"{self.device};{self.precision};{self.threads if self.device == 'cpu' else 0}"


def device_policy(settings: Settings) -> DevicePolicy:
    """The policy that `settings` ask for; `auto` takes an accelerator when the machine shows one."""
    device = settings.device if settings.device != "auto" else _best_device()
    precision = settings.precision
    if precision == "auto":
        precision = "bfloat16" if device == "cuda" else "float32"
    return DevicePolicy(device, precision, settings.threads)


def _best_device() -> str:
    if os.environ.get("CUDA_VISIBLE_DEVICES") != "" and Path("/dev/nvidiactl").exists():
        return "cuda"
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        return "mps"
    return "cpu"
