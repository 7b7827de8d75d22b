"""What is in a model's file, as the specs of the nodes that load such files tell it from its header."""

from __future__ import annotations

from collections.abc import Iterator

from ..catalog import Catalog
from ..definition import InputDefinition, NodeDefinition
from ..errors import NodegraphError
from ..plugins import make_importable
from ..ports.types import path_kinds
from ..spec import SpecContext
from ..workflow.model import NodeEntry, Workflow
from ..workflow.validate import check
from .forecast import Forecaster
from .run import Runner

LONGEST_REASON = 400


def model_facts(runner: Runner, kind: str, name: str) -> dict[str, str]:
    """What a file of a kind holds: `family`, `precision`, and `error`, which says why no node here can load it.

    All of them are "" for kinds that no node loads.
    """
    errors: list[str] = []
    policy = runner.policy
    context = SpecContext(device=policy.device, precision=policy.precision, threads=policy.threads)
    for definition, port in _loaders(runner.catalog, kind):
        make_importable(runner.catalog.packs[definition.pack])
        entry = NodeEntry(type=definition.id, version=definition.version, inputs={port.name: name})
        try:
            graph = check(Workflow(nodes={"file": entry}), runner.catalog)
            found = Forecaster(graph, runner.files.resolve, context, frozenset()).walk()["file"]
        except NodegraphError as error:
            errors.append(str(error))
            continue
        if found.models:
            return {"family": found.models[0].family, "precision": found.models[0].precision, "error": ""}
        errors += [each.reason for each in found.defects] or [found.gap]
    return {"family": "", "precision": "", "error": next(filter(None, errors), "")[:LONGEST_REASON]}


def _loaders(catalog: Catalog, kind: str) -> Iterator[tuple[NodeDefinition, InputDefinition]]:
    """The nodes that need a file of this kind and nothing else, those first that give most."""
    for definition in sorted(catalog.values(), key=lambda each: -len(each.outputs)):
        needed = [port for port in definition.inputs if port.required]
        if definition.spec and len(needed) == 1 and kind in path_kinds(needed[0].type):
            yield definition, needed[0]
