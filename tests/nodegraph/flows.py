"""Writing small workflows in tests."""

from __future__ import annotations

from typing import Any

from nodegraph import Workflow

Nodes = dict[str, tuple[Any, ...]]


def graph(nodes: Nodes, outputs: dict[str, str] | None = None, inputs: dict[str, Any] | None = None) -> dict[str, Any]:
    """A graph of a file from `{name: (type, inputs)}` or `{name: (type, inputs, options)}`, `{output: "node.output"}`
    and `{input: "node.input"}` or whole declarations."""
    return {
        "nodes": {
            name: {"type": kind, "inputs": values, **(more[0] if more else {})}
            for name, (kind, values, *more) in nodes.items()
        },
        "outputs": {name: {"from": source} for name, source in (outputs or {}).items()},
        "inputs": {
            name: {"to": [place]} if isinstance(place, str) else place for name, place in (inputs or {}).items()
        },
    }


def flow(
    nodes: Nodes,
    outputs: dict[str, str] | None = None,
    inputs: dict[str, Any] | None = None,
    graphs: dict[str, dict[str, Any]] | None = None,
) -> Workflow:
    """A workflow, written as `graph` says; `graphs` are more graphs of the file."""
    return Workflow.from_document(
        {"format": "nodegraph/1", **graph(nodes, outputs, inputs), **({"graphs": graphs} if graphs else {})}
    )


def link(source: str) -> dict[str, str]:
    """A wire."""
    return {"from": source}
