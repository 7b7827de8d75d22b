"""What running nodes show reaches all who look, and nobody waits for a client that does not read."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue

import pytest

from nodegraph.jobs.messages import Shown
from nodegraph.server.connection import Connection
from nodegraph.server.schemas_values import Preview, preview_message, read_preview

from .conftest import Served
from .test_events import open_socket, submit

Told = tuple[Preview, bytes]


def shown(node: str = "n", step: int | None = 1, picture: bytes = b"\xff\xd8picture") -> Shown:
    return Shown(claim=1, node=node, step=step, width=4, height=2, type="image/jpeg", picture=picture)


def show(served: Served, job: str, what: Shown) -> None:
    """Show something as the supervisor does."""
    served.soon(lambda: served.nobody.show and served.nobody.show(job, what))


def until(condition: object) -> None:
    end = time.monotonic() + 60
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.005)


@contextmanager
def looking(served: Served, job: str = "") -> Iterator[Queue[Told]]:
    """A client that looks; what it is shown."""
    found: Queue[Told] = Queue()
    query = [("previews", "1"), *([("job", job)] if job else [])]

    def read() -> None:
        with contextlib.closing(Connection()) as connection:
            for message in connection.listen(f"{served.url}/api/v1/events", query):
                if isinstance(message, bytes):
                    told = read_preview(message)
                    if told[0].node == "end":
                        return
                    found.put(told)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield found
    finally:
        with contextlib.suppress(RuntimeError):  # the server has ended
            show(served, job, shown("end"))
        thread.join(60)
        assert not thread.is_alive()


def test_all_who_look_are_shown_the_picture_as_it_is(served: Served) -> None:
    job = submit(served)
    with looking(served) as first, looking(served) as second, looking(served, job) as third:
        until(lambda: len(served.viewers()) == 3)
        show(served, "another", shown("other"))
        show(served, job, shown())
        preview = Preview(job=job, node="n", step=1, width=4, height=2, type="image/jpeg")
        assert third.get(timeout=60) == (preview, b"\xff\xd8picture")
        for each in (first, second):
            assert [each.get(timeout=60)[0].job for _ in range(2)] == ["another", job]


def test_pictures_are_asked_for_only_while_somebody_looks(served: Served) -> None:
    assert served.nobody.show is None
    with open_socket(served, "previews=1"):
        until(lambda: served.nobody.show is not None)
    until(lambda: served.nobody.show is None)
    with open_socket(served, "after=0"):
        assert served.ask("GET", "/system").status == 200
        assert served.nobody.show is None


def test_the_client_tells_both(served: Served) -> None:
    found: list[Told] = []
    with served.client() as client:
        events = client.events(after=0, on_preview=lambda *told: found.append(told))
        while not found:
            job = submit(served)
            assert next(events).job
            show(served, job, shown())
    assert found[0][0].node == "n"


def test_one_that_never_reads_is_kept_the_newest_and_keeps_nobody_waiting(served: Served) -> None:
    with open_socket(served, "previews=1"), looking(served) as reader:
        until(lambda: len(served.viewers()) == 2)
        for step in range(200):
            show(served, "job", shown(step=step, picture=b"x" * 100_000))
        while reader.get(timeout=60)[0].step != 199:
            pass
        assert max(map(len, served.viewers())) <= 1
        served.stop()


@pytest.mark.parametrize("message", [b"", b"\0\0\0", b"\0\0\0\x02{}", b"\xff\xff\xff\xff{}"])
def test_what_is_no_preview_is_told(message: bytes) -> None:
    with pytest.raises(ValueError):
        read_preview(message)


def test_a_message_is_read_as_it_was_written() -> None:
    preview = Preview(job="j", node="ü/[2]", step=None, width=1, height=1, type="image/webp")
    assert read_preview(preview_message(preview, b"\0\1")) == (preview, b"\0\1")
