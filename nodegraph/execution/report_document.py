"""A report of preflight as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .showing import shown

if TYPE_CHECKING:
    from .preflight import NodeReport, Report


def to_document(report: Report) -> dict[str, Any]:
    """The report as JSON."""
    memory = report.memory
    return {
        "ready": not report.defects,
        "nodes": [_node_document(each) for each in report.nodes],
        "models": [
            {
                "node": each.node,
                "file": each.name,
                "family": each.facts.family,
                "precision": each.facts.precision,
                "parameters": each.facts.parameters,
                "bytes": each.facts.bytes,
            }
            for each in report.models
        ],
        "memory": memory
        and {
            "peak": memory.peak,
            "baseline": memory.baseline,
            "values": memory.values,
            "working": memory.working,
            "node": memory.node,
        },
        "time": {"class": report.time_class, "seconds": round(report.seconds, 3)},
        "not_known": list(report.gaps),
        "unread": list(report.unread),
        "defects": [each.to_document() for each in report.defects],
    }


def _node_document(node: NodeReport) -> dict[str, Any]:
    return {
        "name": node.name,
        "type": node.type,
        "state": node.state,
        "outputs": {name: said(value) for name, value in node.outputs.items()},
        "seconds": None if node.seconds is None else round(node.seconds, 3),
        "working": node.working,
        "gap": node.gap,
    }


def said(value: object) -> Any:
    """A spec or an `Unknown` in words, a plain value as JSON."""
    from ..ports.flow import Blocked
    from ..spec import Spec, Unknown

    if isinstance(value, list | tuple):
        return [said(each) for each in value]
    if isinstance(value, Blocked):
        return f"blocked: {value.reason}"
    return str(value) if isinstance(value, Spec | Unknown) else shown(value)
