"""What the job table costs with 100,000 queued jobs: submitting, first pages, claiming, searching, its file.

Where a limit is stated, the line ends with the ratio of the measured time to it (p99 for submitting).
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from nodegraph.jobs.model import JobFilter, JobRequest, NewEvent, Outcome
from nodegraph.jobs.table import JobTable

WORKFLOW = {
    "format": "nodegraph/1",
    "nodes": {f"node_{index}": {"type": "toy", "inputs": {"value": index}} for index in range(20)},
}
RUNNING = 200


def milliseconds(action: Callable[[], object], runs: int) -> list[float]:
    """Wall times of `runs` calls."""
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        action()
        times.append(1000 * (time.perf_counter() - started))
    return times


def report(name: str, times: list[float], limit: float | None = None) -> None:
    p50, p99 = statistics.median(times), sorted(times)[int(0.99 * (len(times) - 1))]
    end = "" if limit is None else f"  limit {limit:5.1f} ms  ratio {p99 / limit:.2f}"
    print(f"{name:<44} p50 {p50:8.2f} ms  p99 {p99:8.2f} ms{end}", flush=True)


def a_request(number: int) -> JobRequest:
    prompt = f"a red fox, number {number}, cinematic light, highly detailed, 35 mm"
    return JobRequest(workflow=WORKFLOW, inputs={"prompt": prompt, "seed": number}, client_key=f"key {number}")


def submit(table: JobTable, first: int, count: int) -> list[float]:
    numbers = iter(range(first, first + count))
    return milliseconds(lambda: table.submit(a_request(next(numbers))), count)


def measure_reading(table: JobTable) -> None:
    report("first page of 50", milliseconds(table.page, 200), 50)
    report("a page in the middle", milliseconds(lambda: table.page(before=1000), 200), 50)
    waiting = JobFilter(states=("queued", "paused"))
    report("first page of those that wait", milliseconds(lambda: table.page(waiting), 200), 50)
    report("first 50 of the queue", milliseconds(table.queue, 200), 50)
    report("counts", milliseconds(table.counts, 50))
    report("version", milliseconds(table.version, 200))
    report("search, found at once", milliseconds(lambda: table.page(JobFilter(search="fox cinematic")), 50))
    report("search, one job", milliseconds(lambda: table.page(JobFilter(search="number 77,")), 20))
    report("search, nothing found", milliseconds(lambda: table.page(JobFilter(search="zebra")), 20))


def measure_running(table: JobTable) -> None:
    with table.owner() as owner:
        claims = []

        def claim() -> None:
            claimed = table.claim(owner.id)
            assert claimed is not None
            claims.append((claimed.job.id, claimed.job.claim))

        report("claim", milliseconds(claim, RUNNING))
        events = [NewEvent(kind="node_progress", data={"node": "a", "done": step}) for step in range(4)]
        work, paths = iter(claims), iter(claims)
        report("append four events", milliseconds(lambda: table.append(*next(work), events), RUNNING))
        report("note a target", milliseconds(lambda: table.note_target(*next(paths), "save", 0, "a.png"), RUNNING))
        ended = iter(claims[: RUNNING // 2])
        done = Outcome(state="done", seconds=1)
        report("finish", milliseconds(lambda: table.finish(*next(ended), done), RUNNING // 2))
    report(f"recover {RUNNING // 2} jobs", milliseconds(table.recover, 1))
    report("recover none", milliseconds(table.recover, 50))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--url", help="another database, such as postgresql://...; it must be empty")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "jobs.sqlite"
        with JobTable(options.url or f"sqlite:///{file}") as table:
            report("submit to an empty queue", submit(table, 0, 1000), 5)
            times = submit(table, 1000, options.jobs - 1000)
            report(f"submit the {len(times)} after them", times, 5)
            report(f"submit, {options.jobs} queued", submit(table, options.jobs, 2000), 5)
            report("submit again, the same key", submit(table, 500, 500), 5)
            measure_reading(table)
            measure_running(table)
        if options.url is None:
            size = file.stat().st_size
            print(f"{'file':<44} {size / 2**20:8.1f} MB, {size / options.jobs:.0f} bytes a job")
            script = f"from nodegraph.jobs.table import JobTable; JobTable('sqlite:///{file}').page()"
            command = [sys.executable, "-c", script]
            report(
                "a new process until its first page", milliseconds(lambda: subprocess.run(command, check=True), 5), 800
            )
        with JobTable(options.url or f"sqlite:///{file}") as table:
            report("first page after opening", milliseconds(table.page, 1), 50)


if __name__ == "__main__":
    main()
