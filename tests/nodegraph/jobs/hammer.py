"""One of several processes that use one table at once; run as `python -m tests.nodegraph.jobs.hammer`.

It writes a line for each thing that is certain: `sent KEY ID`, `begun ID CLAIM`, `ended ID CLAIM`, `lost ID CLAIM`.
"""

from __future__ import annotations

import random
import sys

from nodegraph.jobs.errors import ClaimLost
from nodegraph.jobs.model import JobError, JobRequest, NewEvent, Outcome
from nodegraph.jobs.table import JobTable

WORKFLOW = {"format": "nodegraph/1", "nodes": {}}


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def run(url: str, seed: int, jobs: int, last: bool) -> None:
    """Send jobs, and run whatever there is; to the end where it is the last process."""
    choose = random.Random(seed)
    with JobTable(url, busy_timeout=120) as table, table.owner() as owner:
        say("ready")
        sys.stdin.readline()
        for number in range(jobs):
            key = f"{seed}.{number}" if choose.random() < 0.7 else f"shared.{number}"
            submitted = table.submit(JobRequest(workflow=WORKFLOW, inputs={}, client_key=key))
            say("sent", key, submitted.job.id)
            work(table, owner.id, choose)
        while last and (table.recover() or work(table, owner.id, choose)):
            pass


def work(table: JobTable, owner: str, choose: random.Random) -> bool:
    claimed = table.claim(owner)
    if claimed is None:
        return False
    job, claim = claimed.job.id, claimed.job.claim
    say("begun", job, claim)
    try:
        path = table.note_target(job, claim, "save", 0, f"{job}.{claim}")
        assert claimed.targets in ({}, {("save", 0): path})
        table.append(job, claim, [NewEvent(kind="node_progress"), NewEvent(kind="node_started", data={"claim": claim})])
        if choose.random() < 0.2:
            table.give_back(job, claim, JobError(kind="worker", message="x"), counts=False)
            say("lost", job, claim)
        else:
            table.finish(job, claim, Outcome(state="done", seconds=0, outputs={"claim": claim}))
            say("ended", job, claim)
    except ClaimLost:
        say("lost", job, claim)
    if choose.random() < 0.2:
        table.recover()
    return True


if __name__ == "__main__":
    run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "last")
