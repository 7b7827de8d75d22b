"""Running what a job asks for, in this process; the same in a worker and in a command."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from ..errors import Cancelled, InvalidWorkflow, NodeFailed, NodegraphError
from ..execution.cancel import CancelToken
from ..execution.contexts import TargetJournal
from ..execution.events import Event, Listener
from ..execution.run import Runner, RunResult
from ..execution.showing import shown
from ..files import size_of
from ..workflow.model import Workflow
from .model import JobError, JobFile, JobId, JobRequest, NewEvent, Outcome
from .telling import Teller

log = logging.getLogger(__name__)


def run_token(job: JobId) -> str:
    """What tells results of nodes that are never cached apart, the same in every attempt of a job."""
    return sha256(f"job {job}".encode()).hexdigest()[:32]


def perform(
    request: JobRequest,
    runner: Runner,
    *,
    job: JobId,
    tell: Callable[[NewEvent], None],
    cancel: CancelToken,
    targets: TargetJournal | None = None,
    hear: Listener | None = None,
) -> Outcome:
    """Run a request to its end; how it ended, whatever its nodes did.

    tell: is given what happens, in order. cancel: stops it within a step; the outcome is then "cancelled". hear: is
    given the run's events as they are.
    """
    started = time.perf_counter()
    teller = Teller(tell)

    def listen(event: Event) -> None:
        teller(event)
        if hear is not None:
            hear(event)

    try:
        result = runner.run(
            Workflow.from_document(request.workflow),
            request.inputs,
            targets=request.targets,
            on_event=listen,
            cancel=cancel,
            use_cache=request.use_cache,
            fields=request.fields,
            token=run_token(job),
            journal=targets,
        )
    except NodegraphError as error:
        return failure(error, time.perf_counter() - started)
    return success(result, runner)


def success(result: RunResult, runner: Runner) -> Outcome:
    """The outcome of a run that went to its end."""
    return Outcome(
        state="done",
        seconds=result.seconds,
        outputs={name: shown(value) for name, value in result.outputs.items()},
        files=[found for path in dict.fromkeys(result.files) if (found := written(path, runner)) is not None],
        ran=len(result.ran),
        cached=len(result.cached),
    )


def failure(error: NodegraphError, seconds: float) -> Outcome:
    """The outcome of a run that raised."""
    if isinstance(error, Cancelled):
        return Outcome(state="cancelled", seconds=seconds)
    defects: list[dict[str, JsonValue]] = []
    node = ""
    if isinstance(error, InvalidWorkflow):
        defects = [each.to_document() for each in error.defects]
    elif isinstance(error, NodeFailed):
        node = error.node
    kind: Literal["node", "invalid"] = "node" if node else "invalid"
    return Outcome(
        state="failed", seconds=seconds, error=JobError(kind=kind, message=str(error), node=node, defects=defects)
    )


def written(path: Path, runner: Runner) -> JobFile | None:
    """What is known of a file that a run wrote; None where it is gone again."""
    try:
        return JobFile(path=str(path), bytes=size_of(path), sha256=runner.digests.digest(path))
    except OSError as error:
        log.warning("%s was written and cannot be read: %s", path, error)
        return None
