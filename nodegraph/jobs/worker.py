"""A worker: the process that runs node code. It speaks with its supervisor through a socket and keeps models warm.

What nodes print goes to the worker's log. Whatever node code does, only this process is lost.
"""

from __future__ import annotations

import faulthandler
import functools
import itertools
import os
import socket
import sys
import threading
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue

from ..execution.cancel import CancelToken
from ..execution.run import Runner
from ..pictures import Encoded
from .blackbox import BlackBox
from .health import sickness
from .lifelines import be_first_to_go, die_with
from .looker import Looker
from .messages import (
    Beat,
    Channel,
    Ended,
    Happened,
    Leave,
    Look,
    Noted,
    Ready,
    RunJob,
    Shown,
    Start,
    StopJob,
    Target,
    Watch,
)
from .model import NewEvent
from .perform import perform
from .previews import Previewer
from .telling import NODE_ENDS, NODE_STARTED

EVENTS_SECONDS = 0.1
"""Events wait this long for others, so that many small nodes are told of together."""


class Worker:
    """Runs one job after the other, as it is told."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._work: SimpleQueue[RunJob | None] = SimpleQueue()
        self._cancel = CancelToken()
        self._job, self._claim = "", 0
        self._watched = False
        self._looker: Looker | None = None
        self._lock = threading.Lock()
        self._tickets = itertools.count()
        self._asked: dict[int, Future[str]] = {}

    def serve(self) -> None:
        """Work until told to leave."""
        start = self._channel.receive()
        assert isinstance(start, Start), start
        sys.path[:] = start.search
        box = BlackBox(start.box)
        threading.Thread(target=self._listen, name="nodegraph-listen", daemon=True).start()
        threading.Thread(target=self._beat, args=(start.beat,), name="nodegraph-beat", daemon=True).start()
        with Runner(start.settings) as runner:
            self._looker = Looker(runner, self._channel.send)
            self._channel.send(Ready())
            while (job := self._work.get()) is not None:
                self._run(job, runner, box)

    def target(self, node: str, number: int, proposed: Path) -> Path:
        """Where to write a file of a node; it is noted durably before this returns."""
        ticket, answer = next(self._tickets), Future[str]()
        with self._lock:
            self._asked[ticket] = answer
        self._channel.send(Target(claim=self._claim, ticket=ticket, node=node, number=number, path=str(proposed)))
        return Path(answer.result())

    def _run(self, job: RunJob, runner: Runner, box: BlackBox) -> None:
        outbox = Outbox(self._channel, job.claim, box)
        previewer = Previewer(functools.partial(self._show, job.claim), watched=lambda: self._watched)
        try:
            outcome = perform(
                job.request,
                runner,
                job=job.job,
                tell=outbox.add,
                cancel=self._cancel,
                targets=self,
                hear=previewer,
            )
        finally:
            previewer.close()
            outbox.close()
        self._channel.send(Ended(claim=job.claim, outcome=outcome, sick=sickness(outcome, runner.policy.device)))

    def _show(self, claim: int, node: str, step: int | None, picture: Encoded) -> None:
        self._channel.send(
            Shown(
                claim=claim,
                node=node,
                step=step,
                width=picture.width,
                height=picture.height,
                type=picture.type,
                picture=picture.content,
            )
        )

    def _listen(self) -> None:
        """Hear the supervisor, in a thread of its own, so that a stop is heard while a node works."""
        while True:
            try:
                message = self._channel.receive()
            except (EOFError, OSError):
                os._exit(1)  # nobody is left to tell, and a node may never end
            match message:
                case RunJob():
                    self._cancel, self._job, self._claim = CancelToken(), message.job, message.claim
                    self._work.put(message)
                case StopJob(job=job, claim=claim) if (job, claim) == (self._job, self._claim):
                    self._cancel.cancel()
                case Noted(ticket=ticket, path=path):
                    with self._lock:
                        answer = self._asked.pop(ticket)
                    answer.set_result(path)
                case Watch(watched=watched):
                    self._watched = watched
                case Look() if self._looker is not None:
                    self._looker.look(message)
                case Leave():
                    self._work.put(None)
                case _:
                    pass

    def _beat(self, seconds: float) -> None:
        """Give signs of life; they stop when a node holds the interpreter's lock for good."""
        pause = threading.Event()
        while not pause.wait(seconds):
            self._channel.send(Beat())


class Outbox:
    """Sends the events of a job, those together that come together, in a thread of its own.

    Which nodes are at work is in the black box before they begin, so that a crash can be laid at a door.
    """

    def __init__(self, channel: Channel, claim: int, box: BlackBox) -> None:
        self._channel, self._claim, self._box = channel, claim, box
        self._events: list[NewEvent] = []
        self._running: dict[str, str] = {}
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="nodegraph-outbox", daemon=True)
        self._thread.start()

    def add(self, event: NewEvent) -> None:
        """Send an event soon."""
        with self._changed:
            node = str(event.data.get("node"))
            if event.kind == NODE_STARTED:
                self._running[node] = str(event.data["type_id"])
                self._box.write(self._running)
            elif event.kind in NODE_ENDS and node in self._running:
                del self._running[node]
                self._box.write(self._running)
            self._events.append(event)
            if len(self._events) == 1:
                self._changed.notify()

    def close(self) -> None:
        """Send what is left."""
        with self._changed:
            self._box.write({})
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        closing = False
        while not closing:
            with self._changed:
                self._changed.wait_for(lambda: self._events or self._closing)
                self._changed.wait_for(lambda: self._closing, timeout=EVENTS_SECONDS)
                events, self._events = self._events, []
                closing = self._closing
            if events:
                self._channel.send(Happened(claim=self._claim, events=events))


def main(descriptor: str, parent: str) -> None:
    """The process's work. descriptor: of the inherited socket. parent: the supervisor's process id."""
    die_with(int(parent))
    be_first_to_go()
    faulthandler.enable()  # a crash leaves where it was in the log
    connection = socket.socket(fileno=int(descriptor))
    connection.set_inheritable(False)
    Worker(Channel(connection)).serve()
    sys.stdout.flush()
    os._exit(0)  # threads that nodes started may never end
