"""How long a user waits: help, validation of a 100-node workflow, and the first picture.

Each line prints the median and best wall time of several processes, the stated limit, and their ratio (best / limit).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent


def seconds(command: Sequence[str], runs: int) -> list[float]:
    """Wall times of `runs` processes, after one that fills the caches of definitions and files."""
    times = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return times[1:]


def report(name: str, times: Sequence[float], limit: float) -> None:
    best = min(times)
    middle = statistics.median(times)
    print(f"{name:<36} median {middle:6.3f} s  best {best:6.3f} s  limit {limit:5.2f} s  ratio {best / limit:.2f}")


def hundred_nodes(folder: Path) -> Path:
    """A valid workflow of 100 nodes: many grids for one sampler's comparison."""
    nodes: dict[str, object] = {
        f"sigmas_{index}": {"type": "flow_sigmas", "inputs": {"steps": index + 1}} for index in range(99)
    }
    nodes["sampler"] = {"type": "euler"}
    path = folder / "hundred.json"
    path.write_text(json.dumps({"format": "nodegraph/1", "nodes": nodes}), "utf-8")
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    program = [sys.executable, "-m", "nodegraph"]
    report("nodegraph --help", seconds([*program, "--help"], runs), 0.2)
    with tempfile.TemporaryDirectory() as folder:
        validate = [*program, "validate", str(hundred_nodes(Path(folder)))]
        report("nodegraph validate, 100 nodes", seconds(validate, runs), 0.3)
        draw = [*program, "run", "workflows/text_to_image.json", "--prompt", "a red apple", "--output", folder]
        report("text to picture on disk, no cache", seconds([*draw, "--no-cache"], runs), 15.0)
        report("the same again, from the cache", seconds(draw, runs), 15.0)


if __name__ == "__main__":
    main()
