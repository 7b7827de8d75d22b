"""How right and how quick preflight is: memory and time of five workflows, estimated and measured.

Each workflow runs in a process of its own without stored results. A line prints the estimated peak, the measured one
(the process's largest resident set), their ratio with its limits, and the class of time against the seconds that the
run took. The last lines are the wall time of the whole command on the text-to-image workflow, and what of it is
preflight itself, when nothing has to be imported any more.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
LOW, HIGH = 0.75, 1.25
COMMAND_LIMIT = 0.5

WORKFLOWS: dict[str, tuple[str, list[str]]] = {
    "text to image": ("workflows/text_to_image.json", []),
    "text to image, 32 pictures": ("workflows/text_to_image.json", ["--batch", "32"]),
    "contact sheet": ("workflows/training/icons_sheet.json", []),
    "image to image": ("workflows/image_to_image.json", []),
    "enlarge to 4096 x 4096": ("workflows/enlarge.json", []),
}

MEASURED = """
import resource, sys, time
from nodegraph.cli import main
began = time.perf_counter()
sys.argv = ["nodegraph", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
seconds = time.perf_counter() - began
print("MEASURED", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, seconds, file=sys.stderr)
"""


def estimated(file: str, options: list[str]) -> dict[str, Any]:
    """What preflight says."""
    command = [sys.executable, "-m", "nodegraph", "preflight", file, *options, "--no-cache", "--json"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def measured(file: str, options: list[str]) -> tuple[float, float]:
    """Peak bytes and seconds of a run."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", MEASURED, "run", file, *options, "--no-cache", "--output", folder]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    _, kibibytes, seconds = next(line for line in done.stderr.splitlines() if line.startswith("MEASURED")).split()
    unit = 1 if sys.platform == "darwin" else 1024  # the one system that counts bytes
    return int(kibibytes) * unit, float(seconds)


def in_process(runs: int) -> float:
    """Seconds of preflight alone, catalog and spec modules being loaded."""
    from nodegraph import Workflow
    from nodegraph.execution.preflight import preflight
    from nodegraph.execution.run import Runner

    workflow = Workflow.load(ROOT / "workflows" / "text_to_image.json")
    times = []
    with Runner() as runner:
        for _ in range(runs + 1):
            began = time.perf_counter()
            preflight(runner, workflow, use_cache=False)
            times.append(time.perf_counter() - began)
    return min(times[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="of the command whose wall time is measured")
    runs = parser.parse_args().runs
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    for name, (file, options) in WORKFLOWS.items():
        report = estimated(file, options)
        peak, seconds = measured(file, options)
        ratio = report["memory"]["peak"] / peak
        verdict = "" if LOW <= ratio <= HIGH else "  OUTSIDE"
        print(
            f"{name:<28} estimated {report['memory']['peak'] / 1e6:6.0f} MB  measured {peak / 1e6:6.0f} MB  "
            f"ratio {ratio:.2f} (limits {LOW} to {HIGH}){verdict}  "
            f"time: {report['time']['class']}, {report['time']['seconds']:.1f} s; measured {seconds:.1f} s"
        )
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        estimated("workflows/text_to_image.json", [])
        times.append(time.perf_counter() - began)
    best = min(times)
    print(f"the command on text to image: best {best:.2f} s  limit {COMMAND_LIMIT} s  ratio {best / COMMAND_LIMIT:.2f}")
    print(f"preflight alone: best {1000 * in_process(runs):.1f} ms")


if __name__ == "__main__":
    main()
