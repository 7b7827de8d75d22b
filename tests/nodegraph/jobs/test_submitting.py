"""Taking jobs in, and reading them again."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select

from nodegraph.jobs import rows
from nodegraph.jobs.errors import ClientKeyReused, RequestTooLarge, UnknownBatch, UnknownJob
from nodegraph.jobs.model import JobFilter, JobRequest
from nodegraph.jobs.schema import DOCUMENTS
from nodegraph.jobs.table import JobTable

from .conftest import Clock, MakeTable
from .samples import DONE, WORKFLOW, a_batch, a_request

STRANGE = "quote ' \" \\ % _ null \0 é 日本 \U0001f98a"


def test_a_job_is_what_was_submitted(make_table: MakeTable, clock: Clock) -> None:
    request = a_request(
        inputs={"prompt": STRANGE, "steps": 20, "cfg": 1.0, "list": [1, None, True]},
        targets=["b"],
        priority=7,
        time_limit=2.5,
        attempts=2,
        use_cache=False,
        fields={STRANGE: [1]},
        label=STRANGE,
        client_key=STRANGE,
    )
    job, is_new = make_table().submit(request, title=STRANGE)
    assert is_new
    found = make_table()
    assert found.job(job.id) == job
    assert found.request(job.id) == request
    assert (job.state, job.wish, job.origin, job.number, job.claim, job.losses) == ("queued", None, "queue", 1, 0, 0)
    assert (job.label, job.title, job.client_key, job.inputs) == (STRANGE, STRANGE, STRANGE, request.inputs)
    assert (job.priority, job.time_limit, job.attempts, job.created) == (7, 2.5, 2, clock.now)
    assert (job.started, job.finished, job.seconds, job.error, job.outputs, job.files) == (None,) * 4 + ({}, [])


def test_defaults_survive(table: JobTable) -> None:
    job = table.submit(a_request()).job
    assert table.request(job.id) == a_request()
    assert (job.client_key, job.label, job.title, job.attempts, job.time_limit) == (None, "", "", 3, None)


def test_unknown_ids_are_errors(table: JobTable) -> None:
    for method in (table.job, table.request, table.cancel, table.pause, table.resume, table.retry, table.delete):
        with pytest.raises(UnknownJob, match="there is no job 'x'"):
            method("x")
    for method in (table.batch, table.cancel_batch, table.pause_batch, table.resume_batch):
        with pytest.raises(UnknownBatch, match="there is no batch 'x'"):
            method("x")


def test_a_client_key_gives_the_same_job_again(make_table: MakeTable, clock: Clock) -> None:
    table = make_table()
    request = a_request(client_key="k", inputs={"a": 1, "b": 2})
    job = table.submit(request).job
    clock.add(hours=1)
    again = JobRequest(client_key="k", inputs={"b": 2, "a": 1}, workflow=dict(reversed(WORKFLOW.items())))
    for other in (table, make_table()):
        assert other.submit(again) == (job, False)
    with table.owner() as owner:
        table.claim(owner.id)
        ended = table.finish(job.id, 1, DONE)
    assert table.submit(request) == (ended, False)
    assert table.counts()["done"] == 1
    assert sum(table.counts().values()) == 1


@pytest.mark.parametrize("change", [{"inputs": {"a": 2}}, {"priority": 1}, {"workflow": {}}, {"label": "x"}])
def test_a_client_key_with_another_request_is_refused(table: JobTable, change: dict[str, object]) -> None:
    job = table.submit(a_request(client_key="k", inputs={"a": 1})).job
    with pytest.raises(ClientKeyReused, match=f"'k' belongs to the job {job.id}"):
        table.submit(a_request(**{"client_key": "k", "inputs": {"a": 1}, **change}))
    assert sum(table.counts().values()) == 1


def test_the_key_of_a_deleted_job_is_free(table: JobTable) -> None:
    job = table.submit(a_request(client_key="k")).job
    table.cancel(job.id)
    table.delete(job.id)
    assert table.submit(a_request(client_key="k", priority=1)).is_new


def test_threads_that_send_one_key_get_one_job(table: JobTable) -> None:
    together = threading.Barrier(8)

    def send(_: int) -> tuple[str, bool]:
        together.wait()
        submitted = table.submit(a_request(client_key="k"))
        return submitted.job.id, submitted.is_new

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    assert len({job for job, _ in answers}) == 1
    assert [is_new for _, is_new in answers].count(True) == 1


def test_a_workflow_is_stored_once(table: JobTable) -> None:
    jobs = [table.submit(a_request(inputs={"n": n})).job for n in range(5)]
    other = table.submit(a_request(workflow={"other": 1})).job
    assert len({job.workflow for job in jobs}) == 1
    assert table.page(JobFilter(workflow=other.workflow)).jobs == [other]

    def documents() -> int:
        with table._database.reading() as connection:
            return int(connection.execute(select(func.count()).select_from(DOCUMENTS)).scalar_one())

    assert documents() == 2
    for job in [*jobs, other]:
        table.cancel(job.id)
    table.delete(other.id)
    table.delete(jobs[0].id)
    assert documents() == 1
    assert table.request(jobs[1].id).workflow == WORKFLOW


def test_a_request_that_is_too_large_is_refused(table: JobTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "LARGEST_REQUEST", 1000)
    for large in ({"workflow": {"x": "y" * 1000}}, {"inputs": {"x": "y" * 1000}}):
        with pytest.raises(RequestTooLarge, match="at most 1000 are accepted"):
            table.submit(a_request(**large))
    assert table.submit(a_request()).job.number == 1


def test_a_batch_is_taken_in_whole(table: JobTable) -> None:
    batch, ids, is_new = table.submit_batch(a_batch(3, label="b", priority=2, fields={"x": 1}, client_key="k"))
    assert is_new
    assert (batch.label, batch.counts["queued"], sum(batch.counts.values())) == ("b", 3, 3)
    assert [job.id for job in table.queue()] == ids
    for index, job in enumerate(table.queue()):
        assert (job.batch, job.index, job.inputs, job.priority, job.label) == (batch.id, index, {"n": index}, 2, "b")
        assert table.request(job.id).fields == {"x": 1, "index": index}
        assert table.request(job.id).client_key is None
    assert table.submit_batch(a_batch(3, label="b", priority=2, fields={"x": 1}, client_key="k")) == (batch, ids, False)
    with pytest.raises(ClientKeyReused, match=f"the batch {batch.id}"):
        table.submit_batch(a_batch(4, label="b", client_key="k"))
    assert table.submit(a_request(client_key="k")).is_new, "batches and jobs have keys of their own"
    other = table.submit_batch(a_batch(1))[0]
    assert table.batches() == [other, batch]
    assert table.batches(1) == [other]
    assert [event.kind for event in table.events()] == ["queued"] * 5


def test_pages_are_cut_by_number_whatever_the_clock_says(table: JobTable, clock: Clock) -> None:
    for _ in range(7):
        table.submit(a_request())
        clock.add(days=-1)
    numbers, before = [], None
    while True:
        page = table.page(before=before, limit=3)
        numbers.append([job.number for job in page.jobs])
        before = page.before
        if before is None:
            break
        table.submit(a_request())
    assert numbers == [[7, 6, 5], [4, 3, 2], [1]]
    assert [job.number for job in table.queue(9)] == list(range(1, 10))
    assert [event.sequence for event in table.events()] == list(range(1, 10))


def test_filters(table: JobTable, clock: Clock) -> None:
    start = clock.now
    first = table.submit(a_request(label="Red FOX", inputs={"a": ["Straße", {"b": "50%_x"}]}), title="Über").job
    clock.add(days=1)
    second = table.submit(a_request(label="red dog", inputs={"n": 12345})).job
    third = table.submit_batch(a_batch(1, label="blue/fox"))[1][0]
    table.pause(second.id)
    table.cancel(third)

    def found(**wanted: object) -> list[int]:
        return [job.number for job in table.page(JobFilter.model_validate(wanted)).jobs]

    assert found() == [3, 2, 1]
    assert found(search="RED") == [2, 1]
    assert found(search="fox red") == [1]
    assert found(search="strasse") == [1]
    assert found(search="über") == [1]
    assert found(search="0%_X") == [1]
    assert found(search="%") == [1]
    assert found(search="_") == [1]
    assert found(search="e/f") == [3]
    assert found(search="\\") == []
    assert found(search="1234") == [2]
    assert found(search="red zebra") == []
    assert found(states=["queued"]) == [1]
    assert found(states=["paused", "cancelled"]) == [3, 2]
    assert found(states=["paused", "cancelled", "paused"], search="dog") == [2]
    assert found(batch=table.job(third).batch) == [3]
    assert found(batch="x") == []
    assert found(since=start + timedelta(hours=1)) == [3, 2]
    assert found(until=start) == [1]
    page = table.page(JobFilter(states=("queued", "paused", "cancelled")), limit=2)
    assert ([job.number for job in page.jobs], page.before) == ([3, 2], 2)
    assert first.label == "Red FOX"


def test_a_search_has_a_length_that_a_database_takes() -> None:
    with pytest.raises(ValidationError, match="1000"):
        JobFilter(search="x" * 1001)


def test_lone_surrogates_do_not_break_the_table(table: JobTable) -> None:
    request = a_request(inputs={"\udfff": "\ud800x"})
    job = table.submit(request, title="\ud800").job
    assert table.page(JobFilter(search="x")).jobs == [job]
    assert table.request(job.id) == request
