"""What the machine has, as far as people who use the server want to know."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

from ..devices.policy import device_policy
from ..jobs.lifelines import machine_memory
from ..settings import Settings
from .schemas import Device, Room

NVIDIA = Path("/proc/driver/nvidia/gpus")


def device_of(settings: Settings) -> Device:
    """Where jobs compute, told without torch."""
    policy = device_policy(settings)
    name = (_gpu_name() if policy.device == "cuda" else "") or _cpu_name()
    return Device(kind=policy.device, name=name, precision=policy.precision, threads=policy.threads)


def memory_room() -> Room | None:
    """The machine's memory; None where the system does not tell."""
    total = machine_memory()
    free = _field(Path("/proc/meminfo"), "MemAvailable")
    if total is None or not free:
        return None
    return Room(total=total, free=min(int(free.split()[0]) * 1024, total))


def disk_room(folder: Path) -> Room | None:
    """The disk of a folder, which need not be there yet; None where the system does not tell."""
    place = next((each for each in (folder.absolute(), *folder.absolute().parents) if each.exists()), None)
    try:
        found = shutil.disk_usage(place or "/")
    except OSError:
        return None
    return Room(total=found.total, free=found.free)


def _gpu_name() -> str:
    try:
        first = sorted(NVIDIA.iterdir())[0]
    except (OSError, IndexError):
        return ""
    return _field(first / "information", "Model")


def _cpu_name() -> str:
    count = os.cpu_count() or 1
    return _field(Path("/proc/cpuinfo"), "model name") or f"{platform.machine()}, {count} CPUs"


def _field(path: Path, name: str) -> str:
    """The value of a line such as "name: value" in a file of the system; "" where there is none."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    pairs = (line.partition(":") for line in lines)
    return next((value.strip() for key, _, value in pairs if key.strip() == name), "")
