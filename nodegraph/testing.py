"""For authors' tests: run a node function with a context of its own."""

from __future__ import annotations

from pathlib import Path

from .execution.cancel import CancelToken
from .execution.context import Context, Progress, Surroundings


class RecordingContext(Context):
    """A context that keeps what the node reported."""

    def __init__(self, folder: Path, *, device: str, precision: str, key: str, cancel: CancelToken) -> None:
        self.reported: list[Progress] = []
        self.previews: list[object] = []
        self.logged: list[str] = []
        self.files: list[Path] = []
        around = Surroundings(
            device=device,
            precision=precision,
            output_folder=folder / "output",
            state_folder=folder / "state",
            provenance=lambda: {"format": "nodegraph/1"},
            fields=dict,
            on_progress=self.reported.append,
            on_preview=self.previews.append,
            on_log=self.logged.append,
            on_file=self.files.append,
            cancel=cancel,
        )
        super().__init__(key, around)


def local_context(
    folder: Path,
    *,
    device: str = "cpu",
    precision: str = "float32",
    key: str = "0" * 64,
    cancel: CancelToken | None = None,
) -> RecordingContext:
    """A context whose files lie under `folder` and which records progress, previews and log lines."""
    return RecordingContext(folder, device=device, precision=precision, key=key, cancel=cancel or CancelToken())
