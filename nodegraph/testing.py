"""For authors' tests: a context of one's own, and checks that a node or a workflow keeps what every node must keep."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import JsonValue
from pydantic_core import to_jsonable_python

from .declaration import describe_nodes
from .definition import NodeDefinition
from .errors import InvalidInput
from .execution.calling import is_portable, outputs_of
from .execution.cancel import CancelToken
from .execution.context import Context, Progress, Surroundings
from .execution.forecast import LoadedSpec
from .execution.run import Runner, RunResult
from .ports.values import misfit
from .ports.wire import wire_class
from .settings import Settings
from .spec import Predicted, Spec, SpecContext, Unknown, annotations_of, spec_classes
from .workflow.model import Workflow

SLACK = 100_000
"""Bytes by which a spec may be wrong about small values."""


class ContractBroken(AssertionError):
    """A node does something that no node may do."""


class RecordingContext(Context):
    """A context that keeps what the node reported.

    checkpoints: every state that the node offered, as it would come back. Raises NotPortable where one cannot be kept.
    """

    def __init__(
        self, folder: Path, *, device: str, precision: str, key: str, cancel: CancelToken, resumed: object | None
    ) -> None:
        self.reported: list[Progress] = []
        self.previews: list[object] = []
        self.logged: list[str] = []
        self.files: list[Path] = []
        self.checkpoints: list[object] = []
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
            resumed=lambda: resumed,
            on_checkpoint=lambda make: self.checkpoints.append(_kept(make())),
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
    resumed: object | None = None,
) -> RecordingContext:
    """A context whose files lie under `folder` and which records progress, previews, log lines and checkpoints.

    resumed: one of the `checkpoints` of another such context, to go on from.
    """
    cancel = cancel or CancelToken()
    return RecordingContext(folder, device=device, precision=precision, key=key, cancel=cancel, resumed=resumed)


def _kept(state: object) -> object:
    """A state as it comes back from disk."""
    from .ports.codec import decode, encode

    return decode(encode(state))


def check_node(function: Callable[..., Any], folder: Path, **inputs: Any) -> dict[str, Any]:
    """Call a node function twice and check what every node must keep; gives its outputs by name.

    Inputs and outputs fit the declaration; inputs are not changed; the same inputs give the same outputs (unless it is
    declared with cache="never"), also when it goes on from a checkpoint that it offered; portable outputs survive being
    stored. Raises ContractBroken saying which does not hold; what the function itself raises comes through. Where it
    declares a spec, that must agree: it predicts what comes out, and raises InvalidInput exactly where the function
    does.

    function: decorated with `@node`. folder: for the files of its context. inputs: values as they would be wired; a
    context is given where it takes one.
    """
    from .ports.codec import content_hash, decode, encode

    definition = _definition(function)
    for name, value in inputs.items():
        declared = definition.inputs_by_name.get(name)
        reason = f"{definition.id} has no such input" if declared is None else misfit(declared.type, value)
        if reason is not None:
            raise ContractBroken(f"{name}: {reason}")
    before = {name: content_hash(value) for name, value in inputs.items()}
    agreement = Agreement.of(function, inputs)
    try:
        first, offered = _call(function, definition, folder / "first", inputs)
        second, _ = _call(function, definition, folder / "second", inputs)
    except InvalidInput as error:
        agreement.check_refusal(definition, error)
        raise
    agreement.check_outputs(definition, first)
    resumed = first
    if offered:
        resumed, _ = _call(function, definition, folder / "resumed", inputs, offered[len(offered) // 2])
    for name, value in inputs.items():
        if content_hash(value) != before[name]:
            raise ContractBroken(f"{definition.id} changed its input {name!r}; wire values are immutable")
    for port in definition.outputs:
        if not is_portable(port.type):
            continue
        digest = content_hash(first[port.name])
        if definition.reusable and content_hash(second[port.name]) != digest:
            raise ContractBroken(
                f'{definition.id}: the same inputs gave another {port.name!r}; take a seed, or declare cache="never"'
            )
        if definition.reusable and content_hash(resumed[port.name]) != digest:
            raise ContractBroken(f"{definition.id} gives another {port.name!r} when it goes on from a checkpoint")
        if content_hash(decode(encode(first[port.name]))) != digest:
            raise ContractBroken(f"{definition.id}: {port.name!r} is not the same after it was stored and read back")
    return first


class Agreement:
    """What a node's spec says of some inputs, to be compared with what the node does.

    predicted: None where there is no spec, or where it cannot tell. refused: what it raised instead.
    """

    def __init__(self, predicted: Predicted | None, refused: InvalidInput | None) -> None:
        self.predicted, self.refused = predicted, refused

    @classmethod
    def of(cls, function: Callable[..., Any], inputs: Mapping[str, Any]) -> Agreement:
        """Ask the spec; it sees of every value what its annotations name."""
        declared = function.__node__.spec  # type: ignore[attr-defined]
        if declared is None:
            return cls(None, None)
        spec, annotations = LoadedSpec.of(declared), annotations_of(declared)
        parameters = inspect.signature(function).parameters
        values = {name: inputs.get(name, parameters[name].default) for name in spec.takes_unknown}
        given = {name: spec_of(value, annotations.get(name, object), name) for name, value in values.items()}
        if spec.obstacle(given) is not None:
            return cls(None, None)
        try:
            return cls(spec(given, SpecContext()), None)
        except InvalidInput as error:
            return cls(None, error)

    def check_refusal(self, definition: NodeDefinition, error: InvalidInput) -> None:
        """The node refused its inputs: so must have its spec, unless it leaves an output to the run."""
        if self.predicted is not None and all(port.name in self.predicted.outputs for port in definition.outputs):
            raise ContractBroken(f"{definition.id} refuses what its spec accepts: {error}") from error

    def check_outputs(self, definition: NodeDefinition, outputs: Mapping[str, Any]) -> None:
        """The node ran: what its spec predicted must be what came out."""
        from .ports.codec import footprint

        if self.refused is not None:
            raise ContractBroken(f"the spec of {definition.id} refuses what the node accepts: {self.refused}")
        for name, expected in (self.predicted.outputs if self.predicted else {}).items():
            if name not in outputs:
                raise ContractBroken(f"the spec of {definition.id} predicts {name!r}, which is no output")
            value = outputs[name]
            found = type(expected).of(value) if isinstance(expected, Spec) else value
            agrees = expected.agrees(found) if isinstance(expected, Spec) else expected == found
            if not isinstance(expected, Unknown) and not agrees:
                raise ContractBroken(f"the spec of {definition.id} predicts for {name!r} {expected}; it gave {found}")
            held = sum(footprint(value).storages.values())
            if isinstance(expected, Spec) and abs(expected.held - held) > 0.25 * held + SLACK:
                raise ContractBroken(
                    f"the spec of {definition.id} predicts {expected.held:,} bytes for {name!r}; it holds {held:,}"
                )


def spec_of(value: object, annotation: object, name: str = "value") -> object:
    """A value as a spec function sees it: a spec of one of the classes that the annotation names, lists of these, plain
    values; `Unknown` where the annotation has no spec for a wire value.
    """
    if isinstance(value, list):
        return [spec_of(each, annotation, name) for each in value]
    ids = {note.id for base in type(value).__mro__ if (note := wire_class(base)) is not None}
    if ids:
        found = next((each for each in spec_classes(annotation) if each.wire in ids), None)
        return found.of(value) if found is not None else Unknown(name)
    return value if value is None or isinstance(value, Path) else to_jsonable_python(value)


def check_workflow(
    workflow: Workflow,
    folder: Path,
    inputs: Mapping[str, JsonValue] | None = None,
    *,
    plugins: Sequence[Path] = (),
    files: Mapping[str, Sequence[Path]] | None = None,
) -> RunResult:
    """Run a workflow twice, each time as in a new process, and check that the second run computes nothing anew.

    Every node is also checked not to change what it is given. Writing nodes and nodes declared with cache="never" may
    run again, and those that need their results. Raises ContractBroken; gives the result of the first run.

    folder: for models, output, state and cache. plugins: folders whose members are node packs. files: further folders
    per kind of file.
    """
    places = {name: folder / name for name in ("models", "input", "output", "state", "cache")}
    settings = Settings(**places, plugins=[*plugins], folders={kind: [*each] for kind, each in (files or {}).items()})
    with Runner(settings) as runner:
        if runner.catalog.failures:
            raise ContractBroken("\n".join(map(str, runner.catalog.failures)))
        first = runner.run(workflow, inputs, check_purity=True)
    with Runner(settings) as runner:
        prepared = runner.prepare(workflow, inputs)
    nodes, keys = prepared.plan.graph.nodes, prepared.plan.keys
    again = [name for name in prepared.plan.order if nodes[name].loop is None and _stays(nodes[name].definition)]
    moved = [name for name in again if name in keys and keys[name] == first.keys.get(name)]
    if moved:
        raise ContractBroken(f"these nodes would be computed again: {', '.join(moved)}")
    return first


def _stays(definition: NodeDefinition) -> bool:
    """Whether a node's results are all kept on disk; of one that expands, those of the nodes in its place are."""
    kept = definition.reusable and not definition.expands
    return kept and all(is_portable(port.type) for port in definition.outputs)


def _definition(function: Callable[..., Any]) -> NodeDefinition:
    found = describe_nodes(sys.modules[function.__module__], pack="test")
    return next(each for each in found if each.function == function.__name__)


def _call(
    function: Callable[..., Any],
    definition: NodeDefinition,
    folder: Path,
    inputs: Mapping[str, Any],
    state: object | None = None,
) -> tuple[dict[str, Any], list[object]]:
    """The outputs of a call, and the checkpoints that it offered."""
    ctx = local_context(folder, resumed=state)
    returned = function(**inputs, **({"ctx": ctx} if definition.takes_context else {}))
    outputs = outputs_of(definition, asyncio.run(returned) if inspect.iscoroutine(returned) else returned)
    return outputs, ctx.checkpoints
