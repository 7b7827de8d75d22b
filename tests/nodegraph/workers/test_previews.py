"""What running nodes show: the newest of each, only while somebody looks, whatever goes wrong with a picture."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import Queue

import pytest
from PIL import Image

from nodegraph.execution.context import Progress
from nodegraph.execution.events import NodeFinished, NodePreview, NodeProgress
from nodegraph.jobs import previews
from nodegraph.jobs.messages import Shown
from nodegraph.jobs.previews import Previewer
from nodegraph.pictures import Encoded
from nodegraph.ports.wire import wire

from .conftest import Running, one

Supervised = Callable[..., None]
Log = Callable[[], list[str]]


class Square:
    """Shows itself when it may."""

    def __init__(self, side: int = 8, *, gate: threading.Event | None = None) -> None:
        self.side, self.gate = side, gate
        self.asked = threading.Event()

    def picture(self, item: int) -> Image.Image:
        self.asked.set()
        if self.gate is not None:
            self.gate.wait(30)
        return Image.new("RGBA", (self.side, self.side))


@wire(portable=True, shown=f"{__name__}:OddityShown")
@dataclass(frozen=True)
class Oddity:
    """Is shown by another class."""


class OddityShown:
    def __init__(self, value: Oddity) -> None: ...

    def picture(self, item: int) -> Image.Image:
        return Image.new("L", (8, 8))


def test_the_newest_is_shown_and_what_came_too_late_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "PAUSE_SECONDS", 0.0)
    told: Queue[tuple[str, int | None, Encoded]] = Queue()
    previewer = Previewer(lambda *given: told.put(given), watched=lambda: True)
    gate = threading.Event()
    first = Square(gate=gate)
    previewer(NodePreview(node="n", value=first))
    assert first.asked.wait(30)
    for side in (10, 20, 1000):
        previewer(NodeProgress(node="n", progress=Progress(side, 1000)))
        previewer(NodePreview(node="n", value=Square(side)))
    gate.set()
    assert told.get(timeout=30)[1] is None
    node, step, picture = told.get(timeout=30)
    assert (node, step, picture.type, picture.width, picture.height) == ("n", 1000, "image/webp", 256, 256)
    gate.clear()
    last = Square(gate=gate)
    previewer(NodePreview(node="n", value=last))
    assert last.asked.wait(30)
    previewer(NodeFinished(node="n", seconds=1.0))
    gate.set()
    previewer.close()
    assert told.empty()


def test_nothing_is_made_while_nobody_looks_and_other_values_are_no_pictures() -> None:
    told: Queue[tuple[str, int | None, Encoded]] = Queue()
    value = Square()
    unwatched = Previewer(lambda *given: told.put(given), watched=lambda: False)
    unwatched(NodePreview(node="n", value=value))
    unwatched.close()
    watched = Previewer(lambda *given: told.put(given), watched=lambda: True)
    watched(NodePreview(node="n", value=3))
    watched(NodePreview(node="m", value=Oddity()))
    assert told.get(timeout=30)[0] == "m"  # what its wire class names shows it
    watched.close()
    assert not value.asked.is_set()
    assert told.empty()


def test_what_a_node_shows_leaves_its_worker_while_somebody_looks(supervised: Supervised, rogue_log: Log) -> None:
    async def act(running: Running) -> None:
        found: list[tuple[str, Shown]] = []
        job = await running.end_of(one("shows"))
        assert job.state == "done"
        assert rogue_log() == []  # nobody looked
        await running.supervisor.watch(lambda job, shown: found.append((job, shown)))
        job = await running.end_of(one("shows"))
        assert job.state == "done", job.error
        assert {each for each, _ in found} == {job.id}
        steps = [shown.step for _, shown in found]
        assert steps == sorted(set(steps))  # type: ignore[type-var]
        first = found[0][1]
        assert (first.node, first.type, first.width, first.height) == ("n", "image/jpeg", 256, 128)
        assert Image.open(io.BytesIO(first.picture)).size == (256, 128)
        await running.supervisor.watch(None)
        count = len(rogue_log())
        await running.end_of(one("shows"))
        assert len(rogue_log()) == count

    supervised(act)


def test_a_new_worker_knows_that_somebody_looks(supervised: Supervised, rogue_log: Log) -> None:
    async def act(running: Running) -> None:
        found: list[Shown] = []
        await running.supervisor.watch(lambda job, shown: found.append(shown))
        await running.end_of(one("bad", {"crime": "kill", "times": 1}))
        await running.end_of(one("shows"))
        assert found

    supervised(act)
