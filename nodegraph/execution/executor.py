"""Runs a plan: results are stored as they come and dropped when nothing needs them."""

from __future__ import annotations

import contextlib
import inspect
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from ..definition import NodeDefinition
from ..errors import Cancelled, MutatedInput, NodeFailed, WrongOutput, shorten
from ..plugins import Pack, make_importable
from ..ports.types import PortType, WireType, describe, item_type
from ..ports.values import misfit, to_argument
from ..workflow.graph import Gathered, GraphNode, Link, Source, Written
from .cancel import CancelToken
from .context import Context, Progress, Surroundings
from .events import (
    EventStream,
    NodeCached,
    NodeErred,
    NodeFile,
    NodeFinished,
    NodeLog,
    NodePreview,
    NodeProgress,
    NodeStarted,
    RunStarted,
)
from .plan import Plan
from .scheduler import Scheduler
from .store import ResultStore

Outputs = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machinery:
    """What a run needs beside its plan.

    store: None runs without any cache. check_purity: compare the content of every node's inputs before and after.
    threads: of one CPU operation.
    """

    store: ResultStore | None
    packs: Mapping[str, Pack]
    resolve: Callable[[str, str], Path]
    surroundings: Surroundings
    events: EventStream
    cancel: CancelToken
    threads: int
    check_purity: bool = False


class Executor:
    """One run of one plan."""

    def __init__(self, plan: Plan, machinery: Machinery) -> None:
        self._plan, self._machinery = plan, machinery
        self._nodes, self._keys = plan.graph.nodes, plan.keys
        self._values: dict[str, Outputs] = {}
        self._functions: dict[str, Callable[..., Any]] = {}
        self.ran: dict[str, None] = {}
        self._to_run = set(plan.order)
        self._waiting = Counter(link.node for name in plan.order for link in self._nodes[name].links()) + Counter(
            plan.targets
        )
        self._same = _twins(plan)
        self._waiting.update(self._same.values())
        self._finished: set[str] = set()
        self._lock = threading.Lock()
        self._scheduler = Scheduler(
            priority={name: index for index, name in enumerate(plan.order)},
            lane=lambda name: self._nodes[name].definition.lane,
            needs=self._needs,
            run=self._attempt,
            stopped=machinery.cancel.is_set,
        )

    def run(self) -> dict[str, Outputs]:
        """The outputs of the targets.

        Raises NodeFailed or Cancelled; results of the nodes that finished are stored by then.
        """
        events, plan = self._machinery.events, self._plan
        for pack in self._machinery.packs.values():  # stored results are of their classes, too
            make_importable(pack)
        events.emit(RunStarted(nodes=tuple(self._nodes), to_run=len(plan.order), cached=len(plan.cached)))
        for name in self._nodes:
            if name in plan.cached:
                events.emit(NodeCached(node=name))
        try:
            names: Iterable[str] = plan.order
            while True:
                self._scheduler.run(names)
                if self._machinery.cancel.is_set() and not self._to_run <= self._finished:
                    raise Cancelled("the run was cancelled")
                names = [name for name in plan.targets if not self._available(name)]
                if not names:
                    return {name: self._values[name] for name in plan.targets}
                self._to_run.update(names)  # stored results that vanished
        finally:
            if self._machinery.store is not None:
                self._machinery.store.flush()

    def _needs(self, name: str) -> list[str]:
        """The nodes that must run before a node: its twin, or those wired into it."""
        if name in self._same:
            return [self._same[name]]
        return [link.node for link in self._nodes[name].links() if link.node in self._to_run]

    def _attempt(self, name: str) -> list[str]:
        """Run a node; or, where stored results that it needs have vanished, the names of the nodes that make them."""
        if name in self._same and self._take_over(name, self._same[name]):
            return []
        needed = dict.fromkeys(link.node for link in self._nodes[name].links())
        missing = [each for each in needed if not self._available(each)]
        with self._lock:
            given = {each: self._values[each] for each in needed if each in self._values}
            self._to_run.update(missing)
        if missing := missing or [each for each in needed if each not in given]:
            return missing
        if self._machinery.cancel.is_set():
            raise Cancelled("the run was cancelled")
        self._run_node(self._nodes[name], given)
        return []

    def _available(self, name: str) -> bool:
        return name in self._values or self._load(name)

    def _load(self, name: str) -> bool:
        """Fetch a stored result, unless the plan says that the node runs and it did not run yet."""
        store = self._machinery.store
        if store is None or (name in self._to_run and name not in self.ran):
            return False
        found = store.get(self._keys[name])
        if found is None:
            return False
        self._values[name] = found[0]
        return True

    def _run_node(self, node: GraphNode, given: Mapping[str, Outputs]) -> None:
        events = self._machinery.events
        definition = node.definition
        events.emit(NodeStarted(node=node.name, type_id=definition.id))
        started = time.perf_counter()
        arguments: dict[str, Any] = {}
        try:
            function = self._function(definition)
            arguments = self._arguments(node, given)
            before = self._content(arguments)
            if definition.takes_context:
                arguments["ctx"] = Context(self._keys[node.name], self._around(node.name))
            with self._computing():
                returned = function(**arguments)
                if inspect.iscoroutine(returned):
                    returned = _awaited(returned, self._machinery.cancel)
            outputs = outputs_of(definition, returned)
            if before is not None and before != self._content({name: arguments[name] for name in node.sources}):
                raise MutatedInput("it changed a value it was given; wire values are immutable, so work on a copy")
        except Cancelled:
            raise
        except (Exception, SystemExit) as error:
            failure = NodeFailed(node.name, definition.id, _summary(arguments), _cause(error))
            events.emit(NodeErred(node=node.name, error=str(failure)))
            raise failure from error
        self._keep(node, outputs)
        events.emit(NodeFinished(node=node.name, seconds=time.perf_counter() - started))

    def _take_over(self, name: str, twin: str) -> bool:
        """Use the result of a node of the same recipe; False where it is gone."""
        with self._lock:
            outputs = self._values.get(twin)
        if outputs is None:
            return False
        self._machinery.events.emit(NodeCached(node=name))
        self._hold(name, outputs, [twin, *(link.node for link in self._nodes[name].links())])
        return True

    def _keep(self, node: GraphNode, outputs: Outputs) -> None:
        definition, store = node.definition, self._machinery.store
        self.ran[node.name] = None
        if store is not None and definition.reusable:
            portable = all(is_portable(port.type) for port in definition.outputs)
            store.put(self._keys[node.name], outputs, portable=portable)
        self._hold(node.name, outputs, [link.node for link in node.links()])

    def _hold(self, name: str, outputs: Outputs, used: Collection[str]) -> None:
        """Keep a result for those that need it, and drop those of `used` that nobody needs any more."""
        with self._lock:
            self._values[name] = outputs
            self._finished.add(name)
            self._waiting.subtract(used)
            for each in {each for each in used if self._waiting[each] <= 0}:
                self._values.pop(each, None)
                self._scheduler.release(each)

    def _function(self, definition: NodeDefinition) -> Callable[..., Any]:
        if definition.id not in self._functions:
            self._functions[definition.id] = getattr(import_module(definition.module), definition.function)
        return self._functions[definition.id]

    def _arguments(self, node: GraphNode, given: Mapping[str, Outputs]) -> dict[str, Any]:
        ports = node.definition.inputs_by_name
        return {name: self._argument(name, ports[name].type, source, given) for name, source in node.sources.items()}

    def _argument(self, name: str, port: PortType, source: Source, given: Mapping[str, Outputs]) -> Any:
        match source:
            case Written(value=value):
                return to_argument(port, value, self._machinery.resolve)
            case Link(node=node, output=output):
                value = given[node][output]
                reason = misfit(port, value)
                if reason is not None:
                    raise WrongOutput(f"{name} = {shorten(value)}, wired from {source}: {reason}")
                return float(value) if type(value) is int and getattr(port, "kind", "") == "float" else value
            case Gathered(items=items):
                return [self._argument(name, item_type(port), item, given) for item in items]

    def _content(self, arguments: Mapping[str, Any]) -> dict[str, str] | None:
        if not self._machinery.check_purity:
            return None
        from ..ports.codec import content_hash

        return {name: content_hash(value) for name, value in arguments.items()}

    def _around(self, name: str) -> Surroundings:
        events, around = self._machinery.events, self._machinery.surroundings

        def progress(value: Progress) -> None:
            events.emit(NodeProgress(node=name, progress=value))

        return replace(
            around,
            provenance=lambda: {**around.provenance(), "node": name},
            on_progress=progress,
            on_preview=lambda value: events.emit(NodePreview(node=name, value=value)),
            on_log=lambda text: events.emit(NodeLog(node=name, text=text)),
            on_file=lambda path: events.emit(NodeFile(node=name, path=path)),
            cancel=self._machinery.cancel,
        )

    @contextlib.contextmanager
    def _computing(self) -> Iterator[None]:
        """Torch without gradients and with the policy's threads, if a node brought torch in."""
        torch = sys.modules.get("torch")
        if torch is None:
            yield
            return
        if torch.get_num_threads() != self._machinery.threads:
            torch.set_num_threads(self._machinery.threads)
        with torch.no_grad():
            yield


def _twins(plan: Plan) -> dict[str, str]:
    """Nodes whose recipe an earlier node of the plan has as well, with that node."""
    first: dict[str, str] = {}
    found = {}
    for name in plan.order:
        if not plan.graph.nodes[name].definition.reusable:
            continue
        other = first.setdefault(plan.keys[name], name)
        if other != name:
            found[name] = other
    return found


def _awaited(coroutine: Coroutine[Any, Any, Any], cancel: CancelToken) -> Any:
    """What a coroutine returns; a cancelled run cancels it at its next `await`."""
    import asyncio

    async def watched() -> Any:
        task = asyncio.ensure_future(coroutine)
        while not task.done():
            await asyncio.wait({task}, timeout=0.05)
            if cancel.is_set():
                task.cancel()
        return task.result()

    try:
        return asyncio.run(watched())
    except asyncio.CancelledError:
        raise Cancelled("the run was cancelled") from None


def outputs_of(definition: NodeDefinition, returned: Any) -> Outputs:
    """What a node function returned, by output; raises WrongOutput where it is not what the node declares."""
    ports = definition.outputs
    is_named = isinstance(returned, tuple) and hasattr(returned, "_fields")
    if not ports:
        outputs: Outputs = {}
    elif is_named and tuple(returned._fields) == tuple(port.name for port in ports):
        outputs = returned._asdict()
    elif len(ports) == 1:
        outputs = {ports[0].name: returned}
    else:
        raise WrongOutput(f"it returned {shorten(returned)} instead of {', '.join(port.name for port in ports)}")
    for port in ports:
        reason = misfit(port.type, outputs[port.name])
        if reason is not None:
            raise WrongOutput(f"its output {port.name!r} should be {describe(port.type)}, but {reason}")
    return outputs


def is_portable(port: PortType) -> bool:
    """Whether values of a type go to disk and other processes."""
    if isinstance(port, WireType):
        return port.portable and all(map(is_portable, port.arguments))
    parts = getattr(port, "members", None) or [getattr(port, "item", None)]
    return all(is_portable(part) for part in parts if part is not None)


def _summary(arguments: Mapping[str, Any]) -> str:
    shown = {name: value for name, value in arguments.items() if not isinstance(value, Context)}
    return ", ".join(f"{name}={_short(value)}" for name, value in shown.items())


def _short(value: object) -> str:
    if isinstance(value, str | int | float | bool | Path | None):
        return shorten(value)
    shape = getattr(value, "shape", None)
    return f"<{type(value).__name__}{f' {tuple(shape)}' if isinstance(shape, tuple) else ''}>"


def _cause(error: BaseException) -> str:
    frame = traceback.extract_tb(error.__traceback__)
    where = f" (at {Path(frame[-1].filename).name}:{frame[-1].lineno})" if frame and not _is_ours(error) else ""
    return f"{error}" if _is_ours(error) else f"{type(error).__name__}: {error}{where}"


def _is_ours(error: BaseException) -> bool:
    from ..errors import NodegraphError

    return isinstance(error, NodegraphError)
