"""The plan: which nodes must run, which results are there already, and which are not needed at all."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from ..definition import NodeDefinition
from ..errors import InvalidWorkflow
from ..workflow.defects import Defect
from ..workflow.graph import Graph, GraphNode


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do.

    order: the nodes that may have to run, every one after those it needs, and what one target needs before the next is
    begun, so that little is held at a time. certain: how many of them run whatever the others give; the rest depends
    on what nodes with lazy inputs ask for, or on the rounds of loops. cached: nodes whose stored results will be used.
    spared: those before them that nothing needs any more, with the key under which the result is stored, "" where it is
    not. targets: the nodes whose results were asked for. keys: of all nodes of the graph that have one already.
    resumes: whether the run may take the place of an earlier one, so that even results that stand for no other run are
    kept.
    """

    graph: Graph
    keys: Mapping[str, str]
    targets: tuple[str, ...]
    order: tuple[str, ...]
    certain: int
    cached: frozenset[str]
    spared: Mapping[str, str] = field(default_factory=dict)
    resumes: bool = False

    def keeps(self, definition: NodeDefinition) -> bool:
        """Whether results of a kind of node are stored for later."""
        return _keeps(definition, self.resumes)


def default_targets(graph: Graph) -> tuple[str, ...]:
    """What a run is for unless told otherwise: declared outputs and every effect; failing both, the last nodes."""
    wanted = {link.node for link in graph.outputs.values()}
    wanted |= {name for name, node in graph.nodes.items() if node.definition.effect}
    if not wanted:
        used = {link.node for node in graph.nodes.values() for link in node.links()}
        wanted = graph.nodes.keys() - used
    return tuple(name for name in graph.nodes if name in wanted)


def expand_targets(graph: Graph, names: Iterable[str]) -> list[str]:
    """Names of nodes; for a graph that was taken apart the nodes that hold its results, and for a node in a round of a
    loop, or in what another node expands into, that loop or node."""
    return list(dict.fromkeys(each for name in names for each in graph.groups.get(name) or [_planned(graph, name)]))


def targets_of(graph: Graph, names: Iterable[str] | None) -> tuple[str, ...]:
    """The nodes that a run is for: those of these names, or what `default_targets` says.

    Raises InvalidWorkflow for names that are not there.
    """
    wanted = default_targets(graph) if names is None else tuple(expand_targets(graph, names))
    if unknown := [name for name in wanted if name not in graph.nodes]:
        raise InvalidWorkflow([_not_there(graph, name) for name in unknown])
    return wanted


def _not_there(graph: Graph, name: str) -> Defect:
    """Why a run cannot go up to a node."""
    around = [name, *(name[:index] for index, each in enumerate(name) if each in "/[")]
    why = next((graph.absent[each] for each in around if each in graph.absent), None)
    if why is None:
        return Defect("missing_node", f"there is no node {name!r} to run up to")
    return Defect("bad_mode", f"nothing runs up to {name!r}: it {why}", "let it take part, or run up to another")


def _planned(graph: Graph, name: str) -> str:
    """The node that is planned, of one that may belong to a round of it."""
    around = name
    while around and around not in graph.nodes:
        around = around[: max(around.rfind("["), around.rfind("/"), 0)]
    return around or name


def make_plan(
    graph: Graph,
    keys: Mapping[str, str],
    targets: Iterable[str],
    stored: Callable[[Collection[str]], set[str]],
    *,
    resumes: bool = False,
) -> Plan:
    """Plan a run of `targets`; `stored` says which keys have a stored result. resumes: see `Plan`."""
    wanted = tuple(targets)
    closure = _closure(graph, wanted)
    available = stored({keys[name] for name in closure if name in keys and _is_kept(graph.nodes[name], resumes)})
    needed: set[str] = set(wanted)
    certain: set[str] = set(wanted)
    to_run: set[str] = set()
    cached: set[str] = set()
    for name in reversed(list(graph.nodes)):
        if name not in needed:
            continue
        node = graph.nodes[name]
        if _is_kept(node, resumes) and keys.get(name) in available:
            cached.add(name)
            continue
        to_run.add(name)
        needed.update(link.node for link in node.links())
        if name in certain and not node.definition.expands and (name in keys or not node.definition.reusable):
            certain.update(link.node for link in node.eager_links())
    order = graph.depth_first(wanted, to_run)
    decided = sum(name in keys or not graph.nodes[name].definition.reusable for name in to_run & certain)
    idle = closure - needed
    spared = {name: keys[name] if keys.get(name) in available else "" for name in graph.nodes if name in idle}
    return Plan(graph, keys, wanted, order, decided, frozenset(cached), spared, resumes)


def _is_kept(node: GraphNode, resumes: bool) -> bool:
    """Whether a node's own result is stored; of loops, those of their rounds are."""
    return node.loop is None and _keeps(node.definition, resumes)


def _keeps(definition: NodeDefinition, resumes: bool) -> bool:
    return definition.reusable or (resumes and not definition.effect)


def _closure(graph: Graph, targets: Iterable[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(targets)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [link.node for link in graph.nodes[name].links()]
    return found


def twins(plan: Plan) -> dict[str, str]:
    """Nodes whose recipe an earlier node of the plan has as well, with that node."""
    first: dict[str, str] = {}
    found = {}
    for name in plan.order:
        if name not in plan.keys or not plan.graph.nodes[name].definition.reusable:
            continue
        other = first.setdefault(plan.keys[name], name)
        if other != name:
            found[name] = other
    return found
