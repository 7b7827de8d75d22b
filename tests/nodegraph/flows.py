"""Writing small workflows in tests."""

from __future__ import annotations

from typing import Any

from nodegraph import Workflow


def flow(
    nodes: dict[str, tuple[str, dict[str, Any]]],
    outputs: dict[str, str] | None = None,
    inputs: dict[str, Any] | None = None,
) -> Workflow:
    """A workflow from `{name: (type, inputs)}`, `{output: "node.output"}` and declared inputs."""
    entries = {name: {"type": kind, "inputs": values} for name, (kind, values) in nodes.items()}
    named = {name: {"from": source} for name, source in (outputs or {}).items()}
    document = {"format": "nodegraph/1", "nodes": entries, "outputs": named, "inputs": inputs or {}}
    return Workflow.from_document(document)


def link(source: str) -> dict[str, str]:
    """A wire."""
    return {"from": source}
