"""A defect of a workflow as a typed record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from pydantic import JsonValue

from ..errors import shorten

DefectCode: TypeAlias = Literal[
    "bad_name",
    "unknown_type",
    "wrong_version",
    "unknown_input",
    "missing_input",
    "bad_value",
    "bad_link",
    "missing_node",
    "missing_output",
    "type_mismatch",
    "cycle",
    "bad_graph",
    "bad_loop",
    "bad_mode",
    "bad_workflow_input",
    "missing_file",
    "file_not_allowed",
    "refused",
]


@dataclass(frozen=True, slots=True)
class Defect:
    """What is wrong, where, with which value, and what to do.

    node, input: where; empty when it concerns the whole file. value: what stands there. graph: the graph of the file in
    which the node is; empty for the workflow itself.
    """

    code: DefectCode
    reason: str
    remedy: str = ""
    node: str = ""
    input: str = ""
    value: JsonValue = None
    graph: str = ""

    def __str__(self) -> str:
        place = f"{self.node}.{self.input}" if self.input else self.node
        place = f"in the graph {self.graph!r}{', ' if place else ''}{place}" if self.graph else place
        shown = f" = {shorten(self.value)}" if self.value is not None else ""
        return f"{f'{place}{shown}: ' if place else ''}{self.reason}{'; ' + self.remedy if self.remedy else ''}"

    def to_document(self) -> dict[str, Any]:
        """The record as JSON."""
        return {name: getattr(self, name) for name in ("code", "graph", "node", "input", "value", "reason", "remedy")}
