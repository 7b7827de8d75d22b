"""Requests for the server, and a worker played by hand."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nodegraph.jobs.claiming import Claimed
from nodegraph.jobs.model import JobFile, NewEvent, Outcome
from nodegraph.jobs.table import JobTable

from ..flows import flow

if TYPE_CHECKING:
    from .conftest import Served


def workflow(value: object = 2) -> dict[str, Any]:
    """A workflow with one node and one declared input."""
    nodes = {"n": ("number", {"value": value})}
    return dict(json.loads(flow(nodes, {"n": "n.number"}, {"value": "n.value"}).to_json()))


def request(**options: object) -> dict[str, Any]:
    """A job's request."""
    return {"workflow": workflow(), **options}


@contextmanager
def claimed(table: JobTable) -> Iterator[Claimed]:
    """The next job, begun by hand."""
    with table.owner() as owner:
        found = table.claim(owner.id)
        assert found is not None
        yield found


def finish(table: JobTable, *files: JobFile, **options: Any) -> str:
    """Run the next job by hand; its id."""
    with claimed(table) as found:
        outcome = Outcome(**{"state": "done", "seconds": 0.5, "files": list(files), **options})
        table.finish(found.job.id, found.job.claim, outcome)
        return found.job.id


class Hand:
    """Runs the next job in a thread, as soon as there is one."""

    def __init__(self, served: Served, end: Callable[[], object]) -> None:
        self._thread = threading.Thread(target=self._work)
        self._served, self._end = served, end
        self._thread.start()

    def _work(self) -> None:
        table = self._served.table
        with table.owner() as owner:
            while (job := table.claim(owner.id)) is None:
                time.sleep(0.005)
            outcome = self._end()
            events = [NewEvent(kind="run_started", data={"nodes": ["n"], "to_run": 1, "cached": 0})]
            events += [NewEvent(kind="node_started", data={"node": "n", "type_id": "number"})]
            progress = {"done": 1, "total": 2, "message": "", "rate": 2.0, "eta": 0.5}
            events += [NewEvent(kind="node_progress", data={"node": "n", "progress": progress})]
            events += [NewEvent(kind="node_log", data={"node": "n", "text": "halfway"})]
            table.append(job.job.id, job.job.claim, events)
            assert isinstance(outcome, Outcome)
            table.finish(job.job.id, job.job.claim, outcome)

    def done(self) -> None:
        self._thread.join(60)
        assert not self._thread.is_alive()
