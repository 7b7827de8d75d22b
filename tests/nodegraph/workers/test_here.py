"""Runs of a command stand in the same history as jobs of a server, and nothing about the history stops them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nodegraph import Workflow
from nodegraph.errors import InvalidWorkflow, NodeFailed
from nodegraph.execution.cancel import CancelToken
from nodegraph.execution.run import Runner
from nodegraph.jobs.here import job_here, run_here
from nodegraph.jobs.model import JobFilter, JobRequest
from nodegraph.jobs.table import JobTable
from nodegraph.settings import Settings

from .conftest import one

Log = Callable[[], list[str]]


def start(settings: Settings, request: JobRequest) -> None:
    workflow = Workflow.from_document(request.workflow).model_copy(update={"title": "a title"})
    with Runner(settings) as runner:
        run_here(runner, workflow, lambda event: None, CancelToken(), fields={"index": 3})


def test_a_run_is_entered_with_events_and_files(job_settings: Settings, table: JobTable, rogue_log: Log) -> None:
    start(job_settings, one("write_text", {"text": "hello"}))
    (job,) = table.page(JobFilter()).jobs
    assert (job.state, job.origin, job.title) == ("done", "run", "a title")
    assert table.request(job.id).fields == {"index": 3}
    assert [Path(each.path).name for each in job.files] == [path.name for path in job_settings.output.iterdir()]
    kinds = [event.kind for event in table.events(job=job.id)]
    assert kinds[0] in ("queued", "started")
    assert {"run_started", "node_file", "run_finished"} < set(kinds)
    assert kinds[-1] == "done"


def test_a_run_that_fails_is_entered_as_failed(job_settings: Settings, table: JobTable, rogue_log: Log) -> None:
    with pytest.raises(NodeFailed):
        start(job_settings, one("bad", {"crime": "raise"}))
    (job,) = table.page(JobFilter()).jobs
    assert job.state == "failed"
    assert job.error is not None
    assert (job.error.kind, job.error.node) == ("node", "n")


def test_a_run_that_cannot_start_is_not_entered(job_settings: Settings, table: JobTable) -> None:
    with pytest.raises(InvalidWorkflow):
        start(job_settings, one("nothing"))
    assert table.page(JobFilter()).jobs == []


def test_an_interrupt_ends_the_job_as_cancelled(job_settings: Settings, table: JobTable, rogue_log: Log) -> None:
    request = one("good")
    with pytest.raises(KeyboardInterrupt), Runner(job_settings) as runner, job_here(runner, request) as job:
        runner.run(Workflow.from_document(request.workflow), on_event=job.hear)
        raise KeyboardInterrupt
    assert [job.state for job in table.page(JobFilter()).jobs] == ["cancelled"]


def test_a_table_that_cannot_be_used_stops_nothing(
    job_settings: Settings, rogue_log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    job_settings.state.write_text("no folder")
    start(job_settings, one("good", {"number": 4}))
    assert rogue_log() == ["good 4"]
    (record,) = [each for each in caplog.records if "history" in each.message]
    assert record.levelname == "WARNING"


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_a_command_that_is_killed_leaves_an_interrupted_job(
    job_settings: Settings, table: JobTable, rogue_log: Log, tmp_path: Path
) -> None:
    flow = tmp_path / "flow.json"
    Workflow.from_document(one("bad", {"crime": "kill"}).workflow).save(flow)
    names = ("state", "cache", "output", "input", "models")
    environment = {f"NODEGRAPH_{name.upper()}": str(getattr(job_settings, name)) for name in names}
    environment["NODEGRAPH_PLUGINS"] = str(job_settings.plugins[0])
    command = [sys.executable, "-m", "nodegraph", "run", str(flow)]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, cwd=tmp_path, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    (job,) = table.page(JobFilter()).jobs
    assert job.state == "running"
    table.recover()
    job = table.job(job.id)
    assert job.state == "failed"
    assert job.error is not None
    assert job.error.kind == "interrupted"
