"""The files that a graph names: which they are, and which of them are not there."""

from __future__ import annotations

from collections.abc import Iterator

from ..definition import InputDefinition
from ..errors import FileMissing, FileNotAllowed
from ..ports.types import path_kinds
from ..workflow.defects import Defect
from ..workflow.graph import Graph, Written
from .keys import written_paths
from .resolve import FileResolver


def named_files(graph: Graph) -> Iterator[tuple[str, str, str, str]]:
    """Node, input, kind and name of every file that is written into a graph."""
    taking: dict[str, list[InputDefinition]] = {}
    for node in graph.all_nodes():
        definition = node.definition
        if node.loop is not None or definition.id not in taking:
            taking[definition.id] = [port for port in definition.inputs if path_kinds(port.type)]
        for port in taking[definition.id]:
            for kind, name in written_paths(port.type, node.sources.get(port.name, Written(None))):
                yield node.name, port.name, kind, name


def file_defects(graph: Graph, files: FileResolver) -> list[Defect]:
    """The files that a graph names and that are missing or not allowed."""
    defects = []
    for node, port, kind, name in named_files(graph):
        try:
            files.resolve(kind, name)
        except FileMissing as error:
            defects.append(Defect("missing_file", str(error), node=node, input=port, value=name))
        except FileNotAllowed as error:
            defects.append(Defect("file_not_allowed", str(error), node=node, input=port, value=name))
    return defects
