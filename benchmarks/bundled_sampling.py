"""How long the bundled model takes: seconds of the sampling node for 20 steps with guidance, by size of the batch.

Each line prints the best of several runs, the stated limit (one picture: 5 s) or the time per picture against one
picture alone, and the same again while every core is kept busy by another process.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("GOMP_SPINCOUNT", "2000")  # as the command line does

ROOT = Path(__file__).parent.parent
LIMIT = 5.0


def spin() -> None:
    """Keep one core busy."""
    while True:
        pass


@contextmanager
def busy_cores() -> Iterator[None]:
    """Every core has other work to do while the block lasts."""
    others = [
        multiprocessing.get_context("spawn").Process(target=spin, daemon=True) for _ in range(os.cpu_count() or 1)
    ]
    for each in others:
        each.start()
    try:
        yield
    finally:
        for each in others:
            each.kill()


def sampling_seconds(batch: int, runs: int) -> float:
    """The best time of the node `sample` in workflows/text_to_image.json, after one run to warm up."""
    from nodegraph import Workflow
    from nodegraph.execution.events import Event, NodeFinished
    from nodegraph.execution.run import Runner

    workflow = Workflow.load(ROOT / "workflows" / "text_to_image.json")
    times: list[float] = []

    def listen(event: Event) -> None:
        if isinstance(event, NodeFinished) and event.node == "sample":
            times.append(event.seconds)

    with Runner() as runner:
        for seed in range(runs + 1):
            values = {"prompt": "a red apple", "batch": batch, "seed": seed, "steps": 20}
            runner.run(workflow, values, targets=["sample"], on_event=listen, use_cache=False)
    return min(times[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    one = sampling_seconds(1, runs)
    print(f"1 picture     {one:6.2f} s  limit {LIMIT} s  ratio {one / LIMIT:.2f}")
    for batch in (8, 32):
        many = sampling_seconds(batch, max(1, runs // 2))
        print(f"{batch:2d} pictures   {many:6.2f} s  a picture against one alone: ratio {many / batch / one:.2f}")
    with busy_cores():
        loaded = sampling_seconds(1, runs)
    print(f"1 picture     {loaded:6.2f} s  while all cores are busy, limit {LIMIT} s: ratio {loaded / LIMIT:.2f}")


if __name__ == "__main__":
    main()
