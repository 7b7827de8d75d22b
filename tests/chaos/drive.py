"""Arms kills, sends jobs, and starts the server again whenever it is dead."""

from __future__ import annotations

import json
import math
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

from .processes import children
from .server import Server, Unreachable

PHASES = {
    "submit": (1, 4000),
    "run": (0.0005, 0.5),
    "write": (1, 500),
    "evict": (1, 120),
    "checkpoint": (1, 400),
}
"""How far into each phase a kill may be: lines of Python, or seconds of a run."""

VICTIMS = ("worker", "server", "both")
PATIENCE = 40.0
"""Seconds until a kill that nobody took is given up and asked for anew."""
WAITING = 3
"""So many jobs wait while kills are asked for."""


class Driver:
    """Sends requests one after the other and disturbs what happens to them."""

    def __init__(self, server: Server, chaos: Path, requests: list[dict[str, Any]], seed: int) -> None:
        self.server, self._chaos, self.requests = server, chaos, requests
        self._chance = random.Random(seed)
        self.sent = 0
        self.accepted: dict[str, str] = {}
        self.hits: Counter[str] = Counter()

    def send(self, count: int = 1) -> None:
        """Send the next requests, each until it is accepted; the client key keeps it one job."""
        for _ in range(count):
            request = self.requests[self.sent]
            job = self.ask("POST", "/jobs", request)
            self.accepted[request["client_key"]] = job["id"]
            self.sent += 1

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """A request, repeated until the server lives to answer it."""
        while True:
            self.server.ensure()
            try:
                return self.server.ask(method, path, body)
            except Unreachable:
                time.sleep(0.02)

    def disturb(self, phase: str, count: int) -> None:
        """Kill `count` times inside a phase."""
        least, most = PHASES[phase]
        while self.hits[phase] < count:
            after = math.exp(self._chance.uniform(math.log(least), math.log(most)))  # as many early as late ones
            if phase != "run":
                after = round(after)
            victim = VICTIMS[self.hits[phase] % len(VICTIMS)]
            self._arm({"phase": phase, "after": after, "victim": victim})
            if self._was_hit():
                self.hits[phase] += 1

    def disturb_anywhere(self, count: int) -> None:
        """Kill at random moments, from outside."""
        while self.hits["anywhere"] < count:
            self._fill()
            time.sleep(self._chance.uniform(0.0, 2.0))
            victim = VICTIMS[self.hits["anywhere"] % len(VICTIMS)]
            victims = self._processes(victim)
            if not victims:
                continue
            plan = {"phase": "anywhere", "after": 0, "victim": victim, "victims": victims, "place": "anywhere"}
            with (self._chaos / "kills.jsonl").open("a") as file:
                file.write(json.dumps(plan) + "\n")
            for each in victims:
                try:
                    os.kill(each, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            self.hits["anywhere"] += 1

    def finish(self) -> list[dict[str, Any]]:
        """Wait until every job has ended; all of them."""
        (self._chaos / "armed.json").unlink(missing_ok=True)
        end = time.monotonic() + 120
        while True:
            counts = self._counts()  # all of one moment: jobs go back from running to queued
            if not any(counts.get(state) for state in ("queued", "running", "paused")):
                break
            if time.monotonic() > end:
                raise TimeoutError(f"jobs do not end: {counts}")
            time.sleep(0.05)
        return self._all_jobs()

    def _arm(self, plan: dict[str, Any]) -> None:
        aside = self._chaos / "aside.json"
        aside.write_text(json.dumps(plan))
        aside.replace(self._chaos / "armed.json")

    def _was_hit(self) -> bool:
        """Keep the server at work until the kill is done; False where nobody came by."""
        before = self._kills()
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self._fill()
            found = self._kills()
            if len(found) > len(before):
                return bool(found[-1]["victims"])
            time.sleep(0.01)
        return False

    def _fill(self) -> None:
        """See that there is work."""
        waiting = self._counts().get("queued", 0)
        if waiting < WAITING:
            self.send()

    def _counts(self) -> dict[str, int]:
        found: dict[str, int] = self.ask("GET", "/queue")["counts"]
        return found

    def _kills(self) -> list[dict[str, Any]]:
        try:
            lines = (self._chaos / "kills.jsonl").read_text().splitlines()
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines]

    def _processes(self, victim: str) -> list[int]:
        """The processes to kill."""
        self.server.ensure()
        assert self.server.process is not None
        server = self.server.process.pid
        workers = [] if victim == "server" else children(server)
        if victim == "worker":
            return workers
        return [*workers, server]

    def _all_jobs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        before = ""
        while True:
            page = self.ask("GET", f"/jobs?limit=500{before}")
            found += page["jobs"]
            if page["before"] is None:
                return found
            before = f"&before={page['before']}"
