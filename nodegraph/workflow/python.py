"""A workflow as a Python program that builds it again."""

from __future__ import annotations

import json
import keyword
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from pydantic import JsonValue

from ..definition import NodeDefinition
from ..errors import NodegraphError
from ..plugins import PLUGIN_PACKAGE
from .calls import CALL, CALLS, OPTIONS, Interface, argument_name, definition_of, interfaces
from .graph import BadLink, FileSource, Gathered, Link, Written, links_of, parse_link, parse_source
from .model import NodeEntry, Subgraph, Workflow

_TAKEN = ("g", "Workflow")
"""Names that every program uses."""


class NotExpressible(NodegraphError):
    """A workflow has no form as a program."""


def to_python(workflow: Workflow, definitions: Mapping[str, NodeDefinition]) -> str:
    """A program that builds exactly this workflow and leaves it in `g`.

    A written value keeps its form but for one: `{"value": 2.5}` becomes the plain 2.5, which means the same.

    Raises NotExpressible for workflows that no program could build: wires in a circle or to nodes that are not there,
    node types or versions that are not installed, graphs that contain themselves.
    """
    return "".join(f"{line}\n" for line in _Program(workflow, definitions).lines())


@dataclass(frozen=True, slots=True)
class _Shared:
    """What all parts of a program know: node definitions, the graphs' interfaces, and names.

    functions: by node type, what it is called in the program; packs in plugin folders cannot be imported.
    graphs: by name of a graph, the variable that holds it.
    """

    definitions: Mapping[str, NodeDefinition]
    interfaces: Mapping[str, Interface]
    functions: Mapping[str, str]
    graphs: Mapping[str, str]


class _Program:
    """Writes one program."""

    def __init__(self, workflow: Workflow, definitions: Mapping[str, NodeDefinition]) -> None:
        self._workflow, self._definitions = workflow, definitions
        known = interfaces(workflow, definitions)
        for name in workflow.graphs:
            if name not in known:
                raise NotExpressible(f"the graph {name!r} contains itself, or one that does, or has no name")
        functions = self._named_functions()
        variables = _Variables((*_TAKEN, *functions.values()))
        graphs = {name: variables.new(name, "graph") for name in known}
        shared = _Shared(definitions, known, functions, graphs)
        self._main = _GraphWriter(workflow, "", "g", variables, shared)
        self._graphs = [
            _GraphWriter(workflow.graphs[name], name, variable, variables, shared) for name, variable in graphs.items()
        ]
        self._functions = functions

    def lines(self) -> Iterator[str]:
        """The program's lines."""
        shown = "".join(each for each in self._workflow.title if each.isprintable() and each not in '"\\')
        title = shown.strip() or "A workflow"
        yield f'"""{title}"""'
        yield ""
        yield "from nodegraph import Workflow"
        imports: dict[str, list[str]] = {}
        for kind, name in sorted(self._functions.items()):
            definition = self._definitions[kind]
            alias = definition.function if name == definition.function else f"{definition.function} as {name}"
            imports.setdefault(definition.module, []).append(alias)
        for module, names in sorted(imports.items()):
            yield f"from {module} import {', '.join(names)}"
        yield ""
        yield from _call("g = Workflow", _about(self._workflow))
        for graph in self._graphs:
            yield ""
            yield from _call(f"{graph.variable} = g.graph", [_literal(graph.name), *_about(graph.document)])
            yield from graph.nodes()
            yield from graph.ends()
        if self._graphs:
            yield ""
        yield from self._main.nodes()
        if self._workflow.inputs or self._workflow.outputs:
            yield ""
        yield from self._main.ends()
        yield ""
        yield "g.check()"

    def _named_functions(self) -> dict[str, str]:
        """The name of each node type's function in the program."""
        documents = (self._workflow, *self._workflow.graphs.values())
        found: dict[str, str] = {}
        for kind in sorted({entry.type for each in documents for entry in each.nodes.values()}):
            definition = self._definitions.get(kind)
            if definition is None or definition.module.startswith(PLUGIN_PACKAGE):
                continue
            taken = definition.function in (*_TAKEN, *found.values())
            found[kind] = kind.replace(".", "_") + "_node" if taken else definition.function
        return found


class _Variables:
    """Names for variables, each given once."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)

    def new(self, name: str, prefix: str) -> str:
        """A variable for what a workflow calls `name`: that, or it after the prefix where it is taken or none."""
        plain = re.sub(r"\W", "_", name, flags=re.ASCII)
        variable = plain if plain.isidentifier() else f"{prefix}_{plain}"
        if variable in self._taken and prefix:
            variable = f"{prefix}_{plain}"
        while variable in self._taken or keyword.iskeyword(variable):
            variable += "_"
        self._taken.add(variable)
        return variable


class _GraphWriter:
    """Writes the workflow itself, or one of its graphs. variable: what holds it in the program."""

    def __init__(self, document: Subgraph, name: str, variable: str, variables: _Variables, shared: _Shared) -> None:
        self.document, self.name, self.variable = document, name, variable
        self._shared = shared
        self._where = f" of the graph {name!r}" if name else ""
        self._known = {node: self._definition(node, entry) for node, entry in document.nodes.items()}
        self._sources = {node: self._sources_of(node, entry) for node, entry in document.nodes.items()}
        self._order = self._ordered()
        self._variables = {node: variables.new(node, variable if name else "") for node in self._order}

    def nodes(self) -> Iterator[str]:
        """The lines that add the nodes."""
        for name in self._order:
            entry, variable = self.document.nodes[name], self._variables[name]
            if entry.type in CALLS:
                method = "call" if entry.type == CALL else entry.type
                first = [self._shared.graphs[entry.graph], _literal(name), *_options(entry)]
            else:
                method = "add"
                first = [self._shared.functions.get(entry.type, _literal(entry.type)), _literal(name)]
            yield from _call(f"{variable} = {self.variable}.{method}", [*first, *self._arguments(name, entry)])
            if entry.title:
                yield f"{self.variable}.titled({variable}, {_literal(entry.title)})"
            if entry.mode:
                yield f"{self.variable}.{entry.mode}({variable})"

    def ends(self) -> Iterator[str]:
        """The lines that declare inputs and outputs."""
        for name, declared in self.document.inputs.items():
            places = []
            for target in declared.to:
                link = self._link(target, f"the input {name!r}")
                places.append(f"({self._variables[link.node]}, {_literal(link.output)})")
            options = [
                f"{key}={_literal(text)}" for key, text in (("title", declared.title), ("help", declared.help)) if text
            ]
            yield from _call(f"{self.variable}.input", [_literal(name), *places, *options])
        for name, output in self.document.outputs.items():
            link = self._link(output.source, f"the output {name!r}")
            options = [f"title={_literal(output.title)}"] if output.title else []
            yield from _call(
                f"{self.variable}.output", [_literal(name), self._output(link.node, link.output), *options]
            )

    def _definition(self, name: str, entry: NodeEntry) -> NodeDefinition:
        definition = definition_of(entry, self._shared.interfaces, self._shared.definitions)
        if definition is None or definition.version != entry.version:
            graph = f" of the graph {entry.graph!r}" if entry.graph else ""
            shown = f"{entry.type!r} version {entry.version}{graph}"
            raise NotExpressible(f"node {name!r}{self._where} is of the type {shown}, which is not installed")
        able = ("graph", *OPTIONS[entry.type]) if entry.type in CALLS else ()
        for option in ("graph", "each", "carry", "collect", "until", "index"):
            if getattr(entry, option) and option not in able:
                raise NotExpressible(f"node {name!r}{self._where} has {option!r}, which its type does not have")
        return definition

    def _sources_of(self, name: str, entry: NodeEntry) -> dict[str, FileSource]:
        found: dict[str, FileSource] = {}
        for port, value in entry.inputs.items():
            try:
                found[port] = parse_source(value)
            except BadLink as error:
                raise NotExpressible(f"{name}.{port}{self._where}: {error}") from error
        return found

    def _ordered(self) -> list[str]:
        wires: dict[str, list[str]] = {}
        for name, sources in self._sources.items():
            wires[name] = [link.node for source in sources.values() for link in links_of(source)]
            for missing in (each for each in wires[name] if each not in self.document.nodes):
                raise NotExpressible(f"node {name!r}{self._where} is wired to {missing!r}, which is not there")
        try:
            return list(TopologicalSorter(wires).static_order())
        except CycleError as error:
            raise NotExpressible(f"the wires{self._where} run in a circle: {' -> '.join(error.args[1])}") from error

    def _arguments(self, name: str, entry: NodeEntry) -> Iterator[str]:
        """What is given to the inputs of a node."""
        named = {
            argument_name(entry.type, port) if entry.type in CALLS else port: self._source(source)
            for port, source in self._sources[name].items()
        }
        yield from (f"{port}={text}" for port, text in named.items() if _is_name(port))
        odd = [f"{_literal(port)}: {text}" for port, text in named.items() if not _is_name(port)]
        if odd:
            yield f"**{{{', '.join(odd)}}}"

    def _source(self, source: FileSource) -> str:
        match source:
            case Link(node=node, output=output):
                return self._output(node, output)
            case Gathered(items=items):
                return f"[{', '.join(self._source(item) for item in items)}]"
            case Written(value=value):
                return _literal(value)

    def _output(self, node: str, output: str) -> str:
        definition = self._known[node]
        if output not in definition.outputs_by_name:
            raise NotExpressible(f"node {node!r} ({definition.id}){self._where} has no output {output!r}")
        if len(definition.outputs) == 1:
            return self._variables[node]
        is_plain = _is_name(output) and not output.startswith("_")
        return f"{self._variables[node]}.{output}" if is_plain else f"{self._variables[node]}[{_literal(output)}]"

    def _link(self, text: str, what: str) -> Link:
        try:
            link = parse_link(text)
        except BadLink as error:
            raise NotExpressible(f"{what}{self._where}: {error}") from error
        if link.node not in self._variables:
            raise NotExpressible(f"{what}{self._where} names {link.node!r}, which is not there")
        return link


def _about(document: Subgraph) -> list[str]:
    """What is said about a graph as a whole."""
    given: dict[str, JsonValue] = {
        "title": document.title,
        "description": document.description,
        "layout": document.layout,
    }
    return [f"{name}={_literal(value)}" for name, value in given.items() if value]


def _options(entry: NodeEntry) -> Iterator[str]:
    """What a node that runs a graph says beside its inputs; one name stands for a list of one."""
    for option in OPTIONS[entry.type]:
        match getattr(entry, option):
            case [str(name)] if name:
                yield f"{option}={_literal(name)}"
            case [*names] if names or option == "each":
                yield f"{option}=[{', '.join(map(_literal, names))}]"
            case str(name) if name:
                yield f"{option}={_literal(name)}"


def _is_name(text: str) -> bool:
    """Whether Python reads a text as a name, and as this one."""
    return text.isidentifier() and not keyword.iskeyword(text) and unicodedata.normalize("NFKC", text) == text


def _literal(value: JsonValue) -> str:
    """A JSON value as Python; texts in double quotes."""
    if isinstance(value, str) and value.isprintable():
        return json.dumps(value, ensure_ascii=False)
    return repr(value)


def _call(function: str, options: list[str]) -> Iterator[str]:
    """A call on one line, or with one argument per line where that would be too long."""
    line = f"{function}({', '.join(options)})"
    if len(line) <= 110:
        yield line
        return
    yield f"{function}("
    yield from (f"    {option}," for option in options)
    yield ")"
