"""`@node`: a typed Python function becomes a node definition.

The decorator only notes the options on the function, which stays a plain function. `describe_nodes` reads a module's
functions and reports every mistake of the module at once.
"""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeAlias, TypeVar

from pydantic_core import to_jsonable_python

from .definition import CachePolicy, InputDefinition, Lane, NodeDefinition, OutputDefinition
from .errors import DeclarationError
from .execution.context import Context
from .ports.annotations import NotAPortType, port_type, widget
from .ports.flow import Blocked, without, without_lazy
from .ports.literals import problems
from .ports.types import ScalarType, UnionType, WireType
from .spec import SpecContext, SpecFunction, annotations_of
from .workflow.model import Workflow

F = TypeVar("F", bound=Callable[..., Any])

FindTorch: TypeAlias = Callable[[str], str | None]
"""The module that imports torch when the module of that name is imported; None where none does."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_DOC_LINE = re.compile(r"([a-z_][a-z0-9_]*): +(\S.*)")


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeOptions:
    """What `@node` was told."""

    category: str
    version: str
    id: str | None
    output: str | None
    effect: bool
    cache: CachePolicy
    lane: Lane
    spec: SpecFunction | None


def node(
    *,
    category: str,
    version: str = "1",
    id: str | None = None,
    output: str | None = None,
    effect: bool = False,
    cache: CachePolicy = "content",
    lane: Lane = "device",
    spec: SpecFunction | None = None,
) -> Callable[[F], F]:
    """Declare a function as a node; its signature is the schema, its docstring the help.

    category: where editors list it, such as "guidance" or "image/transform".
    version: raised when the same inputs mean something else than before.
    id: what workflow files call it; the function's name by default.
    output: the name of a single output; by default the snake_case name of its class, or `value`.
    effect: True for nodes that write something; they always run.
    cache: "never" for nodes whose result depends on more than inputs and files.
    lane: "io" for nodes that mostly wait (for files, for servers): they run beside the device and each other. An async
        function is always one of these. "cpu" for nodes that need no other device: they run beside it.
    spec: what preflight asks before anything runs: a function in a module that imports no torch, with the same inputs.
    """
    options = NodeOptions(
        category=category, version=version, id=id, output=output, effect=effect, cache=cache, lane=lane, spec=spec
    )

    def note(function: F) -> F:
        function.__node__ = options  # type: ignore[attr-defined]
        return function

    return note


def declared_nodes(module: ModuleType) -> Iterator[tuple[Callable[..., Any], NodeOptions]]:
    """The functions of exactly this module that carry `@node`, in the order of the file."""
    for value in vars(module).values():
        options = getattr(value, "__node__", None)
        if isinstance(options, NodeOptions) and getattr(value, "__module__", None) == module.__name__:
            yield value, options


def describe_nodes(
    module: ModuleType, *, pack: str, prefix: str = "", find_torch: FindTorch = lambda _: None
) -> list[NodeDefinition]:
    """The definitions of all nodes of a module, without fingerprints.

    prefix: put before every id, so that packs cannot collide by accident. find_torch: see `FindTorch`.
    Raises DeclarationError with every mistake of the module.
    """
    mistakes: list[str] = []
    definitions = []
    seen: set[str] = set()
    for function, options in declared_nodes(module):
        reader = _Reader(function, options, find_torch)
        definition = reader.read(pack, prefix)
        mistakes += [f"{function.__name__} (line {_line(function)}): {mistake}" for mistake in reader.mistakes]
        if definition.id in seen:
            mistakes.append(f"{function.__name__} (line {_line(function)}): the id {definition.id!r} is declared twice")
        seen.add(definition.id)
        definitions.append(definition)
    if mistakes:
        raise DeclarationError(module.__name__, mistakes)
    return definitions


def _line(function: Callable[..., Any]) -> int:
    return int(function.__code__.co_firstlineno)


class _Reader:
    """Reads one function's declaration and gathers what is wrong with it."""

    def __init__(self, function: Callable[..., Any], options: NodeOptions, find_torch: FindTorch) -> None:
        self.function, self.options, self.find_torch = function, options, find_torch
        self.mistakes: list[str] = []

    def read(self, pack: str, prefix: str) -> NodeDefinition:
        """The definition; only to be used when there are no mistakes."""
        hints = self._hints()
        inputs, takes_context = self._inputs(hints)
        returned, expands = without(hints.get("return", inspect.Signature.empty), Workflow)
        outputs = self._outputs(returned)
        title, doc, port_docs = self._docs({port.name for port in inputs} | {port.name for port in outputs})
        name = self.options.id or self.function.__name__
        for kind, text, pattern in (
            ("id", name, _NAME),
            ("category", self.options.category, re.compile(r"[a-z][a-z0-9_/ -]*")),
        ):
            if not pattern.fullmatch(text):
                self.mistakes.append(f"the {kind} {text!r} must be lower-case words")
        return NodeDefinition(
            id=prefix + name,
            version=self.options.version,
            category=self.options.category,
            title=title or name.replace("_", " "),
            doc=doc,
            pack=pack,
            module=self.function.__module__,
            function=self.function.__name__,
            inputs=tuple(port.model_copy(update={"doc": port_docs.get(port.name, "")}) for port in inputs),
            outputs=tuple(port.model_copy(update={"doc": port_docs.get(port.name, "")}) for port in outputs),
            effect=self.options.effect,
            cache=self.options.cache,
            lane="io" if inspect.iscoroutinefunction(self.function) else self.options.lane,
            takes_context=takes_context,
            spec=self._spec([port.name for port in inputs]),
            expands=expands,
        )

    def _hints(self) -> dict[str, Any]:
        try:
            return typing.get_type_hints(self.function, include_extras=True)
        except (NameError, TypeError, SyntaxError, AttributeError) as error:
            self.mistakes.append(f"its annotations cannot be resolved: {error}")
            return {}

    def _inputs(self, hints: dict[str, Any]) -> tuple[list[InputDefinition], bool]:
        inputs, takes_context = [], False
        for name, parameter in inspect.signature(self.function).parameters.items():
            if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                self.mistakes.append(
                    f"{name}: inputs are named one by one; *args, **kwargs and positional-only are not ports"
                )
            elif hints.get(name) in (Context, Context | None):
                takes_context = True
            elif name not in hints:
                if not any("resolved" in mistake for mistake in self.mistakes):
                    self.mistakes.append(f"{name}: it has no type annotation")
            elif (port := self._input(name, hints[name], parameter.default)) is not None:
                inputs.append(port)
        return inputs, takes_context

    def _input(self, name: str, annotation: object, default: Any) -> InputDefinition | None:
        plain, lazy = without_lazy(annotation)
        try:
            kind, entry = port_type(plain), widget(plain)
        except NotAPortType as error:
            self.mistakes.append(f"{name}: {error}")
            return None
        required = default is inspect.Parameter.empty
        value = None if required else to_jsonable_python(default, fallback=repr)
        if not required:
            self.mistakes += [
                f"{name}: its default {default!r} does not fit: {each.reason}" for each in problems(kind, value)
            ]
        return InputDefinition(name=name, type=kind, required=required, default=value, widget=entry, lazy=lazy)

    def _outputs(self, annotation: Any) -> list[OutputDefinition]:
        if annotation is inspect.Signature.empty:
            if not self.mistakes or "resolved" not in self.mistakes[0]:
                self.mistakes.append("its return type is not annotated")
            return []
        if annotation is None or annotation is type(None):
            return []
        if isinstance(annotation, type) and issubclass(annotation, tuple) and hasattr(annotation, "_fields"):
            hints = typing.get_type_hints(annotation, include_extras=True)
            ports = [self._output(name, hints[name]) for name in annotation._fields]
        else:
            ports = [self._output(self.options.output, annotation)]
        return [port for port in ports if port is not None]

    def _output(self, name: str | None, annotation: object) -> OutputDefinition | None:
        plain, may_block = without(annotation, Blocked)
        try:
            kind = UnionType(members=()) if plain is Blocked else port_type(plain)
        except NotAPortType as error:
            self.mistakes.append(f"output {name or ''}: {error}")
            return None
        return OutputDefinition(name=name or _output_name(kind), type=kind, may_block=may_block or plain is Blocked)

    def _spec(self, inputs: list[str]) -> str:
        function = self.options.spec
        if function is None:
            return ""
        name, module = getattr(function, "__qualname__", repr(function)), getattr(function, "__module__", "")
        if not name.isidentifier():
            self.mistakes.append(f"its spec {name} must be a function at the top of a module")
            return ""
        try:
            hints = annotations_of(function)
        except (NameError, TypeError, SyntaxError, AttributeError) as error:
            self.mistakes.append(f"the annotations of its spec {name} cannot be resolved: {error}")
            hints = {}
        taken = [each for each in inspect.signature(function).parameters if hints.get(each) is not SpecContext]
        if missing := [each for each in inputs if each not in taken]:
            self.mistakes.append(f"its spec {name} lacks the inputs {', '.join(missing)}")
        if strange := [each for each in taken if each not in inputs]:
            self.mistakes.append(f"its spec {name} takes {', '.join(strange)}, which the node does not")
        if culprit := self.find_torch(module):
            self.mistakes.append(f"its spec {name} lies in {module}, which imports torch (in {culprit})")
        return f"{module}:{name}"

    def _docs(self, ports: set[str]) -> tuple[str, str, dict[str, str]]:
        text = inspect.cleandoc(self.function.__doc__ or "")
        if not text:
            self.mistakes.append("it has no docstring; the first line is what users see")
        title, _, rest = text.partition("\n")
        prose: list[str] = []
        docs: dict[str, str] = {}
        current: str | None = None
        for line in rest.splitlines():
            match = _DOC_LINE.match(line)
            if match:
                current = match[1]
                docs[current] = match[2]
            elif current and line.startswith("  "):
                docs[current] += " " + line.strip()
            else:
                current = None
                prose.append(line)
        self.mistakes += [
            f"the docstring describes {name!r}, which is no input or output" for name in docs.keys() - ports - {"ctx"}
        ]
        return title.strip().rstrip("."), "\n".join(prose).strip(), docs


def _output_name(kind: object) -> str:
    if isinstance(kind, WireType):
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", kind.id.rpartition(".")[2]).lower()
    return "value" if isinstance(kind, ScalarType) else "result"
