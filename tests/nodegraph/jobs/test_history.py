"""Forgetting, exporting and loading jobs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nodegraph.jobs import history
from nodegraph.jobs.errors import NotAnExport, UnknownBatch, UnknownJob
from nodegraph.jobs.model import Job, JobError, JobFile, JobFilter, Outcome
from nodegraph.jobs.table import JobTable

from .conftest import Clock, MakeTable
from .samples import DONE, FAILED, WORKFLOW, a_batch, a_request, an_event

RICH = Outcome(
    state="failed",
    seconds=2.5,
    error=JobError(kind="node", message="too hot", node="n"),
    outputs={"n": [1]},
    files=[JobFile(path="a.png", bytes=5, sha256="0")],
    ran=3,
    cached=4,
)


def ended(table: JobTable, count: int, **changes: object) -> list[str]:
    jobs = [table.submit(a_request(**changes)).job.id for _ in range(count)]
    with table.owner() as owner:
        for job in jobs:
            claimed = table.claim(owner.id)
            assert claimed is not None
            table.append(job, 1, [an_event("node_started")])
            table.note_target(job, 1, "save", 0, "a.png")
            table.finish(job, 1, DONE)
    return jobs


def numbers(table: JobTable) -> list[int]:
    return [job.number for job in table.page(limit=1000).jobs]


def test_the_newest_are_kept(table: JobTable) -> None:
    ended(table, 5)
    waiting = table.submit(a_request()).job
    table.pause(table.submit(a_request()).job.id)
    assert table.prune(keep=None, days=None) == 0
    assert table.prune(keep=9, days=None) == 0
    assert table.prune(keep=2, days=None) == 3
    assert numbers(table) == [7, 6, 5, 4]
    assert table.prune(keep=2, days=None) == 0
    assert table.prune(keep=0, days=None) == 2
    assert numbers(table) == [7, 6]
    assert table.submit(a_request()).job.number == 8, "numbers are not given again"
    assert table.request(waiting.id).workflow == WORKFLOW


def test_the_old_are_forgotten(table: JobTable, clock: Clock) -> None:
    jobs = ended(table, 2)
    clock.add(days=3)
    ended(table, 1, workflow={"x": 1})
    clock.add(days=3, seconds=-1)
    assert table.prune(keep=None, days=6) == 0
    clock.add(seconds=2)
    before = table.last_sequence()
    assert table.prune(keep=None, days=6) == 2
    assert numbers(table) == [3]
    assert [(event.job, event.kind) for event in table.events(after=before)] == [(job, "deleted") for job in jobs]
    assert [event.kind for event in table.events(job=jobs[0])] == ["deleted"]
    clock.add(days=-400)
    assert table.prune(keep=None, days=6) == 0, "a clock that jumps back forgets nothing"


def test_both_limits_and_many_jobs(table: JobTable, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nodegraph.jobs.table.PRUNED_AT_ONCE", 3)
    monkeypatch.setattr(history, "KEPT_NEWS", 4)
    ended(table, 10)
    clock.add(days=1)
    ended(table, 10)
    assert table.prune(keep=15, days=0.5) == 10
    assert numbers(table) == list(range(20, 10, -1))
    assert table.prune(keep=1, days=0.5) == 9
    assert len([event for event in table.events() if event.kind == "deleted"]) <= 4 + 3


def test_batches_end_with_their_last_job(table: JobTable) -> None:
    batch, ids, _ = table.submit_batch(a_batch(2, client_key="k"))
    table.cancel(ids[0])
    table.prune(keep=0, days=None)
    assert table.batch(batch.id).counts["queued"] == 1
    table.cancel(ids[1])
    table.prune(keep=0, days=None)
    with pytest.raises(UnknownBatch):
        table.batch(batch.id)
    assert table.submit_batch(a_batch(2, client_key="k"))[2]


def a_history(table: JobTable) -> list[Job]:
    """Jobs in every state, of two workflows and a batch."""
    _, ids, _ = table.submit_batch(a_batch(3, label="batch", priority=5))
    table.submit(a_request(client_key="k", label="\0é", targets=["a"], fields={"f": 1}), title="T")
    table.submit(a_request(workflow={"other": 1}, time_limit=5, priority=4))
    with table.owner() as owner:
        table.claim(owner.id)
        table.note_target(ids[0], 1, "save", 0, "a.png")
        table.finish(ids[0], 1, RICH)
        table.claim(owner.id)
        table.cancel(ids[2])
        table.pause_queue()
        return table.page().jobs


@pytest.fixture
def other(tmp_path: Path, clock: Clock) -> JobTable:
    return JobTable(f"sqlite:///{tmp_path}/other.sqlite", now=clock)


def test_an_export_is_loaded_elsewhere(table: JobTable, other: JobTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "EXPORTED_AT_ONCE", 2)
    jobs = a_history(table)
    lines = list(table.export())
    assert [next(iter(json.loads(line))) for line in lines] == [
        *("format", "workflow", "batch", "job", "job", "job"),
        *("job", "workflow", "job"),
    ]
    other.submit(a_request())
    with other:
        assert other.load(lines) == (5, 0)
        for before in jobs:
            after = other.job(before.id)
            assert other.request(before.id) == table.request(before.id)
            is_over = before.state in ("failed", "cancelled")
            assert after.state == (before.state if is_over else "paused")
            same = {"number": 0, "state": "", "wish": None}
            assert after.model_copy(update=same) == before.model_copy(update=same)
        assert other.page(JobFilter(search="hot a.png")).jobs[0].error == RICH.error
        assert other.batches()[0].label == "batch"
        assert [event.kind for event in other.events()][1:] == ["loaded"] * 5
        assert other.load(lines) == (0, 5)
        assert len(other.page().jobs) == 6
        assert other.submit(a_request(client_key="k", label="\0é", targets=["a"], fields={"f": 1})).is_new is False
        failed = next(job for job in jobs if job.state == "failed")
        other.retry(failed.id)
        other.pause(other.queue()[-1].id)
        with other.owner() as owner:
            claimed = other.claim(owner.id)
            assert claimed is not None
            assert claimed.targets == {("save", 0): "a.png"}
        assert list(table.export()) == lines


def test_an_export_can_be_filtered(table: JobTable) -> None:
    a_history(table)
    lines = [json.loads(line) for line in table.export(JobFilter(states=("failed", "cancelled"), search="1 2"))]
    assert [line["job"]["state"] for line in lines if "job" in line] == []
    lines = [json.loads(line) for line in table.export(JobFilter(states=("failed", "cancelled")))]
    assert [line["job"]["state"] for line in lines if "job" in line] == ["failed", "cancelled"]
    assert len(lines) == 5


def test_a_client_key_that_is_taken_stays_where_it_is(table: JobTable, other: JobTable) -> None:
    with other:
        mine = table.submit(a_request(client_key="k")).job
        theirs = other.submit(a_request(client_key="k")).job
        assert table.load(other.export()) == (1, 0)
        assert table.submit(a_request(client_key="k")).job.id == mine.id
        assert table.job(theirs.id).client_key == "k"


@pytest.mark.parametrize(
    ("line", "change", "reason"),
    [
        (1, {"format": "nodegraph-jobs/2"}, "it does not say"),
        (2, {"workflow": "0", "document": {}}, "digest differs"),
        (2, {"batch": None}, "_Batch"),
        (3, {"job": {"id": 1}}, "id: "),
        (3, {"more": 1}, "neither a workflow, a batch nor a job"),
        (3, "x", "Expecting value"),
    ],
)
def test_what_is_no_export_loads_nothing(
    table: JobTable, other: JobTable, line: int, change: dict[str, object] | str, reason: str
) -> None:
    with other:
        ended(table, 2)
        lines = list(table.export())
        lines[line - 1] = change.encode() if isinstance(change, str) else json.dumps(change).encode()
        with pytest.raises(NotAnExport, match=f"^line {line} is no exported job: .*{reason}"):
            other.load(lines)
        assert other.page().jobs == []
        assert other.last_sequence() == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"state": "lost"}, "state: "),
        ({"request": {"inputs": 5}}, "inputs"),
        ({"request": {"unknown": 5}}, "unknown"),
        ({"request": {"client_key": 5}}, "client_key"),
        ({"result": {"files": [{}]}}, "files"),
        ({"result": {"files": 5}}, "files"),
        ({"workflow": "x"}, "its workflow"),
        ({"batch": "x"}, "its batch"),
        ({"priority": 2000}, "priority"),
        ({"more": 1}, "more: "),
    ],
)
def test_a_job_that_cannot_be_is_not_loaded(
    table: JobTable, other: JobTable, change: dict[str, object], reason: str
) -> None:
    with other:
        ended(table, 1)
        lines = list(table.export())
        job = json.loads(lines[2])["job"]
        lines[2] = json.dumps({"job": job | change}).encode()
        with pytest.raises(NotAnExport, match=reason):
            other.load(lines)
        assert other.page().jobs == []


def test_a_failed_job_can_be_deleted_and_loaded_again(make_table: MakeTable) -> None:
    table = make_table()
    job = table.submit(a_request()).job
    with table.owner() as owner:
        table.claim(owner.id)
        table.finish(job.id, 1, FAILED)
    lines = list(table.export())
    table.delete(job.id)
    with pytest.raises(UnknownJob):
        table.request(job.id)
    assert table.load(lines) == (1, 0)
    assert table.request(job.id) == a_request()
    assert table.job(job.id).number == 2
