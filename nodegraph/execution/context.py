"""What a running node may ask of its surroundings; nothing else reaches it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from ..errors import Cancelled
from .cancel import CancelToken
from .naming import fill_name


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a node is; `rate` in steps per second, `eta` in seconds, None while unknown."""

    done: int
    total: int
    message: str = ""
    rate: float | None = None
    eta: float | None = None


def as_proposed(number: int, proposed: Path) -> Path:
    """The target of a file where no journal says otherwise."""
    return proposed


def nothing() -> None:
    """What there is to resume from where nothing is kept."""


def not_kept(make: Callable[[], object]) -> None:
    """What becomes of a state that is offered where nothing is kept."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the executor wires into a `Context`.

    target: where the file with a number, from 0, is written, given what its name would be. resumed, on_checkpoint: what
    an earlier call of the recipe offered, and what this one offers.
    """

    device: str
    precision: str
    output_folder: Path
    state_folder: Path
    provenance: Callable[[], Mapping[str, JsonValue]]
    fields: Callable[[], Mapping[str, JsonValue]]
    on_progress: Callable[[Progress], None]
    on_preview: Callable[[object], None]
    on_log: Callable[[str], None]
    on_file: Callable[[Path], None]
    target: Callable[[int, Path], Path] = as_proposed
    resumed: Callable[[], object | None] = nothing
    on_checkpoint: Callable[[Callable[[], object]], None] = not_kept
    cancel: CancelToken = field(default_factory=CancelToken)


class Context:
    """Progress, cancellation, previews, logging, the device policy and sandboxed paths of one node's run."""

    def __init__(self, key: str, surroundings: Surroundings) -> None:
        self._key, self._around = key, surroundings
        self._first: tuple[float, int] | None = None
        self._files = 0

    @property
    def device(self) -> str:
        """Where to compute: "cpu", "cuda" or "mps"."""
        return self._around.device

    @property
    def precision(self) -> str:
        """The dtype to compute in: "float32", "bfloat16" or "float16"."""
        return self._around.precision

    def check_cancelled(self) -> None:
        """Raise Cancelled when the run was cancelled; call it wherever stopping is harmless."""
        if self._around.cancel.is_set():
            raise Cancelled("the run was cancelled")

    def progress(self, done: int, total: int, message: str = "") -> None:
        """Report that `done` of `total` steps are finished; also checks for cancellation."""
        self.check_cancelled()
        now = time.monotonic()
        if self._first is None or done < self._first[1]:
            self._first = (now, done)
        since, start = self._first
        rate = (done - start) / (now - since) if done > start and now > since else None
        self._around.on_progress(Progress(done, total, message, rate, (total - done) / rate if rate else None))

    def preview(self, value: object) -> None:
        """Show an intermediate value, such as the image so far."""
        self._around.on_preview(value)

    def log(self, text: str) -> None:
        """Tell the user something worth knowing that is no error."""
        self._around.on_log(text)

    def output_file(self, stem: str, suffix: str) -> Path:
        """A target in the output folder, named after `stem` and the recipe: the same recipe rewrites the same file.

        A job notes it before it is given here; when it is run again after a crash, the first file that the node asks
        for goes where its first was to go, and so on, whatever has changed meanwhile.

        stem: letters, digits, space, `-`, `_` and `.`; may hold folders divided by `/`, never leaves the output folder.
            `{name}` stands for the value of a declared input of the workflow, `{node.input}` for any written value; in
            a loop, `{round}` for the number of the round and `{name}` also for a plain value that the round is given.
        suffix: with its dot, such as ".png".
        """
        filled = fill_name(stem, self._around.fields) if "{" in stem else stem
        parts = [re.sub(r"[^\w .-]", "_", part).strip(" .") for part in filled.split("/")]
        folder = self._around.output_folder.joinpath(*filter(None, parts[:-1]))
        proposed = folder / f"{parts[-1] or 'result'}-{self._key[:10]}{suffix}"
        target = self._around.target(self._files, proposed)
        self._files += 1
        target.parent.mkdir(parents=True, exist_ok=True)
        self._around.on_file(target)
        return target

    def state_folder(self) -> Path:
        """A durable folder of this recipe, where a long node keeps what it needs to resume."""
        folder = self._around.state_folder / self._key
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def resumed(self) -> object | None:
        """The state that an earlier call of this recipe offered last before it was stopped; None where there is none.

        What is written by the node's code as it was then, for the same inputs, device and precision.
        """
        return self._around.resumed()

    def checkpoint(self, make: Callable[[], object]) -> None:
        """Offer the state after a step, all that is needed to go on from there bit by bit; offer it at every step.

        make: gives the state; called only when it is time to write one, every few seconds. A state is made of frozen
        dataclasses, tensors, numbers, texts, tuples and None, and comes back from `resumed` with tensors on the CPU.
        """
        self._around.on_checkpoint(make)

    def provenance(self) -> Mapping[str, JsonValue]:
        """The recipe of the whole run as JSON: workflow, versions and the digests of the files it used."""
        return self._around.provenance()
