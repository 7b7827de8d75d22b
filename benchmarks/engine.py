"""What the engine itself costs: chains of a node that does next to nothing, from 900 to 20,000 nodes long.

Prints seconds for reading, checking, planning and running, microseconds per node, and two ratios: the time of a fully
cached 900-node chain to the 33 s that it takes in ComfyUI (as stated in the design), and the cost per node of the
longest chain to that of the shortest, which is 1 when the engine is linear. Then two nodes that wait for one second
each, against the limit of 1.3 s.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from nodegraph import Settings, Workflow
from nodegraph.execution.run import Runner

PACK = '''
import time

from nodegraph import node

@node(category="benchmark")
def step(value: int = 0) -> int:
    """Add one."""
    return value + 1

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
PEER_SECONDS = 33.0
WAITING_LIMIT = 1.3


def chain(length: int) -> str:
    """The text of a workflow in which every node waits for the one before."""
    nodes = {"n0": {"type": "bench.step", "inputs": {"value": 0}}}
    for index in range(1, length):
        nodes[f"n{index}"] = {"type": "bench.step", "inputs": {"value": {"from": f"n{index - 1}.value"}}}
    return json.dumps({"format": "nodegraph/1", "nodes": nodes, "outputs": {"end": {"from": f"n{length - 1}.value"}}})


def measure(settings: Settings, length: int) -> dict[str, float]:
    """Seconds of each stage; "again" is a second run in a new `Runner`, from the disk."""
    seconds = {}
    text = chain(length)
    started = time.perf_counter()
    workflow = Workflow.parse(text)
    seconds["read"] = time.perf_counter() - started
    for stage in ("first", "again"):
        with Runner(settings) as runner:
            if stage == "again":
                started = time.perf_counter()
                runner.prepare(workflow)
                seconds["plan"] = time.perf_counter() - started
            started = time.perf_counter()
            result = runner.run(workflow)
            seconds[stage] = time.perf_counter() - started
            assert result.outputs["end"] == length
    return seconds


def waiting(settings: Settings) -> float:
    """Seconds of a run of two nodes that wait for a second each, and one that needs both."""
    waits = {f"w{each}": {"type": "bench.wait", "inputs": {"seconds": 1.0, "number": each}} for each in (1, 2)}
    both = {"type": "bench.both", "inputs": {"numbers": [{"from": "w1.value"}, {"from": "w2.value"}]}}
    document = {"format": "nodegraph/1", "nodes": {**waits, "both": both}, "outputs": {"sum": {"from": "both.value"}}}
    with Runner(settings) as runner:
        workflow = Workflow.from_document(document)
        runner.prepare(workflow)
        started = time.perf_counter()
        assert runner.run(workflow).outputs["sum"] == 3
        return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lengths", type=int, nargs="+", default=[900, 4_000, 20_000])
    lengths = sorted(parser.parse_args().lengths)
    per_node = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "plugins").mkdir()
        (home / "plugins" / "bench.py").write_text(PACK, "utf-8")
        settings = Settings(cache=home / "cache", plugins=[home / "plugins"], output=home / "output", threads=1)
        for length in lengths:
            found = measure(settings, length)
            stages = "  ".join(f"{name} {value:7.3f} s" for name, value in found.items())
            per_node.append(found["first"] / length)
            print(f"{length:6d} nodes  {stages}  first {per_node[-1] * 1e6:6.1f} us a node")
            if length == 900:
                print(
                    f"{'':14}cached against the peer's {PEER_SECONDS:.0f} s: ratio {found['again'] / PEER_SECONDS:.5f}"
                )
        seconds = waiting(settings)
        print(f"two waits of 1 s  {seconds:6.3f} s  limit {WAITING_LIMIT} s  ratio {seconds / WAITING_LIMIT:.2f}")
    print(f"cost per node, {lengths[-1]} against {lengths[0]} nodes: ratio {per_node[-1] / per_node[0]:.2f}")


if __name__ == "__main__":
    main()
