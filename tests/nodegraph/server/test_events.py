"""The stream of events: nothing is missed, whoever comes, goes, or never reads."""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

import pytest

from nodegraph.client import Client, ServerRefused
from nodegraph.jobs.model import JobEvent, JobRequest, NewEvent, Outcome
from nodegraph.jobs.table import JobTable
from nodegraph.server.routes import events as events_routes

from .conftest import Serve, Served
from .requests import claimed, finish, request, workflow


def submit(served: Served) -> str:
    return str(served.ask("POST", "/jobs", request()).json()["id"])


def take(client: Client, count: int, after: int = 0, job: str | None = None) -> list[JobEvent]:
    return list(islice(client.events(after=after, job=job), count))


def test_what_was_is_told_first_and_then_what_comes(served: Served) -> None:
    first = submit(served)
    with served.client() as client:
        events = client.events(after=0)
        assert [next(events).kind] == ["queued"]
        finish(served.table)
        served.services.changed()  # type: ignore[union-attr]
        assert [next(events).kind for _ in range(2)] == ["started", "done"]
        second = submit(served)
        assert (told := next(events)).kind == "queued"
        assert (told.job, first) == (second, first)


def test_without_a_number_it_tells_what_is_new(served: Served) -> None:
    submit(served)
    with served.client() as client:
        found: list[JobEvent] = []
        listening = threading.Event()
        original = client._connection.listen

        def listen(url: str, query: object) -> Iterator[str]:
            listening.set()
            return original(url, query)  # type: ignore[arg-type]

        client._connection.listen = listen  # type: ignore[method-assign]
        reader = threading.Thread(target=lambda: found.append(next(client.events())))
        reader.start()
        assert listening.wait(60)
        second = submit(served)
        reader.join(60)
    assert [(each.kind, each.job) for each in found] == [("queued", second)]


def test_a_client_that_comes_back_gets_what_it_missed(serve: Serve) -> None:
    served = serve()
    jobs = [submit(served) for _ in range(3)]
    with served.client() as client:
        seen = take(client, 2)[-1].sequence
    served.stop()
    again = serve()
    jobs += [submit(again)]
    with again.client() as client:
        assert [each.job for each in take(client, 2, after=seen)] == jobs[2:]


def test_a_client_reconnects_by_itself(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    served = serve()
    jobs = [submit(served)]
    with Client(settings=served.settings) as client:
        from nodegraph.server.place import Note, leave_note

        with leave_note(served.settings.state, Note(url=served.url, pid=1, output=served.settings.output)):
            events = client.events(after=0)
            assert next(events).job == jobs[0]
            jobs.append(submit(served))
            served.stop()
        again = serve()
        with leave_note(served.settings.state, Note(url=again.url, pid=1, output=served.settings.output)):
            jobs.append(submit(again))
            assert [next(events).job for _ in range(2)] == jobs[1:]


def test_one_job_alone(served: Served) -> None:
    jobs = [submit(served) for _ in range(3)]
    with served.client() as client:
        assert take(client, 1, job=jobs[1])[0].job == jobs[1]
        with pytest.raises(ServerRefused) as refused:
            next(client.events(job="nobody"))
    assert (refused.value.status, refused.value.code) == (404, "unknown_job")


def test_many_events_come_in_order_and_once(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_routes, "AT_ONCE", 7)
    submit(served)
    with claimed(served.table) as found:
        news = [NewEvent(kind="node_log", data={"node": "n", "text": str(index)}) for index in range(100)]
        served.table.append(found.job.id, found.job.claim, news)
        with served.client() as client:
            events = take(client, 102)
    assert [each.data["text"] for each in events[2:]] == [str(index) for index in range(100)]
    assert [each.sequence for each in events] == sorted({each.sequence for each in events})


def test_what_another_process_does_is_told(served: Served) -> None:
    with served.client() as client, JobTable.open(served.settings) as other:
        events = client.events(after=0)
        woken = served.nobody.woken
        other.submit(JobRequest(workflow=workflow()))
        assert next(events).kind == "queued"
        end = time.monotonic() + 60
        while served.nobody.woken == woken and time.monotonic() < end:  # the stream may be told before it
            time.sleep(0.01)
    assert served.nobody.woken > woken


def test_several_clients_hear_the_same(served: Served) -> None:
    clients = [served.client() for _ in range(5)]
    streams = [each.events(after=0) for each in clients]
    submit(served)
    found = [next(each) for each in streams]
    assert len({each.sequence for each in found}) == 1
    for each in clients:
        each.close()


def deaf(served: Served) -> contextlib.AbstractContextManager[socket.socket]:
    """A client that asks for all events and never reads one."""
    return open_socket(served, "after=0")


@contextmanager
def open_socket(served: Served, query: str) -> Iterator[socket.socket]:
    """A client that asks for events and never reads one."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        key = base64.b64encode(os.urandom(16)).decode()
        connection.sendall(
            f"GET /api/v1/events?{query} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += connection.recv(1)
        assert head.startswith(b"HTTP/1.1 101")
        yield connection


def test_a_client_that_never_reads_keeps_nobody_waiting(served: Served) -> None:
    submit(served)
    with claimed(served.table) as found, deaf(served), deaf(served), served.client() as client:
        text = "x" * 10_000
        for _ in range(20):
            news = [NewEvent(kind="node_log", data={"node": "n", "text": text})] * 50
            served.table.append(found.job.id, found.job.claim, news)
        assert len(take(client, 1002)) == 1002
        served.table.finish(found.job.id, found.job.claim, Outcome(state="done", seconds=1))
        assert served.ask("GET", f"/jobs/{found.job.id}").json()["state"] == "done"
        served.stop()  # nor does it keep the server from ending


def test_a_client_that_does_not_answer_pings_is_let_go(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_routes, "HEARTBEAT_SECONDS", 0.2)
    with deaf(served) as connection, contextlib.suppress(ConnectionError):
        while connection.recv(4096):  # pings come, then the end
            pass


def test_what_is_said_to_the_server_does_no_harm(served: Served) -> None:
    submit(served)
    with deaf(served) as connection:
        connection.sendall(b"\x81\xff" + b"\xff" * 8 + b"mask" + b"x" * 100_000)  # a message of 2^64 bytes
        with contextlib.suppress(ConnectionError):
            while connection.recv(4096):
                pass
    assert served.ask("GET", "/system").status == 200


def test_no_folder_of_this_machine_is_told(served: Served) -> None:
    submit(served)
    with claimed(served.table) as found:
        path = str(served.settings.output / "a.png")
        served.table.append(
            found.job.id, found.job.claim, [NewEvent(kind="node_file", data={"node": "n", "path": path})]
        )
        with served.client() as client:
            assert take(client, 3)[-1].data["path"] == "output/a.png"


@pytest.mark.parametrize("query", ["after=-1", "after=x", "afer=1"])
def test_a_wrong_query_is_refused(served: Served, query: str) -> None:
    assert served.ask("GET", f"/events?{query}").status == 422


def test_waiting_for_a_job(served: Served) -> None:
    job = submit(served)
    told: list[str] = []
    with served.client() as client:
        worker = threading.Thread(target=lambda: finish(served.table, outputs={"n": 7}))
        worker.start()
        found = client.wait(job, lambda event: told.append(event.kind))
        worker.join()
        assert (found.state, found.outputs) == ("done", {"n": 7})
        assert told == ["queued", "started", "done"]
        told.clear()
        assert client.wait(job, lambda event: told.append(event.kind)) == found
        assert told == ["queued", "started", "done"]
