"""Models that LoRAs are applied to."""

from __future__ import annotations

import pytest

from nodes.checkpoints.load import LoadedCheckpoint, load_checkpoint

from ..tiny_sd import write_sd
from .references import VERSION_NAMES


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, LoadedCheckpoint]:
    folder = tmp_path_factory.mktemp("sd")
    return {name: load_checkpoint(write_sd(folder / f"{name}.safetensors", name)) for name in VERSION_NAMES}
