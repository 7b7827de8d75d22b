"""Where workers work: one for each accelerator, or one on the CPU."""

from __future__ import annotations

import os
from pathlib import Path

from ..devices.policy import device_policy
from ..settings import Settings

_NVIDIA = Path("/proc/driver/nvidia/gpus")


def environments(settings: Settings) -> list[dict[str, str]]:
    """The environment variables of each worker, beside those of this process.

    With several accelerators every worker sees one of its own. Settings may ask for more workers, or fewer.
    """
    devices = _accelerators() if device_policy(settings).device == "cuda" else []
    count = settings.workers or max(1, len(devices))
    if len(devices) < 2:
        return [{} for _ in range(count)]
    return [{"CUDA_VISIBLE_DEVICES": devices[place % len(devices)]} for place in range(count)]


def _accelerators() -> list[str]:
    """What CUDA calls the devices that this process may see."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [each.strip() for each in chosen.split(",") if each.strip()]
    try:
        return [str(index) for index, _ in enumerate(_NVIDIA.iterdir())]
    except OSError:
        return []
