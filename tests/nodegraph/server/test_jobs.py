"""Routes of jobs: statuses and bodies."""

from __future__ import annotations

from ..flows import flow
from .conftest import Served
import json


def toy(value: float = 2) -> dict:
    return json.loads(flow({"n": ("number", {"value": value})}, {"n": "n.number"}, {"value": "n.value"}).to_json())


def test_a_job_is_accepted_listed_and_told(served: Served) -> None:
    found = served.ask("POST", "/jobs", {"workflow": toy(), "inputs": {"value": 3}, "label": "hello"})
    assert found.status == 201, found.content
    job = found.json()
    assert (job["state"], job["inputs"], job["label"]) == ("queued", {"value": 3}, "hello")
    assert served.ask("GET", f"/jobs/{job['id']}").json() == job
    assert served.ask("GET", "/jobs").json() == {"jobs": [job], "before": None}
    assert served.ask("GET", f"/jobs/{job['id']}/request").json()["workflow"] == toy()
    with served.client() as client:
        events = client.events(after=0)
        first = next(events)
        assert (first.kind, first.job) == ("queued", job["id"])
        assert served.ask("GET", "/system").json()["definitions"]
