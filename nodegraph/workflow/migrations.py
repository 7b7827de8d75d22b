"""From the formats of old to the present one: pure functions, applied in order, never changed once released."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Final, Literal

from ..errors import WorkflowFormatError

FORMAT: Final[Literal["nodegraph/1"]] = "nodegraph/1"

Document = dict[str, Any]


def _draft_to_1(document: Document) -> Document:
    """`nodegraph/0`, the draft: wires were `["node", "output"]` and lay apart from values; `expose` was a list."""
    nodes = {}
    for name, entry in document.get("nodes", {}).items():
        wires = {port: {"from": ".".join(source)} for port, source in entry.get("wires", {}).items()}
        nodes[name] = {"type": entry["type"], "version": "1", "inputs": {**entry.get("values", {}), **wires}}
    exposed = document.get("expose", [])
    return {
        "format": "nodegraph/1",
        "nodes": nodes,
        "inputs": {each["name"]: {"to": [each["target"]], "title": each.get("label", "")} for each in exposed},
        "outputs": {name: {"from": ".".join(source)} for name, source in document.get("results", {}).items()},
        "layout": document.get("layout", {}),
    }


MIGRATIONS: Final[dict[str, Callable[[Document], Document]]] = {"nodegraph/0": _draft_to_1}
"""By the format that each one reads; each returns the next format."""


def migrate(document: object, *, source: str = "workflow") -> Document:
    """`document` in the present format; the argument is left as it was.

    Raises WorkflowFormatError for anything that is no workflow of a known format.
    """
    if not isinstance(document, dict):
        raise WorkflowFormatError(f"{source}: a workflow is a JSON object, this is {type(document).__name__}")
    name = document.get("format")
    if name is None:
        raise WorkflowFormatError(f'{source}: it has no "format"; a workflow begins with "format": "{FORMAT}"')
    current = document
    while (name := current.get("format")) != FORMAT:
        step = MIGRATIONS.get(name) if isinstance(name, str) else None
        if step is None:
            known = ", ".join([*MIGRATIONS, FORMAT])
            raise WorkflowFormatError(
                f"{source}: the format {name!r} is not known here (known: {known}); a newer nodegraph may read it"
            )
        try:
            current = step(copy.deepcopy(current))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise WorkflowFormatError(f"{source}: it is no valid {name} workflow: {error!r}") from error
    return current
