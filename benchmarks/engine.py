"""What the engine itself costs: chains of a node that does next to nothing, from 900 to 20,000 nodes long.

Prints seconds for reading, checking, planning and running, microseconds per node, and two ratios: the time of a fully
cached 900-node chain to the 33 s that it takes in ComfyUI (as stated in the design), and the cost per node of the
longest chain to that of the shortest, which is 1 when the engine is linear.
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
from nodegraph import node

@node(category="benchmark")
def step(value: int = 0) -> int:
    """Add one."""
    return value + 1
'''
PEER_SECONDS = 33.0


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
    print(f"cost per node, {lengths[-1]} against {lengths[0]} nodes: ratio {per_node[-1] / per_node[0]:.2f}")


if __name__ == "__main__":
    main()
