"""What people ask of jobs, in every state."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nodegraph.jobs.errors import UnknownJob, WrongPlacement, WrongState
from nodegraph.jobs.model import Job, JobError, Outcome, Placement
from nodegraph.jobs.owners import Owner
from nodegraph.jobs.table import JobTable

from .conftest import Clock, MakeTable
from .samples import CANCELLED, DONE, FAILED, a_batch, a_request

ALL = ("queued", "paused", "running", "pausing", "cancelling", "done", "failed", "cancelled")
LOST = JobError(kind="worker", message="it died")


def a_job(table: JobTable, owner: str, state: str) -> Job:
    """A job in a state, or running with a wish."""
    job = table.submit(a_request(priority=5)).job
    if state == "queued":
        return job
    if state == "paused":
        return table.pause(job.id)
    table.move(job.id, Placement(to="first"))
    table.claim(owner)
    match state:
        case "pausing":
            return table.pause(job.id)
        case "cancelling":
            return table.cancel(job.id)
        case "running":
            return table.job(job.id)
    return table.finish(job.id, 1, {"done": DONE, "failed": FAILED, "cancelled": CANCELLED}[state])


def kinds(table: JobTable, job: str) -> list[str]:
    return [event.kind for event in table.events(job=job)]


def outcomes(table: JobTable, owner: str, method: str) -> dict[str, str]:
    """What a method makes of a job in each state; "" where it refuses."""
    found = {}
    for state in ALL:
        job = a_job(table, owner, state)
        before = kinds(table, job.id)
        try:
            after = getattr(table, method)(job.id)
        except WrongState as error:
            assert job.id in str(error)
            assert table.job(job.id) == job
            assert kinds(table, job.id) == before
            found[state] = ""
        else:
            new = kinds(table, job.id)[len(before) :]
            found[state] = " ".join([f"{after.state}{'' if after.wish is None else '/' + after.wish}", *new])
            if method != "delete":
                assert table.job(job.id) == after
                assert getattr(table, method)(job.id) == after or method == "retry"
                assert len(kinds(table, job.id)) == len(before) + len(new), "a second time changes nothing"
    return found


def test_cancel(table: JobTable, owner: Owner) -> None:
    assert outcomes(table, owner.id, "cancel") == {
        "queued": "cancelled cancelled",
        "paused": "cancelled cancelled",
        "running": "running/cancel cancelling",
        "pausing": "running/cancel cancelling",
        "cancelling": "running/cancel",
        "done": "",
        "failed": "",
        "cancelled": "cancelled",
    }


def test_pause(table: JobTable, owner: Owner) -> None:
    assert outcomes(table, owner.id, "pause") == {
        "queued": "paused paused",
        "paused": "paused",
        "running": "running/pause pausing",
        "pausing": "running/pause",
        "cancelling": "",
        "done": "",
        "failed": "",
        "cancelled": "",
    }


def test_resume(table: JobTable, owner: Owner) -> None:
    assert outcomes(table, owner.id, "resume") == {
        "queued": "queued",
        "paused": "queued resumed",
        "running": "running",
        "pausing": "running resumed",
        "cancelling": "",
        "done": "",
        "failed": "",
        "cancelled": "",
    }


def test_delete(table: JobTable, owner: Owner) -> None:
    refused = dict.fromkeys(("queued", "paused", "running", "pausing", "cancelling"), "")
    # of the events of a job that is gone only the last one stays
    over = {"done": "done", "failed": "failed", "cancelled": "cancelled"}
    assert outcomes(table, owner.id, "delete") == refused | over
    gone = [event.job for event in table.events() if event.kind == "deleted"]
    assert len(gone) == 3
    for job in gone:
        assert kinds(table, job) == ["deleted"]
        with pytest.raises(UnknownJob):
            table.job(job)


@pytest.mark.parametrize("state", ALL)
def test_retry(table: JobTable, owner: Owner, state: str) -> None:
    job = a_job(table, owner.id, state)
    if state not in ("done", "failed", "cancelled"):
        with pytest.raises(WrongState, match=f"cannot retry the job {job.id}, which is .*; only jobs that are over"):
            table.retry(job.id)
        return
    other = table.submit(a_request(priority=5)).job
    again = table.retry(job.id)
    assert (again.state, again.losses, again.error, again.seconds, again.finished) == ("queued", 0, None, None, None)
    assert [each.id for each in table.queue()] == [other.id, job.id], "at the end of its priority"
    assert kinds(table, job.id)[-1] == "retried"
    table.cancel(other.id)
    claimed = table.claim(owner.id)
    assert claimed is not None
    assert (claimed.job.id, claimed.job.claim) == (job.id, 2)


def test_a_run_of_a_command_runs_at_once_and_cannot_be_paused(table: JobTable, owner: Owner, clock: Clock) -> None:
    job = table.submit(a_request(client_key="k"), origin="run", owner=owner.id).job
    assert (job.state, job.origin, job.claim, job.started) == ("running", "run", 1, clock.now)
    assert table.job(job.id) == job
    assert kinds(table, job.id) == ["queued", "started"]
    assert table.claim(owner.id) is None
    with pytest.raises(WrongState, match="run by a command; it can be cancelled"):
        table.pause(job.id)
    table.cancel(job.id)
    assert table.wishes(owner.id) == {job.id: "cancel"}
    assert table.finish(job.id, 1, CANCELLED).state == "cancelled"
    assert table.retry(job.id).origin == "queue"


@pytest.mark.parametrize(
    ("first", "second", "outcome", "state"),
    [
        ("pause", None, "paused", "paused"),
        ("pause", "resume", "paused", "queued"),
        ("pause", "cancel", "paused", "cancelled"),
        ("cancel", None, "cancelled", "cancelled"),
        ("cancel", None, "done", "done"),
        ("pause", None, "failed", "failed"),
    ],
)
def test_wishes_and_outcomes(
    table: JobTable, owner: Owner, first: str, second: str | None, outcome: str, state: str
) -> None:
    job = a_job(table, owner.id, "running")
    other = table.submit(a_request(priority=5)).job
    for method in (first, second):
        if method is not None:
            getattr(table, method)(job.id)
    ended = table.finish(job.id, 1, Outcome.model_validate({"state": outcome, "seconds": 1}))
    assert (ended.state, ended.wish) == (state, None)
    assert (ended.finished is None) == (state in ("paused", "queued"))
    assert kinds(table, job.id)[-1] == ("resumed" if state == "queued" else state)
    if state in ("paused", "queued"):
        assert [each.id for each in table.queue()] == [job.id, other.id], "it keeps its place"
    assert table.wishes(owner.id) == {}


def test_batches_change_together(table: JobTable, owner: Owner) -> None:
    batch, ids, _ = table.submit_batch(a_batch(5, priority=9))
    beside = table.submit(a_request()).job
    table.claim(owner.id)
    table.finish(ids[0], 1, DONE)
    table.claim(owner.id)
    paused = table.pause_batch(batch.id)
    assert paused.counts == {"queued": 0, "running": 1, "paused": 3, "done": 1, "failed": 0, "cancelled": 0}
    assert table.wishes(owner.id) == {ids[1]: "pause"}
    assert table.resume_batch(batch.id).counts["queued"] == 3
    assert table.wishes(owner.id) == {}
    assert [job.id for job in table.queue()] == [*ids[2:], beside.id]
    assert table.pause_batch(batch.id) == paused
    table.cancel_batch(batch.id)
    once = table.last_sequence()
    assert table.cancel_batch(batch.id).counts["cancelled"] == 3
    assert table.pause_batch(batch.id).counts["cancelled"] == 3
    assert table.wishes(owner.id) == {ids[1]: "cancel"}, "a wish to cancel stays"
    assert table.last_sequence() == once
    assert kinds(table, ids[1])[2:] == ["pausing", "resumed", "pausing", "cancelling"]
    assert kinds(table, ids[2])[1:] == ["paused", "resumed", "paused", "cancelled"]
    assert table.job(ids[2]).finished is not None
    assert table.job(beside.id).state == "queued"


def test_a_paused_queue_begins_nothing(make_table: MakeTable) -> None:
    table, other = make_table(), make_table()
    table.submit(a_request())
    with other.owner() as owner:
        for _ in range(2):
            table.pause_queue()
            assert other.is_paused()
            assert other.claim(owner.id) is None
        for _ in range(2):
            table.resume_queue()
            assert not other.is_paused()
        assert other.claim(owner.id) is not None
    queue = [event for event in table.events() if event.job == ""]
    assert [event.kind for event in queue] == ["queue_paused", "queue_resumed"]


def order(table: JobTable) -> list[str]:
    return [job.label for job in table.queue()]


@pytest.fixture
def named(table: JobTable) -> Callable[[str], str]:
    """Jobs a to e, of which d and e have a higher priority; their ids by label."""
    ids = {label: table.submit(a_request(label=label, priority=int(label in "de"))).job.id for label in "abcde"}
    return ids.__getitem__


@pytest.mark.parametrize(
    ("label", "placement", "expected"),
    [
        ("c", {"to": "first"}, "decab"),
        ("a", {"to": "last"}, "debca"),
        ("a", {"to": "first", "priority": 1}, "adebc"),
        ("a", {"to": "last", "priority": 1}, "deabc"),
        ("d", {"priority": 0}, "eabcd"),
        ("d", {"priority": 1}, "edabc"),
        ("b", {"priority": -1}, "deacb"),
        ("b", {"to": "first", "priority": 7}, "bdeac"),
        ("c", {"before": "a"}, "decab"),
        ("a", {"after": "c"}, "debca"),
        ("c", {"before": "b"}, "deacb"),
        ("c", {"after": "d"}, "dceab"),
        ("c", {"after": "d", "priority": 1}, "dceab"),
        ("e", {"before": "a"}, "deabc"),
        ("e", {"after": "c"}, "dabce"),
    ],
)
def test_moving(
    table: JobTable, named: Callable[[str], str], label: str, placement: dict[str, object], expected: str
) -> None:
    beside = {name: named(str(placement[name])) for name in ("before", "after") if name in placement}
    table.pause(named("b"))
    moved = table.move(named(label), Placement.model_validate(placement | beside))
    assert "".join(order(table)) == expected
    assert table.job(moved.id) == moved
    event = table.events(job=moved.id)[-1]
    assert (event.kind, event.data) == ("moved", {"priority": moved.priority})


@pytest.mark.parametrize(
    ("placement", "reason"),
    [
        ({}, "give one of"),
        ({"to": "first", "before": "b"}, "give one of"),
        ({"before": "a"}, "beside itself"),
        ({"before": "b", "priority": 3}, "has the priority 0"),
        ({"after": "c"}, "is cancelled"),
    ],
)
def test_where_a_job_cannot_go(
    table: JobTable, named: Callable[[str], str], placement: dict[str, object], reason: str
) -> None:
    table.cancel(named("c"))
    beside = {name: named(str(placement[name])) for name in ("before", "after") if name in placement}
    with pytest.raises(WrongPlacement, match=reason):
        table.move(named("a"), Placement.model_validate(placement | beside))
    with pytest.raises(WrongState, match="cannot move the job"):
        table.move(named("c"), Placement(to="first"))
    with pytest.raises(UnknownJob):
        table.move(named("a"), Placement(before="x"))
    assert "".join(order(table)) == "deab"


def test_gaps_that_are_used_up_are_made_anew(table: JobTable, named: Callable[[str], str], owner: Owner) -> None:
    first = table.claim(owner.id)
    assert first is not None
    for _ in range(50):
        table.move(named("c"), Placement(before=named("b")))
        assert order(table) == list("eacb")
        table.move(named("c"), Placement(after=named("a")))
        table.move(named("b"), Placement(after=named("a")))
        assert order(table) == list("eabc")
    table.give_back(first.job.id, 1, LOST, counts=False)
    assert order(table) == list("deabc"), "a job that ran comes back to its place"
    table.submit(a_request(label="f"))
    assert order(table) == list("deabcf"), "new ones come last"
