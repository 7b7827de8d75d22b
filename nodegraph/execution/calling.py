"""Calling one node's function: its arguments, its lazy inputs, what it may not do, and what it gave."""

from __future__ import annotations

import contextlib
import inspect
import sys
import traceback
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import FunctionType
from typing import Any

from ..definition import NodeDefinition
from ..errors import Cancelled, MutatedInput, NodegraphError, WrongOutput, shorten
from ..ports.flow import Blocked
from ..ports.types import PortType, WireType, admits_blocked, describe, item_type
from ..ports.values import misfit, to_argument
from ..workflow.graph import Gathered, Given, GraphNode, Link, Source, Written, links_of
from ..workflow.model import Workflow
from .cancel import CancelToken
from .context import Context
from .forks import forks_leave
from .results import Outputs

FileOf = Callable[[str, str], Path]


class Asked(BaseException):
    """A node asked for lazy inputs that are not there yet; no node code may catch it."""

    def __init__(self, nodes: list[str]) -> None:
        super().__init__(nodes)
        self.nodes = nodes


class IsBlocked(BaseException):
    """A node asked for a lazy input that is blocked; no node code may catch it."""

    def __init__(self, blocked: Blocked) -> None:
        super().__init__(blocked)
        self.blocked = blocked


@dataclass(slots=True)
class Arguments:
    """The arguments of one call. asked: the lazy inputs that the node called, in order, each once."""

    values: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, None] = field(default_factory=dict)


def arguments_of(node: GraphNode, given: Mapping[str, Outputs], resolve: FileOf) -> Arguments:
    """What a node function is called with; `given` holds the results of the nodes wired into it that are there."""
    found = Arguments()
    ports = node.definition.inputs_by_name
    for name, source in node.sources.items():
        port = ports[name]
        if not port.lazy:
            found.values[name] = _value(name, port.type, source, given, resolve)
        elif source == Written(None):
            found.values[name] = None
        elif port.lazy == "items":
            item = item_type(port.type)
            found.values[name] = [
                _lazily(found, label, item, each, given, resolve)
                for label, each in _items(found, name, port.type, source, given, resolve)
            ]
        else:
            found.values[name] = _lazily(found, name, port.type, source, given, resolve)
    return found


def _items(
    found: Arguments, name: str, port: PortType, source: Source, given: Mapping[str, Outputs], resolve: FileOf
) -> list[tuple[str, Source]]:
    """The items of a list that is asked for item by item, each under a name; a wire gives all at once."""
    if isinstance(source, Gathered):
        return [(f"{name}[{index}]", each) for index, each in enumerate(source.items)]
    if isinstance(source, Written) and isinstance(source.value, list):
        return [(f"{name}[{index}]", Written(each)) for index, each in enumerate(source.value)]
    values = _lazily(found, name, port, source, given, resolve)()
    return [(name, Given(each, "")) for each in values]


def _lazily(
    found: Arguments, name: str, port: PortType, source: Source, given: Mapping[str, Outputs], resolve: FileOf
) -> Callable[[], Any]:
    def ask() -> Any:
        found.asked.setdefault(name)
        missing = [link.node for link in links_of(source) if link.node not in given]
        if missing:
            raise Asked(missing)
        blocked = blocked_by(port, source, given)
        if blocked is not None:
            raise IsBlocked(blocked)
        return _value(name, port, source, given, resolve)

    return ask


def _value(name: str, port: PortType, source: Source, given: Mapping[str, Outputs], resolve: FileOf) -> Any:
    match source:
        case Written(value=value):
            return to_argument(port, value, resolve)
        case Link(node=node, output=output):
            return _fitting(name, port, given[node][output], source)
        case Given(value=value):
            return _fitting(name, port, value, source)
        case Gathered(items=items):
            return [_value(name, item_type(port), item, given, resolve) for item in items]
        case _:
            raise AssertionError(f"{name}: {source} belongs to a round of a loop")


def _fitting(name: str, port: PortType, value: Any, source: Link | Given) -> Any:
    reason = misfit(port, value)
    if reason is not None:
        wired = f", wired from {source}" if isinstance(source, Link) else ""
        raise WrongOutput(f"{name} = {shorten(value)}{wired}: {reason}")
    return float(value) if type(value) is int and getattr(port, "kind", "") == "float" else value


def blocked_by(port: PortType, source: Source, given: Mapping[str, Outputs]) -> Blocked | None:
    """The `Blocked` that an input would get and does not take."""
    match source:
        case Link(node=node, output=output):
            value = given[node][output]
        case Given():
            value = source.value
        case Gathered(items=items):
            item = item_type(port)
            found = (blocked_by(item, each, given) for each in items)
            return next((each for each in found if each is not None), None)
        case _:
            return None
    return value if type(value) is Blocked and not admits_blocked(port) else None


def blocked_input(node: GraphNode, given: Mapping[str, Outputs]) -> Blocked | None:
    """The first `Blocked` among what a node needs before it can begin, unless it takes it as a value."""
    ports = node.definition.inputs_by_name
    eager = (name for name, source in node.sources.items() if name in ports and node.is_eager(name, source))
    found = (blocked_by(ports[name].type, node.sources[name], given) for name in eager)
    return next((each for each in found if each is not None), None)


class Caller:
    """Calls node functions.

    resolve: files. threads: of one CPU operation. check_purity: compare inputs before and after.
    """

    def __init__(self, resolve: FileOf, threads: int, cancel: CancelToken, *, check_purity: bool) -> None:
        self.resolve = resolve
        self._threads, self._cancel, self._check_purity = threads, cancel, check_purity
        self._functions: dict[str, Callable[..., Any]] = {}

    def call(self, definition: NodeDefinition, arguments: Arguments, context: Context | None) -> Any:
        """What the function returned. Raises whatever it raises, and MutatedInput."""
        values = arguments.values
        eager = {name: value for name, value in values.items() if name not in definition.lazy}
        before = self._content(eager)
        beside = {"ctx": context} if context is not None else {}
        function = self._function(definition)
        with self._computing(), forks_leave():
            returned = function(**values, **beside)
            if inspect.iscoroutine(returned):
                returned = _awaited(returned, self._cancel)
        if before is not None and before != self._content(eager):
            raise MutatedInput("it changed a value it was given; wire values are immutable, so work on a copy")
        return returned

    def _function(self, definition: NodeDefinition) -> Callable[..., Any]:
        if definition.id not in self._functions:
            self._functions[definition.id] = getattr(import_module(definition.module), definition.function)
        return self._functions[definition.id]

    def _content(self, values: Mapping[str, Any]) -> dict[str, str] | None:
        if not self._check_purity:
            return None
        from ..ports.codec import content_hash
        from .digests import FileDigests  # as for keys, a folder that is a model counts as a file

        with FileDigests(None) as files:
            return {name: content_hash(value, file_digest=files.digest) for name, value in values.items()}

    @contextlib.contextmanager
    def _computing(self) -> Iterator[None]:
        """Torch without gradients and with the policy's threads, if a node brought torch in."""
        torch = sys.modules.get("torch")
        if torch is None:
            yield
            return
        if torch.get_num_threads() != self._threads:
            torch.set_num_threads(self._threads)
        with torch.no_grad():
            yield


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
        value = outputs[port.name]
        if type(value) is Blocked and port.may_block:
            continue
        reason = misfit(port.type, value)
        if reason is not None:
            hint = "; a node that blocks says so in its return type: `T | Blocked`" if type(value) is Blocked else ""
            hint = "; a node that expands says so in its return type: `T | Workflow`" if _is_workflow(value) else hint
            raise WrongOutput(f"its output {port.name!r} should be {describe(port.type)}, but {reason}{hint}")
    return outputs


def _is_workflow(value: object) -> bool:
    return isinstance(value, Workflow)


def all_blocked(definition: NodeDefinition, blocked: Blocked) -> Outputs:
    """The outputs of a node that something blocked."""
    return {port.name: blocked for port in definition.outputs}


def is_portable(port: PortType) -> bool:
    """Whether values of a type go to disk and other processes."""
    if isinstance(port, WireType):
        return port.portable and all(map(is_portable, port.arguments))
    parts = getattr(port, "members", None) or [getattr(port, "item", None)]
    return all(is_portable(part) for part in parts if part is not None)


def summary(arguments: Mapping[str, Any]) -> str:
    """The arguments of a call in an error's message."""
    return ", ".join(f"{name}={_short(value)}" for name, value in arguments.items())


def _short(value: object) -> str:
    if isinstance(value, str | int | float | bool | Path | None):
        return shorten(value)
    if isinstance(value, FunctionType):
        return "<lazy>"
    shape = getattr(value, "shape", None)
    return f"<{type(value).__name__}{f' {tuple(shape)}' if isinstance(shape, tuple) else ''}>"


def cause(error: BaseException) -> str:
    """What went wrong, with the place where it is foreign code's."""
    if isinstance(error, NodegraphError):
        return f"{error}"
    frame = traceback.extract_tb(error.__traceback__)
    where = f" (at {Path(frame[-1].filename).name}:{frame[-1].lineno})" if frame else ""
    return f"{type(error).__name__}: {error}{where}"
