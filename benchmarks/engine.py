"""What the engine itself costs, on graphs of nodes that do next to nothing.

Chains, independent nodes and a grid, each run in this process with the memory tier: for the first time, again with
every result at hand, and with one leaf changed; parsing, checking and planning included. Every time is divided by the
limit and, where there is one, by what ComfyUI 0.3.64 takes for the same graph on a machine of this kind. Then the
growth of the cost per node, memory per node, loops, two nodes that wait for one second each, and chains with the disk
tier.
"""

from __future__ import annotations

import argparse
import gc
import json
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nodegraph import Settings, Workflow
from nodegraph.catalog import Catalog, load_catalog
from nodegraph.execution.run import Runner

PACK = '''
import time

from nodegraph import node

@node(category="benchmark")
def step(a: int = 0, b: int = 0, by: int = 1) -> int:
    """Add."""
    return (a + b + by) % 1000

@node(category="benchmark", lane="io")
def wait(seconds: float, number: int) -> int:
    """Wait."""
    time.sleep(seconds)
    return number

@node(category="benchmark")
def both(numbers: list[int]) -> int:
    """Add."""
    return sum(numbers)
'''
FIRST_LIMIT, CACHED_LIMIT = 100e-6, 30e-6
"""Seconds per node."""
MEMORY_LIMIT = 2048
"""Bytes per node."""
WAITING_LIMIT = 1.3

Nodes = dict[str, dict[str, Any]]


def step(*sources: str, by: int = 1) -> dict[str, Any]:
    wires = dict(zip("ab", ({"from": f"{source}.value"} for source in sources), strict=False))
    return {"type": "bench.step", "inputs": {**wires, "by": by}}


def chain(length: int) -> Nodes:
    """Every node waits for the one before."""
    return {f"n{index}": step(*[f"n{index - 1}"] if index else []) for index in range(length)}


def wide(count: int) -> Nodes:
    """No node waits for another, and no two are alike."""
    return {f"n{index}": step(by=index) for index in range(count)}


def grid(rows: int, columns: int) -> Nodes:
    """Every node waits for those above and to the left; no two are alike."""

    def sources(row: int, column: int) -> list[str]:
        return [*([f"n{row - 1}_{column}"] if row else []), *([f"n{row}_{column - 1}"] if column else [])]

    return {
        f"n{row}_{column}": step(*sources(row, column), by=columns * row + column)
        for row in range(rows)
        for column in range(columns)
    }


@dataclass(frozen=True)
class Case:
    """A graph, and what the peer takes for it: seconds of a first and of a cached run, None where it is not known."""

    name: str
    nodes: Nodes
    peer_first: float | None = None
    peer_cached: float | None = None


CASES = [
    Case("chain of 10", chain(10)),
    Case("chain of 100", chain(100), 0.139, 0.131),
    Case("chain of 900", chain(900), 33.0, 33.0),
    Case("chain of 3,000", chain(3_000)),
    Case("chain of 20,000", chain(20_000)),
    Case("3,000 independent", wide(3_000), 20.0, 10.0),
    Case("10,000 independent", wide(10_000)),
    Case("grid 25 x 40", grid(25, 40), 12.5, 12.2),
]
"""Where the peer's times vary, its best; it fails beyond 982 nodes in a chain."""


def text_of(nodes: Nodes) -> str:
    return json.dumps({"format": "nodegraph/1", "nodes": nodes})


def changed(nodes: Nodes) -> str:
    """The same graph with another value in its last node, of which nothing depends."""
    last = list(nodes)[-1]
    return text_of({**nodes, last: {**nodes[last], "inputs": {**nodes[last]["inputs"], "by": 500_000}}})


def timed(runner: Runner, text: str, expected: int) -> float:
    """Seconds from a workflow's text to its results; `expected` nodes must be computed."""
    started = time.perf_counter()
    result = runner.run(Workflow.parse(text))
    seconds = time.perf_counter() - started
    assert len(result.ran) == expected, (len(result.ran), expected)
    return seconds


def measure(case: Case, open_runner: Callable[[], Runner], repeats: int) -> dict[str, float]:
    """The best of some repeats of the three runs, more of them for small graphs; each begins with an empty memory."""
    text, other, count = text_of(case.nodes), changed(case.nodes), len(case.nodes)
    best: dict[str, float] = {}
    for _ in range(repeats * max(1, 1000 // count)):
        gc.collect()
        with open_runner() as runner:
            for name, document, expected in (("first", text, count), ("cached", text, 0), ("leaf", other, 1)):
                seconds = timed(runner, document, expected)
                best[name] = min(seconds, best.get(name, seconds))
    return best


def row(case: Case, seconds: dict[str, float]) -> str:
    count = len(case.nodes)
    cells = [f"{case.name:19}"]
    for name, limit in (("first", FIRST_LIMIT), ("cached", CACHED_LIMIT), ("leaf", None)):
        per_node = seconds[name] / count
        ratio = f" ratio {per_node / limit:5.2f}" if limit else ""
        cells.append(f"{name} {seconds[name] * 1e3:8.1f} ms {per_node * 1e6:6.1f} us/node{ratio}")
    for name, peer in (("first", case.peer_first), ("cached", case.peer_cached)):
        if peer is not None:
            cells.append(f"{name} to the peer's {peer:g} s: ratio {seconds[name] / peer:.5f}")
    return "  ".join(cells)


def memory(open_runner: Callable[[], Runner], count: int) -> tuple[float, float]:
    """Bytes per node of a chain: what a run leaves (stored results, what it returned, the document), and its peak."""
    text = text_of(chain(count))
    with open_runner() as runner:
        runner.run(Workflow.parse(text_of(chain(10))))  # imports
        gc.collect()
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        workflow = Workflow.parse(text)
        result = runner.run(workflow)
        gc.collect()
        held, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(result.ran) == count - 10
    return (held - before) / count, (peak - before) / count


def waiting(open_runner: Callable[[], Runner]) -> float:
    """Seconds of a run of two nodes that wait for a second each, and one that needs both."""
    waits = {f"w{each}": {"type": "bench.wait", "inputs": {"seconds": 1.0, "number": each}} for each in (1, 2)}
    both = {"type": "bench.both", "inputs": {"numbers": [{"from": "w1.value"}, {"from": "w2.value"}]}}
    with open_runner() as runner:
        return timed(runner, text_of({**waits, "both": both}), 3)


def loop(kind: str, rounds: int) -> str:
    """A loop over a chain of ten nodes; `repeat` carries the end of each round into the next."""
    nodes = {**chain(10), "n0": {"type": "bench.step", "inputs": {"a": 0}}}
    body = {"nodes": nodes, "inputs": {"a": {"to": ["n0.a"]}}, "outputs": {"a": {"from": "n9.value"}}}
    entry: dict[str, Any] = {"type": kind, "graph": "body"}
    if kind == "for_each":
        entry |= {"each": ["a"], "inputs": {"a": [*range(rounds)]}}
    else:
        entry |= {"carry": ["a"], "inputs": {"a": 0, "times": rounds}}
    outputs = {"a": {"from": "loop.a"}}
    return json.dumps({"format": "nodegraph/1", "nodes": {"loop": entry}, "graphs": {"body": body}, "outputs": outputs})


def looping(open_runner: Callable[[], Runner], kind: str, rounds: int) -> str:
    """A line about a loop: seconds per node of a first and a cached run, and memory at the peak per further round."""
    text, count = loop(kind, rounds), 10 * rounds
    with open_runner() as runner:
        first = timed(runner, text, 1)
        cached = timed(runner, text, 1)
    peaks = []
    for each in (rounds // 10, rounds):
        with open_runner() as runner:
            runner.run(Workflow.parse(loop(kind, 1)), use_cache=False)
            gc.collect()
            tracemalloc.start()
            runner.run(Workflow.parse(loop(kind, each)), use_cache=False)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    more = (peaks[1] - peaks[0]) / (rounds - rounds // 10)
    return (
        f"{kind:8} {rounds:,} rounds of 10   first {first / count * 1e6:6.1f} us/node ratio "
        f"{first / count / FIRST_LIMIT:5.2f}  cached {cached / count * 1e6:6.1f} us/node  "
        f"peak {peaks[1] / 1e6:.1f} MB, {more:.0f} bytes for each round more"
    )


@contextmanager
def bench_pack() -> Iterator[tuple[Settings, Catalog]]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "plugins").mkdir()
        (home / "plugins" / "bench.py").write_text(PACK, "utf-8")
        settings = Settings(cache=home / "cache", plugins=[home / "plugins"], output=home / "output", threads=1)
        yield settings, load_catalog(settings)


def from_disk(case: Case, settings: Settings, catalog: Catalog) -> dict[str, float]:
    """The three runs, each with an empty memory and what is on disk."""
    found = {}
    count = len(case.nodes)
    settings = settings.model_copy(update={"cache": settings.cache / f"disk{count}"})
    for name, document, expected in (
        ("first", text_of(case.nodes), count),
        ("cached", text_of(case.nodes), 0),
        ("leaf", changed(case.nodes), 1),
    ):
        with Runner(settings, catalog=catalog) as runner:
            found[name] = timed(runner, document, expected)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    with bench_pack() as (settings, catalog):

        def in_memory() -> Runner:
            return Runner(settings.model_copy(update={"disk_cache_bytes": 0}), catalog=catalog)

        measure(CASES[0], in_memory, 1)  # imports
        per_node = {}
        for case in CASES:
            seconds = measure(case, in_memory, repeats)
            per_node[case.name] = seconds["first"] / len(case.nodes)
            print(row(case, seconds), flush=True)
        growth = per_node["chain of 20,000"] / per_node["chain of 900"]
        print(f"cost per node, chain of 20,000 to 900: ratio {growth:.2f} (linear: 1)")
        held, peak = memory(in_memory, 20_000)
        print(f"memory per node of 20,000: {held:.0f} bytes held, ratio {held / MEMORY_LIMIT:.2f};", end=" ")
        print(f"{peak:.0f} at the peak, ratio {peak / MEMORY_LIMIT:.2f}", flush=True)
        for kind in ("for_each", "repeat"):
            print(looping(in_memory, kind, 1_000), flush=True)
        seconds_waited = waiting(in_memory)
        print(f"two waits of 1 s: {seconds_waited:.3f} s, ratio {seconds_waited / WAITING_LIMIT:.2f}")
        print("with the disk tier, a new runner each time:", flush=True)
        print(row(CASES[2], from_disk(CASES[2], settings, catalog)))
        print(row(CASES[4], from_disk(CASES[4], settings, catalog)))


if __name__ == "__main__":
    main()
