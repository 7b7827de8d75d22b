"""Memory of a run before it runs: the plan's order is gone through, values come and go, and the worst moment counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..spec import sizes_of
from ..workflow.graph import GraphNode
from .forecast import NodeForecast
from .plan import Plan

ENGINE_BYTES = 38_000_000
"""What the process holds before any node's code is loaded: Python, pydantic, the catalog, SQLite. Measured as the
resident set of a process that has planned a run."""

TORCH_BYTES = 230_000_000
"""What torch adds: 200 million bytes when it is imported, 5 for the packs on top of it, and 25 for what is loaded when
first used: kernels, their threads, tables of matrix libraries. Measured with the CPU build of torch 2.13."""


LARGEST_HEAP_BLOCK = 32 * 2**20
"""Bytes; glibc maps larger blocks one by one and gives them back at once."""


def heap_slack(working: int) -> int:
    """Bytes that the allocator keeps beside what a node works with.

    glibc serves smaller blocks from a heap whose top it gives back only when twice the largest freed block lies there
    (`M_TRIM_THRESHOLD` follows `M_MMAP_THRESHOLD`). Of what a network works with, the largest block is about a third:
    the wide layer of a transformer, the input or output of a convolution.
    """
    return 2 * min(working // 3, LARGEST_HEAP_BLOCK)


@dataclass(frozen=True, slots=True)
class MemoryForecast:
    """Bytes at the worst moment of a run.

    baseline: the process itself. values: what nodes gave and somebody still needs, or the cache keeps. working: what
    the node at work needs beside them, with what the allocator keeps. node: which one is at work then; "" when nothing
    runs.
    """

    baseline: int
    values: int = 0
    working: int = 0
    node: str = ""

    @property
    def peak(self) -> int:
        """All of it."""
        return self.baseline + self.values + self.working


def forecast_memory(plan: Plan, nodes: Mapping[str, NodeForecast], *, kept: int, slack: bool = True) -> MemoryForecast:
    """The worst moment of a run of `plan` on one node at a time.

    kept: bytes of results that the cache keeps in memory when nobody needs them any more; 0 runs without a cache.
    slack: whether to count what the allocator keeps.
    """
    uses_torch = any("torch" in each.definition.numeric for each in _with_bodies(plan))
    baseline = ENGINE_BYTES + (TORCH_BYTES if uses_torch else 0)
    waiting = Counter(link.node for name in plan.order for link in plan.graph.nodes[name].links())
    waiting.update(plan.targets)
    held, live = _Held(kept), dict[str, dict[int, int]]()
    worst = MemoryForecast(baseline)
    for name in plan.order:
        links = [link.node for link in plan.graph.nodes[name].links()]
        for each in (*links, name):  # stored results are loaded when they are needed
            if each not in live:
                live[each] = sizes_of(nodes[each].outputs.values())
                held.take(live[each])
        working = nodes[name].cost.working
        working += heap_slack(working) if slack else 0
        if held.total + working >= worst.values + worst.working:
            worst = MemoryForecast(baseline, held.total, working, name)
        waiting.subtract(links)
        for each in {each for each in links if waiting[each] <= 0}:
            held.drop(live.pop(each, {}))
    return worst


class _Held:
    """Bytes of values, those that several results hold once. kept: of what nobody needs the cache holds so many."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._holders: Counter[int] = Counter()
        self._spare: dict[int, int] = {}
        self._needed = self._unneeded = 0

    @property
    def total(self) -> int:
        """Of what is needed, and what the cache holds beside it."""
        return self._needed + min(self._unneeded, self._kept)

    def take(self, sizes: Mapping[int, int]) -> None:
        """A result is there."""
        for identity, size in sizes.items():
            if self._holders[identity] == 0:
                self._needed += size
                self._unneeded -= self._spare.pop(identity, 0)
            self._holders[identity] += 1

    def drop(self, sizes: Mapping[int, int]) -> None:
        """Nobody needs a result any more."""
        for identity, size in sizes.items():
            self._holders[identity] -= 1
            if self._holders[identity] == 0:
                self._needed -= size
                self._spare[identity] = size
                self._unneeded += size


def _with_bodies(plan: Plan) -> Iterator[GraphNode]:
    """The nodes that may run, those in loops included."""
    for name in plan.order:
        node = plan.graph.nodes[name]
        yield node
        if node.loop is not None:
            yield from node.loop.body.all_nodes()
