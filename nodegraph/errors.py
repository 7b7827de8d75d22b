"""Everything this package raises on purpose, one class per defect.

A message says what was attempted, where, with which value, and what to do about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from .workflow.defects import Defect


class NodegraphError(Exception):
    """Base of every error a user of nodegraph is meant to read."""


class InvalidInput(NodegraphError):
    """A node was given a value that it cannot work with; raised by node functions."""

    def __init__(self, input_name: str, value: object, reason: str, remedy: str = "") -> None:
        self.input_name, self.value, self.reason, self.remedy = input_name, value, reason, remedy
        super().__init__(input_name, value, reason, remedy)

    def __str__(self) -> str:
        return f"{self.input_name} = {shorten(self.value)}: {self.reason}{'; ' + self.remedy if self.remedy else ''}"


class DeclarationError(NodegraphError):
    """A module declares nodes wrongly; lists every mistake of the module."""

    def __init__(self, module: str, mistakes: Iterable[str]) -> None:
        self.module, self.mistakes = module, tuple(mistakes)
        super().__init__(module, self.mistakes)

    def __str__(self) -> str:
        return f"{self.module} declares its nodes wrongly:\n" + "\n".join(f"  - {each}" for each in self.mistakes)


class PackError(NodegraphError):
    """A node pack cannot be used; the other packs still can."""

    def __init__(self, pack: str, reason: str) -> None:
        self.pack, self.reason = pack, reason
        super().__init__(f"the node pack {pack!r} cannot be used: {reason}")


class WorkflowFormatError(NodegraphError):
    """A file is no workflow of a format that this version reads."""


class InvalidWorkflow(NodegraphError):
    """A workflow has defects; carries all of them as records."""

    def __init__(self, defects: Sequence[Defect]) -> None:
        self.defects = tuple(defects)
        super().__init__(self.defects)

    def __str__(self) -> str:
        count = len(self.defects)
        head = f"the workflow has {count} defect{'s' if count != 1 else ''}:"
        return "\n".join([head, *(f"  - {defect}" for defect in self.defects)])


class FileNotAllowed(NodegraphError):
    """A file name in a workflow points outside the folders of its kind."""


class FileMissing(NodegraphError):
    """A file that a workflow names is in none of the folders of its kind."""


class FileNotImported(NodegraphError):
    """A file could not be copied to where workflows may use it; nothing was left behind."""


class NodeFailed(NodegraphError):
    """A node raised while it ran; names the node, its inputs and the cause."""

    def __init__(self, node: str, type_id: str, inputs: str, cause: str) -> None:
        self.node, self.type_id, self.inputs, self.cause = node, type_id, inputs, cause
        super().__init__(node, type_id, inputs, cause)

    def __str__(self) -> str:
        return f"node {self.node!r} ({self.type_id}) failed: {self.cause}\n  its inputs: {self.inputs or 'none'}"


class StaleValue(NodegraphError):
    """A value in memory can no longer be used, such as a model whose file was written to.

    Raised by node functions. The engine then forgets every value that stays in memory, so that the next run makes them
    anew from their recipes.
    """


class WrongOutput(NodegraphError):
    """A node returned something else than it declares."""


class MutatedInput(NodegraphError):
    """A node changed a value it was given; wire values are immutable."""


class Cancelled(NodegraphError):
    """The run was cancelled. What had finished is kept."""


class SettingsError(NodegraphError):
    """The settings file, environment or options hold something unusable."""

    def __init__(self, source: str | Path, reason: str) -> None:
        super().__init__(f"settings from {source}: {reason}")


def shorten(value: object, limit: int = 120) -> str:
    """`repr(value)`, cut in the middle to at most `limit` characters."""
    text = repr(value)
    if len(text) <= limit:
        return text
    half = (limit - 5) // 2
    return f"{text[:half]} ... {text[-half:]}"
