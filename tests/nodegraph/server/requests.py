"""Requests for the server, and a worker played by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nodegraph.jobs.claiming import Claimed
from nodegraph.jobs.model import JobFile, Outcome
from nodegraph.jobs.table import JobTable

from ..flows import flow


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
