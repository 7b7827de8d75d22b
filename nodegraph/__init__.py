"""nodegraph: a typed node-graph workflow system for diffusion models.

`from nodegraph import Workflow, run` runs a workflow; `from nodegraph import node, Context` declares one's own nodes.
Names are imported on first use, so that importing the package costs nothing and never loads torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .declaration import node
    from .errors import Cancelled, InvalidInput, InvalidWorkflow, NodeFailed, NodegraphError
    from .execution.context import Context
    from .execution.run import RunResult, run
    from .ports.flow import Blocked, Lazy
    from .ports.widgets import Multiline, PathOf, Seed, Slider
    from .ports.wire import wire
    from .settings import Settings
    from .workflow.model import Workflow

__version__ = "0.1.0"

_HOMES = {
    "Blocked": "ports.flow",
    "Cancelled": "errors",
    "InvalidInput": "errors",
    "InvalidWorkflow": "errors",
    "NodeFailed": "errors",
    "NodegraphError": "errors",
    "Context": "execution.context",
    "RunResult": "execution.run",
    "run": "execution.run",
    "node": "declaration",
    "Lazy": "ports.flow",
    "Multiline": "ports.widgets",
    "PathOf": "ports.widgets",
    "Seed": "ports.widgets",
    "Slider": "ports.widgets",
    "wire": "ports.wire",
    "Settings": "settings",
    "Workflow": "workflow.model",
}

__all__ = [
    "Blocked",
    "Cancelled",
    "Context",
    "InvalidInput",
    "InvalidWorkflow",
    "Lazy",
    "Multiline",
    "NodeFailed",
    "NodegraphError",
    "PathOf",
    "RunResult",
    "Seed",
    "Settings",
    "Slider",
    "Workflow",
    "node",
    "run",
    "wire",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'nodegraph' has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value
