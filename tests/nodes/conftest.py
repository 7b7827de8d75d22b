"""What the tests of the diffusion nodes share: a tiny model, and a context that records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from jaxtyping import install_import_hook

CHECKED = [
    "conditioning",
    "guidance",
    "image",
    "latents",
    "masks",
    "metrics",
    "models",
    "noise",
    "parameterisations",
    "samplers",
    "schedules",
]
"""Where shapes and types of all calls are checked; the wire types in `nodes.types` check themselves."""

with install_import_hook([f"nodes.{room}" for room in CHECKED], "beartype.beartype"):
    from nodegraph.testing import RecordingContext, local_context
    from nodes.checkpoints.load import LoadedCheckpoint, load_checkpoint

    from .tiny import tiny_weights, write_checkpoint


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny models are fastest on one thread, and the bits do not depend on the machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound checkpoint of the bundled family."""
    return write_checkpoint(tmp_path_factory.mktemp("tiny") / "tiny.safetensors", *tiny_weights())


@pytest.fixture(scope="session")
def model(tiny_checkpoint: Path) -> LoadedCheckpoint:
    """The models in it."""
    return load_checkpoint(tiny_checkpoint)


@pytest.fixture
def ctx(tmp_path: Path) -> RecordingContext:
    """A context of its own for each test."""
    return local_context(tmp_path)
