"""Many jobs through one server: does it grow? `python benchmarks/soak.py --jobs 1000`.

Jobs of several kinds (small graphs with files, pictures, failures, cancels) go through one server. Memory,
threads and open files of server and worker are read all the while; their slopes over the second half are printed, per
thousand jobs and as a share of what there is.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.chaos.processes import children
from tests.chaos.server import Server
from tests.chaos.work import make

CACHES = {"memory_cache_bytes": "50000000", "disk_cache_bytes": "200000000"}
"""So small that they are full before the second half."""


def look(process: int) -> dict[str, float]:
    """What a process uses now."""
    folder = Path(f"/proc/{process}")
    lines = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
    return {
        "memory MB": (int(lines["RssAnon"].split()[0]) + int(lines["RssShmem"].split()[0])) / 1000,
        "threads": int(lines["Threads"]),
        "files": len(list((folder / "fd").iterdir())),
    }


def requests(count: int, seed: int) -> list[dict[str, Any]]:
    """Good jobs, with some among them that fail."""
    found = make(count, seed, 0.3)
    for number in range(7, count, 20):
        found[number]["workflow"] = {
            "format": "nodegraph/1",
            "nodes": {"n": {"type": "rogue.bad", "inputs": {"crime": "raise", "number": number}}},
            "outputs": {"out": {"from": "n.value"}},
        }
        found[number].pop("inputs", None)
    return found


def soak(count: int, folder: Path, seed: int) -> None:
    """Run it and print it."""
    server = Server(folder, chaos=None, settings={"device": "cpu", **CACHES})
    while server.ensure():
        pass
    assert server.process is not None
    started = time.monotonic()
    seen: dict[str, list[tuple[int, dict[str, float]]]] = {"server": [], "worker": []}
    work = requests(count, seed)
    sent = 0
    try:
        while True:
            counts = server.ask("GET", "/queue")["counts"]
            ended = sum(counts.get(state, 0) for state in ("done", "failed", "cancelled"))
            while sent < count and sent - ended < 10:
                job = server.ask("POST", "/jobs", work[sent])
                if sent % 20 == 13:
                    server.ask("POST", f"/jobs/{job['id']}/cancel")
                sent += 1
            seen["server"].append((ended, look(server.process.pid)))
            for worker in children(server.process.pid)[:1]:
                try:
                    seen["worker"].append((ended, look(worker)))
                except OSError:
                    continue
            if ended == count:
                break
            time.sleep(0.1)
    finally:
        server.stop()
    print(f"{count} jobs in {time.monotonic() - started:.0f} s: {counts}")
    for name, rows in seen.items():
        for quantity in ("memory MB", "threads", "files"):
            report(name, quantity, [(ended, row[quantity]) for ended, row in rows if ended >= count // 2])


def report(name: str, quantity: str, points: list[tuple[int, float]]) -> None:
    """The slope of one quantity."""
    slope, _ = statistics.linear_regression([ended for ended, _ in points], [value for _, value in points])
    values = [value for _, value in points]
    middle = statistics.median(values)
    print(
        f"{name:7} {quantity:10} median {middle:7.1f}, {min(values):.1f} to {max(values):.1f}, "
        f"{1000 * slope:+7.2f} per 1,000 jobs ({1000 * slope / middle:+.1%})"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nodegraph-soak-") as temporary:
        soak(options.jobs, Path(temporary), options.seed)
