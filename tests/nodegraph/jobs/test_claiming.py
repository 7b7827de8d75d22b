"""Running jobs: claims, fences, losses, and owners that die."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from nodegraph.jobs.errors import ClaimLost
from nodegraph.jobs.model import FINAL, JobError, JobFile, JobFilter, NewEvent, Outcome
from nodegraph.jobs.owners import Owner
from nodegraph.jobs.table import JobTable

from .conftest import Clock, MakeTable
from .samples import CANCELLED, DONE, PAUSED, a_request, an_event

LOST = JobError(kind="worker", message="it died", node="a")
HOLD_AND_CLAIM = """
import os, sys
from nodegraph.jobs.table import JobTable
table = JobTable(sys.argv[1])
with table.owner() as owner:
    for _ in range(int(sys.argv[2])):
        print(table.claim(owner.id).job.id, flush=True)
    print("ready", flush=True)
    if sys.argv[3] == "forks" and os.fork() == 0:
        sys.stdin.read()
        os._exit(0)
    sys.stdin.read()
"""


def start_owner(url: str, jobs: int, forks: str = "") -> tuple[subprocess.Popen[str], list[str]]:
    """Another process that claims jobs and goes on until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD_AND_CLAIM, url, str(jobs), forks],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline().strip() for _ in range(jobs + 1)]
    assert lines[-1] == "ready"
    return process, lines[:-1]


def end(process: subprocess.Popen[str], *, kill: bool) -> None:
    if kill:
        process.kill()
    process.communicate()


def recovered(table: JobTable) -> list[str]:
    """The jobs given back, as soon as there are some: a server notices a process that was killed a moment later."""
    for _ in range(20_000):
        jobs = table.recover()
        if jobs:
            return [job.id for job in jobs]
    raise AssertionError("no job was given back")


def test_jobs_run_in_order_of_priority_then_of_submission(table: JobTable, owner: Owner, clock: Clock) -> None:
    for label, priority in [("a", 0), ("b", 5), ("c", -5), ("d", 5), ("e", 0)]:
        table.submit(a_request(label=label, priority=priority))
        clock.add(hours=-1)
    expected = [job.label for job in table.queue()]
    claimed = [table.claim(owner.id) for _ in range(5)]
    assert [each.job.label for each in claimed if each] == expected == list("bdaec")
    assert table.claim(owner.id) is None


def test_a_claim_has_all_that_is_needed(table: JobTable, owner: Owner, clock: Clock) -> None:
    job = table.submit(a_request(inputs={"a": 1}, client_key="k")).job
    clock.add(seconds=5)
    claimed = table.claim(owner.id)
    assert claimed is not None
    assert claimed.job == table.job(job.id)
    assert (claimed.job.state, claimed.job.claim, claimed.job.started) == ("running", 1, clock.now)
    assert claimed.request == a_request(inputs={"a": 1}, client_key="k")
    assert claimed.targets == {}
    assert [(each.kind, each.data) for each in table.events()] == [("queued", {}), ("started", {"claim": 1})]


def test_an_outcome_is_kept(table: JobTable, owner: Owner, clock: Clock) -> None:
    job = table.submit(a_request(label="x")).job
    table.claim(owner.id)
    clock.add(seconds=-5)
    files = [JobFile(path="Out/Picture.png", bytes=5, sha256="0" * 64)]
    error = JobError(kind="node", message="Too Hot", node="n", defects=[{"code": "x"}])
    outcome = Outcome(state="failed", seconds=2.5, error=error, outputs={"n": [1]}, files=files, ran=3, cached=4)
    ended = table.finish(job.id, 1, outcome)
    assert table.job(job.id) == ended
    assert (ended.state, ended.seconds, ended.finished) == ("failed", 2.5, clock.now)
    assert (ended.error, ended.outputs, ended.files, ended.ran, ended.cached) == (error, {"n": [1]}, files, 3, 4)
    for search in ("too hot", "picture.png", "X"):
        assert table.page(JobFilter(search=search)).jobs == [ended]
    event = table.events(job=job.id)[-1]
    assert (event.kind, event.data) == ("failed", {"seconds": 2.5, "error": error.model_dump(mode="json")})
    table.retry(job.id)
    assert table.page(JobFilter(search="too hot")).jobs == []


def test_targets_are_noted_once_and_outlive_attempts(make_table: MakeTable) -> None:
    table = make_table()
    job = table.submit(a_request()).job
    with table.owner() as owner:
        table.claim(owner.id)
        assert table.note_target(job.id, 1, "save", 0, "out/a.png") == "out/a.png"
        assert table.note_target(job.id, 1, "save", 0, "out/b.png") == "out/a.png"
        assert table.note_target(job.id, 1, "save", 1, "out/b.png") == "out/b.png"
        assert table.note_target(job.id, 1, "\0é", 0, "out/\udc80") == "out/\udc80"
    other = make_table()
    other.recover()
    with other.owner() as owner:
        claimed = other.claim(owner.id)
        assert claimed is not None
        assert claimed.targets == {("save", 0): "out/a.png", ("save", 1): "out/b.png", ("\0é", 0): "out/\udc80"}
        other.finish(job.id, 2, DONE)
        other.retry(job.id)
        claimed = other.claim(owner.id)
        assert claimed is not None
        assert len(claimed.targets) == 3


def test_progress_ends_with_the_attempt(table: JobTable, owner: Owner) -> None:
    job = table.submit(a_request()).job
    other = table.submit(a_request()).job
    for each in (job, other):
        table.claim(owner.id)
        table.append(each.id, 1, [an_event("node_progress", done=n) for n in range(3)] + [an_event("node_finished")])
    table.append(job.id, 1, [])
    table.append(job.id, 1, [NewEvent(kind="node_log", data={"text": "\0\ud800"})])
    assert len(table.events(job=job.id)) == 7
    after = table.last_sequence()
    table.finish(job.id, 1, DONE)
    assert table.last_sequence() == after + 1
    found = [event.kind for event in table.events(job=job.id)]
    assert found == ["queued", "started", "node_finished", "node_log", "done"]
    assert len(table.events(job=other.id)) == 6
    sequences = [event.sequence for event in table.events()]
    assert sequences == sorted(set(sequences))
    assert [event.sequence for event in table.events(after=sequences[3])] == sequences[4:]
    assert [event.sequence for event in table.events(after=sequences[3], limit=2)] == sequences[4:6]


def test_the_version_rises_with_every_change(make_table: MakeTable) -> None:
    table, other = make_table(), make_table()
    seen = [other.version()]
    job = table.submit(a_request()).job
    seen.append(other.version())
    table.pause(job.id)
    seen.append(other.version())
    table.cancel(job.id)
    seen.append(other.version())
    table.delete(job.id)
    seen.append(other.version())
    assert seen == sorted(set(seen))
    assert other.version() == seen[-1]


def test_a_lost_claim_writes_nothing(table: JobTable, owner: Owner) -> None:
    job = table.submit(a_request()).job
    table.claim(owner.id)

    def assert_fenced(claim: int) -> None:
        before = (table.job(job.id), table.last_sequence())
        for write in (
            lambda: table.append(job.id, claim, [an_event("node_started")]),
            lambda: table.append(job.id, claim, []),
            lambda: table.note_target(job.id, claim, "n", 0, "p"),
            lambda: table.finish(job.id, claim, DONE),
            lambda: table.give_back(job.id, claim, LOST, counts=True),
        ):
            with pytest.raises(ClaimLost, match=f"claim {claim} of the job {job.id} is over"):
                write()
        assert (table.job(job.id), table.last_sequence()) == before

    assert_fenced(2)
    table.give_back(job.id, 1, LOST, counts=True)
    assert_fenced(1)
    table.claim(owner.id)
    assert_fenced(1)
    table.finish(job.id, 2, DONE)
    assert_fenced(2)
    with pytest.raises(ClaimLost):
        table.append("x", 1, [])


def test_losses_are_counted_to_the_limit(table: JobTable, owner: Owner) -> None:
    job = table.submit(a_request(attempts=2)).job
    other = table.submit(a_request()).job
    table.claim(owner.id)
    found = table.give_back(job.id, 1, LOST, counts=True)
    assert (found.state, found.losses, found.claim) == ("queued", 1, 1)
    assert [each.id for each in table.queue()] == [job.id, other.id], "at its old place"
    event = table.events(job=job.id)[-1]
    assert (event.kind, event.data) == ("interrupted", {"error": LOST.model_dump(mode="json"), "losses": 1})
    table.claim(owner.id)
    assert table.give_back(job.id, 2, LOST, counts=False).state == "queued"
    table.claim(owner.id)
    found = table.give_back(job.id, 3, LOST, counts=True)
    assert (found.state, found.losses, found.error) == ("failed", 2, LOST)
    assert table.events(job=job.id)[-1].kind == "failed"
    assert table.retry(job.id).losses == 0


@pytest.mark.parametrize(("wish", "state"), [("cancel", "cancelled"), ("pause", "paused")])
def test_wishes_hold_when_a_worker_is_lost(table: JobTable, owner: Owner, wish: str, state: str) -> None:
    job = table.submit(a_request()).job
    table.claim(owner.id)
    getattr(table, wish)(job.id)
    found = table.give_back(job.id, 1, LOST, counts=True)
    assert (found.state, found.wish) == (state, None)


def test_jobs_of_the_living_are_left_alone(make_table: MakeTable, url: str) -> None:
    table = make_table()
    job = table.submit(a_request()).job
    process, claimed = start_owner(url, 1)
    try:
        assert claimed == [job.id]
        assert table.recover() == []
        with table.owner():
            assert table.recover() == []
    finally:
        end(process, kill=True)
    assert recovered(table) == [job.id]


@pytest.mark.parametrize("kill", [True, False])
def test_jobs_of_the_dead_go_on(make_table: MakeTable, url: str, kill: bool) -> None:
    table = make_table()
    jobs = [table.submit(a_request()).job.id for _ in range(5)]
    process, claimed = start_owner(url, 4)
    assert claimed == jobs[:4]
    table.pause(jobs[1])
    table.cancel(jobs[2])
    with table.owner() as owner:
        run = table.submit(a_request(), origin="run", owner=owner.id).job
        mine = table.claim(owner.id)
        assert mine is not None
        end(process, kill=kill)
        assert recovered(table) == jobs[:4]
        assert [table.job(job).state for job in jobs] == ["queued", "paused", "cancelled", "queued", "running"]
        assert table.recover() == []
        with pytest.raises(ClaimLost):
            table.finish(jobs[0], 1, DONE)
        again = table.claim(owner.id)
        assert again is not None
        assert (again.job.id, again.job.claim, again.job.losses) == (jobs[0], 2, 0)
    assert {job.id for job in table.recover()} == {jobs[0], jobs[4], run.id}
    found = table.job(run.id)
    assert (found.state, found.error and found.error.kind) == ("failed", "interrupted")
    assert [event.kind for event in table.events(job=jobs[0])] == [
        *("queued", "started", "interrupted"),
        *("started", "interrupted"),
    ]


def test_a_fork_that_lives_on_does_not_keep_its_parent_alive(make_table: MakeTable, url: str) -> None:
    table = make_table()
    job = table.submit(a_request()).job
    process, _ = start_owner(url, 1, "forks")
    try:
        process.kill()
        assert recovered(table) == [job.id]
    finally:
        process.communicate()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_shares_no_connections(make_table: MakeTable) -> None:
    table, other = make_table(), make_table()
    job = table.submit(a_request()).job
    reader, writer = os.pipe()
    with table.owner() as owner:
        table.claim(owner.id)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.close(writer)
                os.read(reader, 1)
                code = 0 if table.job(job.id).state == "queued" and table.submit(a_request()).is_new else 2
            finally:
                os._exit(code)
        os.close(reader)
        assert other.recover() == []
    assert [each.id for each in other.recover()] == [job.id]
    os.close(writer)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert table.counts()["queued"] == 2


def test_threads_claim_each_job_once(table: JobTable, owner: Owner) -> None:
    for _ in range(60):
        table.submit(a_request())

    def work(_: int) -> list[str]:
        found = []
        while (claimed := table.claim(owner.id)) is not None:
            table.append(claimed.job.id, claimed.job.claim, [an_event("node_started")])
            table.finish(claimed.job.id, claimed.job.claim, DONE)
            found.append(claimed.job.id)
        return found

    with ThreadPoolExecutor(6) as pool:
        claimed = [job for each in pool.map(work, range(6)) for job in each]
    assert len(claimed) == len(set(claimed)) == 60
    assert table.counts()["done"] == 60


def test_outcomes_end_or_rest(table: JobTable, owner: Owner) -> None:
    for outcome in (DONE, CANCELLED, PAUSED):
        job = table.submit(a_request()).job
        claimed = table.claim(owner.id)
        assert claimed is not None
        table.pause(job.id)
        ended = table.finish(job.id, 1, outcome)
        assert ended.state == outcome.state
        assert (ended.finished is not None) == (ended.state in FINAL)
        assert ended.seconds == outcome.seconds
