"""Eight processes at one table, some of which are killed: no job is lost, none runs twice under one claim."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from nodegraph.jobs.model import Outcome
from nodegraph.jobs.table import JobTable

from .conftest import MakeTable

ROOT = Path(__file__).parents[3]
PROCESSES = 8
KILLED = (1, 4, 6)
JOBS = 25


def start(url: str, seed: int, jobs: int, *, last: bool = False) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.nodegraph.jobs.hammer", url, str(seed), str(jobs), "last" if last else ""]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("go\n")
    process.stdin.flush()


def kill_after(process: subprocess.Popen[str], lines: int) -> str:
    assert process.stdout is not None
    said = "".join(process.stdout.readline() for _ in range(lines))
    process.kill()
    return said + process.stdout.read()


def outcome_of(claim: int) -> Outcome:
    return Outcome(state="done", seconds=0, outputs={"claim": claim})


@pytest.fixture
def said(url: str) -> list[list[str]]:
    """What all processes said; the table is at rest afterwards."""
    JobTable(url).close()
    processes = [start(url, seed, JOBS) for seed in range(PROCESSES)]
    for process in processes:
        go(process)
    lines = [kill_after(processes[seed], 5 + 7 * number) for number, seed in enumerate(KILLED)]
    lines += [processes[seed].communicate()[0] for seed in range(PROCESSES) if seed not in KILLED]
    for seed in KILLED:
        processes[seed].communicate()
    last = start(url, PROCESSES, 1, last=True)
    go(last)
    lines.append(last.communicate()[0])
    codes = [process.returncode for process in [*processes, last]]
    assert [code for seed, code in enumerate(codes) if seed not in KILLED] == [0] * (PROCESSES + 1 - len(KILLED))
    return [line.split() for each in lines for line in each.splitlines() if len(line.split()) == 3]


def test_hammering(said: list[list[str]], make_table: MakeTable) -> None:
    table = make_table()
    for _ in range(10_000):  # a server notices killed processes a moment later
        waiting = [job for job in table.page(limit=10_000).jobs if job.state != "done"]
        if not waiting:
            break
        table.recover()
        with table.owner() as owner:
            while (claimed := table.claim(owner.id)) is not None:
                said.append(["begun", claimed.job.id, str(claimed.job.claim)])
                table.note_target(claimed.job.id, claimed.job.claim, "save", 0, "x")
                table.finish(claimed.job.id, claimed.job.claim, outcome_of(claimed.job.claim))
    jobs = {job.id: job for job in table.page(limit=10_000).jobs}

    sent = {(key, job) for what, key, job in said if what == "sent"}
    assert {job for _, job in sent} <= set(jobs), "no job is lost"
    assert len({key for key, _ in sent}) == len(sent), "a key gives one job"
    assert len({job.client_key for job in jobs.values()}) == len(jobs)
    assert Counter(job.state for job in jobs.values()) == {"done": len(jobs)}

    begun = Counter((job, claim) for what, job, claim in said if what == "begun")
    assert set(begun.values()) == {1}, "no claim is given twice"
    ended = Counter(job for what, job, _ in said if what == "ended")
    assert set(ended.values()) <= {1}, "no job ends twice"
    for what, job, claim in said:
        if what == "ended":
            assert jobs[job].outputs == {"claim": int(claim)}, "the claim that ended it wrote its result"

    events = table.events(limit=100_000)
    assert [event.sequence for event in events] == sorted({event.sequence for event in events})
    for job in jobs.values():
        mine = [event for event in events if event.job == job.id]
        kinds = Counter(event.kind for event in mine)
        assert (kinds["queued"], kinds["done"], kinds["node_progress"]) == (1, 1, 0)
        assert kinds["started"] == kinds["interrupted"] + 1 == job.claim
        assert [event.data["claim"] for event in mine if event.kind == "started"] == list(range(1, job.claim + 1))
