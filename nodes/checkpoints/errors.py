"""What can be wrong with a checkpoint file, one class per defect. Imports no torch."""

from __future__ import annotations

from pathlib import Path

from nodegraph import NodegraphError
from nodegraph.errors import StaleValue


class CheckpointError(NodegraphError):
    """Base of everything that is wrong with a checkpoint."""

    remedy = "download or export the file again"

    def __init__(self, path: Path, reason: str, remedy: str = "") -> None:
        self.path, self.reason = path, reason
        super().__init__(f"the checkpoint {path.name!r} cannot be used: {reason}; {remedy or self.remedy}")


class EmptyCheckpoint(CheckpointError):
    """No bytes at all."""


class PickleRefused(CheckpointError):
    """A file that may run any code when it is read."""

    remedy = "convert it to safetensors on a machine where that is harmless, or get the model's .safetensors file"


class NotACheckpoint(CheckpointError):
    """Some other kind of file."""

    remedy = "choose a .safetensors file"


class WebPage(NotACheckpoint):
    """An HTML page that was saved in place of the file."""

    remedy = "the download needs a login or another link; open the address in a browser"


class LfsPointer(NotACheckpoint):
    """The small text that git keeps in place of a large file."""

    remedy = "run `git lfs pull` in its repository"


class CorruptHeader(CheckpointError):
    """The table of tensors cannot be read."""


class TruncatedCheckpoint(CheckpointError):
    """The file ends before its last tensor does."""


class OverlappingTensors(CheckpointError):
    """Tensors lie on top of each other, or bytes between them belong to none."""


class UnknownFamily(CheckpointError):
    """A sound file of a model that no family here recognises."""

    remedy = "a plugin may know this model"


class MissingTensors(CheckpointError):
    """Tensors that the model needs are not there."""


class UnknownTensors(CheckpointError):
    """Tensors are there that the model has no place for."""

    remedy = "the file may be of a newer version of this model; update nodegraph"


class WrongShapes(CheckpointError):
    """Tensors have other shapes than the rest of the file implies."""


class WrongDtypes(CheckpointError):
    """Tensors hold whole or complex numbers where real ones belong."""

    remedy = "get the model in float32, float16 or bfloat16"


class DamagedWeights(CheckpointError):
    """Weights are NaN or infinite, or cannot be read."""


class CheckpointChanged(CheckpointError, StaleValue):
    """The file was written to while a model lay in it."""

    remedy = "run again, which loads it anew; write new models under new names or replace the file by renaming"


class InvalidMatch(CheckpointError):
    """A file of a known family that contradicts itself or lacks what the family needs."""


class NotAMatch(Exception):
    """A family does not recognise a file; the next one is asked. Carries the reason."""
