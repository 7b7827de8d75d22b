"""Whatever is sent, the server answers with JSON and does not fail."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nodegraph.client import Client

from .conftest import Answered, Served
from .requests import request, workflow

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
documents: st.SearchStrategy[Any] = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
fields = st.sampled_from(
    [
        "workflow",
        "inputs",
        "targets",
        "priority",
        "time_limit",
        "attempts",
        "fields",
        "label",
        "client_key",
        "rows",
        "to",
        "base",
    ]
)
anything = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def spoilt(valid: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A valid document with a few members that are something else."""
    return st.dictionaries(fields, documents, max_size=2).map(lambda more: {**valid, **more})


def is_answer(answer: Answered) -> bool:
    found = answer.json()
    assert answer.status < 500, found
    return answer.status < 400 or found.keys() == {"error", "code", "defects"}


@anything
@given(body=st.one_of(documents, spoilt(request()), spoilt({"workflow": workflow(), "rows": [{"value": 1}]})))
def test_bodies(served: Served, body: Any) -> None:
    content = json.dumps(body).encode()
    for path in ("/jobs", "/batches", "/jobs/x/move", "/history/prune", "/history/import", "/validate", "/preflight"):
        assert is_answer(served.ask("POST", path, content))
    assert is_answer(served.ask("PUT", "/workflows/a", content))
    assert is_answer(served.ask("POST", "/workflows/a/rename", content))
    assert is_answer(served.ask("GET", "/workflows"))


@anything
@given(entry=documents, where=st.sampled_from(["nodes", "inputs", "outputs", "graphs", "layout", "format"]))
def test_workflows(served: Served, entry: Any, where: str) -> None:
    for value in (entry, {"n": entry}, {"n": {"type": "number", "inputs": entry}}, {"n": {"type": "number", "inputs": {"value": entry}}}):  # fmt: skip
        assert is_answer(served.ask("POST", "/jobs", json.dumps({"workflow": {**workflow(), where: value}}).encode()))


@anything
@given(content=st.binary(max_size=60))
def test_bytes(served: Served, content: bytes) -> None:
    for path in ("/jobs", "/history/import", "/uploads", "/recipes"):
        for start in (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF\x20\0\0\0WEBPVP8 "):
            assert is_answer(served.ask("POST", path, start + content))


names = st.sampled_from(
    [
        "kind",
        "name",
        "size",
        "limit",
        "before",
        "after",
        "since",
        "until",
        "states",
        "batch",
        "workflow",
        "search",
        "job",
    ]
)
values = st.text(max_size=12) | st.integers().map(str) | st.floats().map(str) | st.datetimes().map(str)


@anything
@given(query=st.lists(st.tuples(names, values), max_size=3), place=st.text(max_size=6))
def test_queries_and_paths(served: Served, query: list[tuple[str, str]], place: str) -> None:
    from urllib.parse import quote

    job = quote(place, safe="", errors="replace")
    text = urlencode(query, errors="replace")
    for path in ("/jobs", "/queue", "/batches", f"/jobs/{job}", f"/jobs/{job}/events", f"/jobs/{job}/files/0"):
        assert is_answer(served.ask("GET", f"{path}?{text}"))
    assert is_answer(served.ask("POST", f"/jobs/{job}/cancel"))
    for path in ("/models", "/inputs", f"/inputs/{job}", f"/inputs/{job}/thumbnail", f"/templates/{job}"):
        assert is_answer(served.ask("GET", f"{path}?{text}"))
    for path in (f"/workflows/{job}", f"/workflows/{job}/versions", f"/workflows/{job}/versions/1"):
        assert is_answer(served.ask("GET", path))
    assert is_answer(served.ask("PUT", f"/workflows/{job}", {"workflow": workflow(), "base": None}))
    assert is_answer(served.ask("POST", f"/uploads?{text}", b"nothing"))


@pytest.mark.parametrize(
    "query",
    [
        f"before={2**63 - 1}",
        f"before={2**63}",
        f"before={10**30}",
        "since=0001-01-01T00:00:00",
        "since=0001-01-01T00:00:00%2B23:59",
        "until=9999-12-31T23:59:59-23:59",
        "since=1e300",
        "search=%00",
        "search=%ff",
        "batch=%00",
        "search=" + "a%20" * 2000,
        "search=%25_%5C",
    ],
)
def test_values_at_the_edge(served: Served, query: str) -> None:
    assert is_answer(served.ask("GET", f"/jobs?{query}"))


@pytest.mark.parametrize(
    "body", [{"keep": 2**63 - 1}, {"keep": 2**70}, {"days": 1e6}, {"days": 1e300}, {"days": 1e-300}, {}]
)
def test_keeping_at_the_edge(served: Served, body: dict[str, float]) -> None:
    served.ask("POST", "/jobs", request())
    assert is_answer(served.ask("POST", "/history/prune", body))


def test_what_is_no_websocket_is_refused(served: Served) -> None:
    answer = served.ask("GET", "/events")
    assert (answer.status, answer.json()["code"]) == (400, "bad_request")


def test_a_body_that_breaks_off(served: Served) -> None:
    import socket

    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as connection:
        connection.sendall(
            b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nnonsense"
        )
        assert b" 400 " in connection.recv(1000)
    assert served.ask("GET", "/system").status == 200


def test_clients_work_inside_an_event_loop(served: Served) -> None:
    import asyncio

    async def ask() -> str:
        with Client(served.url) as client:
            return client.system().name

    assert asyncio.run(ask()) == "nodegraph"
