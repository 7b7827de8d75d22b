"""A workflow as a Python program that builds it again."""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from pydantic import JsonValue

from ..definition import NodeDefinition
from ..errors import NodegraphError
from ..plugins import PLUGIN_PACKAGE
from .graph import BadLink, FileSource, Gathered, Link, Written, links_of, parse_link, parse_source
from .model import NodeEntry, Workflow

_TAKEN = ("g", "Workflow")
"""Names that every program uses."""


class NotExpressible(NodegraphError):
    """A workflow has no form as a program."""


def to_python(workflow: Workflow, definitions: Mapping[str, NodeDefinition]) -> str:
    """A program that builds exactly this workflow and leaves it in `g`.

    Raises NotExpressible for workflows that no program could build: wires in a circle or to nodes that are not there,
    node types or versions that are not installed.
    """
    return "".join(f"{line}\n" for line in _Writer(workflow, definitions).lines())


class _Writer:
    """Writes one program."""

    def __init__(self, workflow: Workflow, definitions: Mapping[str, NodeDefinition]) -> None:
        self._workflow, self._definitions = workflow, definitions
        self._sources = {name: _sources(name, entry) for name, entry in workflow.nodes.items()}
        self._order = self._ordered()
        self._functions = self._named_functions()
        self._variables = self._named_variables()

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
        yield from self._head()
        for name in self._order:
            yield from self._node(name)
        yield from self._ends()
        yield ""
        yield "g.check()"

    def _ordered(self) -> list[str]:
        nodes = self._workflow.nodes
        wires: dict[str, list[str]] = {}
        for name, sources in self._sources.items():
            wires[name] = [link.node for source in sources.values() for link in links_of(source)]
            for missing in (each for each in wires[name] if each not in nodes):
                raise NotExpressible(f"node {name!r} is wired to {missing!r}, which is not there")
            definition = self._definitions.get(nodes[name].type)
            if definition is None or definition.version != nodes[name].version:
                shown = f"{nodes[name].type!r} version {nodes[name].version}"
                raise NotExpressible(f"node {name!r} is of the type {shown}, which is not installed")
        try:
            return list(TopologicalSorter(wires).static_order())
        except CycleError as error:
            raise NotExpressible(f"the wires run in a circle: {' -> '.join(error.args[1])}") from error

    def _named_functions(self) -> dict[str, str]:
        """The name of each node type's function in the program; packs in plugin folders cannot be imported."""
        found: dict[str, str] = {}
        for kind in sorted({entry.type for entry in self._workflow.nodes.values()}):
            definition = self._definitions[kind]
            if definition.module.startswith(PLUGIN_PACKAGE):
                continue
            taken = definition.function in (*_TAKEN, *found.values())
            found[kind] = kind.replace(".", "_") + "_node" if taken else definition.function
        return found

    def _named_variables(self) -> dict[str, str]:
        taken = {*_TAKEN, *self._functions.values()}
        found: dict[str, str] = {}
        for name in self._order:
            variable = re.sub(r"\W", "_", name)
            while variable in taken or keyword.iskeyword(variable):
                variable += "_"
            taken.add(variable)
            found[name] = variable
        return found

    def _head(self) -> Iterator[str]:
        workflow = self._workflow
        given: dict[str, JsonValue] = {
            "title": workflow.title,
            "description": workflow.description,
            "layout": workflow.layout,
        }
        options = [f"{name}={_literal(value)}" for name, value in given.items() if value]
        yield from _call("g = Workflow", options)

    def _node(self, name: str) -> Iterator[str]:
        entry, variable = self._workflow.nodes[name], self._variables[name]
        first = [self._functions.get(entry.type, _literal(entry.type)), _literal(name)]
        named = {port: self._source(source) for port, source in self._sources[name].items()}
        odd = {port: text for port, text in named.items() if not port.isidentifier() or keyword.iskeyword(port)}
        options = [f"{port}={text}" for port, text in named.items() if port not in odd]
        if odd:
            options.append(f"**{{{', '.join(f'{_literal(port)}: {text}' for port, text in odd.items())}}}")
        yield from _call(f"{variable} = g.add", [*first, *options])
        if entry.title:
            yield f"g.titled({variable}, {_literal(entry.title)})"

    def _source(self, source: FileSource) -> str:
        match source:
            case Link(node=node, output=output):
                return self._output(node, output)
            case Gathered(items=items):
                return f"[{', '.join(self._source(item) for item in items)}]"
            case Written(value=value):
                return _literal(value)

    def _output(self, node: str, output: str) -> str:
        definition = self._definitions[self._workflow.nodes[node].type]
        if output not in definition.outputs_by_name:
            raise NotExpressible(f"node {node!r} ({definition.id}) has no output {output!r}")
        only = len(definition.outputs) == 1
        return self._variables[node] if only else f"{self._variables[node]}.{output}"

    def _ends(self) -> Iterator[str]:
        workflow = self._workflow
        if workflow.inputs or workflow.outputs:
            yield ""
        for name, declared in workflow.inputs.items():
            places = []
            for target in declared.to:
                link = self._link(target, f"the input {name!r}")
                places.append(f"({self._variables[link.node]}, {_literal(link.output)})")
            options = [
                f"{key}={_literal(text)}" for key, text in (("title", declared.title), ("help", declared.help)) if text
            ]
            yield from _call("g.input", [_literal(name), *places, *options])
        for name, output in workflow.outputs.items():
            link = self._link(output.source, f"the output {name!r}")
            options = [f"title={_literal(output.title)}"] if output.title else []
            yield from _call("g.output", [_literal(name), self._output(link.node, link.output), *options])

    def _link(self, text: str, what: str) -> Link:
        try:
            link = parse_link(text)
        except BadLink as error:
            raise NotExpressible(f"{what}: {error}") from error
        if link.node not in self._variables:
            raise NotExpressible(f"{what} names {link.node!r}, which is not there")
        return link


def _sources(name: str, entry: NodeEntry) -> dict[str, FileSource]:
    found: dict[str, FileSource] = {}
    for port, value in entry.inputs.items():
        try:
            found[port] = parse_source(value)
        except BadLink as error:
            raise NotExpressible(f"{name}.{port}: {error}") from error
    return found


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
