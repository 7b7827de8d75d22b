"""How fast Stable Diffusion 1.5 samples here and in diffusers: batch 1, guidance, Euler, random weights of true size.

Both systems run in processes of their own with the same number of threads, and take turns (A, B, A, B ...), so that
whatever else the machine does falls on both. Diffusers is measured with and without channels_last, and compared with
in the faster of the two. A line prints the best seconds of each and their ratio, ours / theirs, and the same ratio in
seconds of the processor, which depend less on what else runs. `--bundled` measures the bundled model instead.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("GOMP_SPINCOUNT", "2000")  # as the command line does

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
WORKERS = Path(__file__).with_name("sampling_workers.py")
BUNDLED_LIMIT = 5.0
LOAD_LIMIT = 1.0
PEAK_LIMIT = 4.5e9
SYSTEMS = ("ours", "theirs", "theirs channels_last")


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


def bundled(runs: int) -> None:
    """Seconds of 20 steps with guidance by size of the batch, and while every core is kept busy by another process."""
    one = sampling_seconds(1, runs)
    print(f"1 picture     {one:6.2f} s  limit {BUNDLED_LIMIT} s  ratio {one / BUNDLED_LIMIT:.2f}")
    for batch in (8, 32):
        many = sampling_seconds(batch, max(1, runs // 2))
        print(f"{batch:2d} pictures   {many:6.2f} s  a picture against one alone: ratio {many / batch / one:.2f}")
    with busy_cores():
        loaded = sampling_seconds(1, runs)
    ratio = loaded / BUNDLED_LIMIT
    print(f"1 picture     {loaded:6.2f} s  while all cores are busy, limit {BUNDLED_LIMIT} s: ratio {ratio:.2f}")


class Worker:
    """A process with one system's models in memory."""

    def __init__(self, system: str, checkpoint: Path, dtype: str, threads: int) -> None:
        command = [sys.executable, str(WORKERS), system, str(checkpoint), dtype, str(threads)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def ask(self, part: str, side: int) -> dict[str, float]:
        """Do a part once: seconds, seconds of the processor, the largest memory so far."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"part": part, "side": side}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the process of {self.process.args!r} ended")
        answer: dict[str, float] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()


def best(answers: Sequence[dict[str, float]], what: str) -> float:
    """The least of several."""
    return min(each[what] for each in answers)


def compare(workers: dict[str, Worker], part: str, side: int, rounds: int) -> None:
    """One line: a part at a size, by turns, after each has done it once."""
    for each in workers.values():
        each.ask(part, side)
    answers: dict[str, list[dict[str, float]]] = {name: [] for name in workers}
    for _ in range(rounds):
        for name, each in workers.items():
            answers[name].append(each.ask(part, side))
    ours = answers.pop("ours")
    found = f"{part:7s}{side:4d}   ours {best(ours, 'seconds'):6.2f} s"
    if answers:
        name = min(answers, key=lambda each: best(answers[each], "cpu"))
        theirs = answers[name]
        found += f"   diffusers {best(theirs, 'seconds'):6.2f} s ({'channels_last' if 'last' in name else 'plain'})"
        found += f"   ratio {best(ours, 'seconds') / best(theirs, 'seconds'):.2f}"
        found += f"   of processor seconds {best(ours, 'cpu') / best(theirs, 'cpu'):.2f}"
    print(found, flush=True)


def compare_all(given: argparse.Namespace, dtype: str) -> None:
    """All parts in one precision."""
    print(f"--- {dtype}, {given.threads} threads, load of the machine {os.getloadavg()[0]:.1f}", flush=True)
    with ExitStack() as stack:
        workers = {system: Worker(system, given.checkpoint, dtype, given.threads) for system in SYSTEMS}
        for each in workers.values():
            stack.callback(each.close)
        for side in given.sizes:
            compare(workers, "step", side, given.rounds)
            for part in () if given.quick else ("decode", "encode"):
                compare(workers, part, side, max(1, given.rounds - 1))
        if not given.quick:
            compare({"ours": workers["ours"]}, "text", 0, given.rounds)
        peaks = {name: each.ask("step", given.sizes[0])["peak"] / 1e9 for name, each in workers.items()}
        print("peak memory: " + ", ".join(f"{name} {each:.2f} GB" for name, each in peaks.items()), flush=True)


def cold(given: argparse.Namespace, dtype: str) -> None:
    """Load and first step in fresh processes whose digests are known, less a step with the model in memory."""
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as cache:
        for _ in range(3 if given.quick else 4):
            command = [sys.executable, str(WORKERS), "cold", str(given.checkpoint), dtype, str(given.threads)]
            done = subprocess.run([*command, str(given.sizes[0]), cache], capture_output=True, text=True, check=True)
            found.append(json.loads(done.stdout.splitlines()[-1]))
    least = min(found[1:], key=lambda each: each["first"] - each["warm"])  # the first run of all computes the digest
    extra, peak = least["first"] - least["warm"], max(each["peak"] for each in found)
    print(
        f"load + first step - warm step {extra:.2f} s (load {least['first load']:.2f} s), limit {LOAD_LIMIT} s: "
        f"ratio {extra / LOAD_LIMIT:.2f};   peak memory {peak / 1e9:.2f} GB, limit {PEAK_LIMIT / 1e9} GB: "
        f"ratio {peak / PEAK_LIMIT:.2f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundled", action="store_true", help="measure the bundled model instead")
    parser.add_argument("--quick", action="store_true", help="steps and loading only, and fewer turns")
    parser.add_argument("--checkpoint", type=Path, help="a single file of Stable Diffusion 1 (default: one is written)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512], help="sides in pixels")
    parser.add_argument("--dtypes", nargs="+", default=["bfloat16", "float32"], choices=["bfloat16", "float32"])
    parser.add_argument("--rounds", type=int, help="turns of each system")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    given = parser.parse_args()
    given.rounds = given.rounds or (2 if given.quick else 3)
    if given.bundled:
        bundled(given.rounds)
        return
    with tempfile.TemporaryDirectory() as folder:
        if given.checkpoint is None:
            from random_checkpoints import LAYOUTS, write

            given.checkpoint = write(Path(folder) / "sd15.safetensors", LAYOUTS["sd15"], "float32")
        for dtype in given.dtypes:
            cold(given, dtype)
            compare_all(given, dtype)


if __name__ == "__main__":
    main()
