"""The plan: which nodes must run, which results are there already, and which are not needed at all."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from ..workflow.graph import Graph


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do.

    order: the nodes to run, every one after those it needs, and what one target needs before the next is begun, so
    that little is held at a time. cached: nodes whose stored results will be used.
    targets: the nodes whose results were asked for. keys: of all nodes of the graph.
    """

    graph: Graph
    keys: Mapping[str, str]
    targets: tuple[str, ...]
    order: tuple[str, ...]
    cached: frozenset[str]


def default_targets(graph: Graph) -> tuple[str, ...]:
    """What a run is for unless told otherwise: declared outputs and every effect; failing both, the last nodes."""
    wanted = {link.node for link in graph.outputs.values()}
    wanted |= {name for name, node in graph.nodes.items() if node.definition.effect}
    if not wanted:
        used = {link.node for node in graph.nodes.values() for link in node.links()}
        wanted = graph.nodes.keys() - used
    return tuple(name for name in graph.nodes if name in wanted)


def make_plan(
    graph: Graph,
    keys: Mapping[str, str],
    targets: Iterable[str],
    stored: Callable[[Collection[str]], set[str]],
) -> Plan:
    """Plan a run of `targets`; `stored` says which keys have a stored result."""
    wanted = tuple(targets)
    closure = _closure(graph, wanted)
    available = stored({keys[name] for name in closure if graph.nodes[name].definition.reusable})
    needed: set[str] = set(wanted)
    to_run: set[str] = set()
    cached: set[str] = set()
    for name in reversed(list(graph.nodes)):
        if name not in needed:
            continue
        node = graph.nodes[name]
        if node.definition.reusable and keys[name] in available:
            cached.add(name)
        else:
            to_run.add(name)
            needed.update(link.node for link in node.links())
    return Plan(graph, keys, wanted, _depth_first(graph, wanted, to_run), frozenset(cached))


def _depth_first(graph: Graph, targets: Iterable[str], to_run: Collection[str]) -> tuple[str, ...]:
    """The nodes of `to_run`, each after those it needs and as late as that allows."""
    order: dict[str, None] = {}
    waiting = [(target, False) for target in reversed(list(targets)) if target in to_run]
    while waiting:
        name, needs_are_there = waiting.pop()
        if needs_are_there:
            order[name] = None
        elif name not in order:
            needs = [link.node for link in graph.nodes[name].links() if link.node in to_run and link.node not in order]
            waiting.append((name, True))
            waiting += [(each, False) for each in reversed(needs)]
    return tuple(order)


def _closure(graph: Graph, targets: Iterable[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(targets)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [link.node for link in graph.nodes[name].links()]
    return found
