"""The jobs' API against a simple model: whatever is asked in whatever order, both know the same jobs in the same order."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from nodegraph.jobs.model import FINAL, JobError, Outcome
from nodegraph.jobs.owners import Owner
from nodegraph.settings import Settings

from .conftest import Served
from .requests import workflow

WAITING = ("queued", "paused")
ATTEMPTS = 3


@dataclass
class Modelled:
    """A job as the model knows it."""

    id: str
    value: int
    priority: int
    state: str = "queued"
    wish: str | None = None
    claim: int = 0
    losses: int = 0
    batch: str | None = None


@dataclass
class Model:
    """What should be. line: the ids of jobs that are not over, whatever their priority, in their order. keys: what was
    sent with a client key, and the job that came of it."""

    jobs: dict[str, Modelled] = field(default_factory=dict)
    line: list[str] = field(default_factory=list)
    keys: dict[str, tuple[int, int, str]] = field(default_factory=dict)
    paused: bool = False

    def ordered(self, *states: str) -> list[str]:
        """Ids in the order in which they run."""
        there = [each for each in self.line if self.jobs[each].state in states]
        return sorted(there, key=lambda each: -self.jobs[each].priority)

    def put_last(self, job: str) -> None:
        self.line = [each for each in self.line if each != job] + [job]

    def put_beside(self, job: str, other: str, *, after: bool) -> None:
        self.line.remove(job)
        self.line.insert(self.line.index(other) + after, job)
        self.jobs[job].priority = self.jobs[other].priority

    def put_first(self, job: str) -> None:
        self.line.remove(job)
        self.line.insert(0, job)


class JobMachine(RuleBasedStateMachine):
    """Asks the server what Hypothesis thinks of; a worker is played by hand."""

    template: Settings

    jobs: Bundle[str] = Bundle("jobs")
    batches: Bundle[str] = Bundle("batches")

    @initialize()
    def start(self) -> None:
        self.stack = contextlib.ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.settings = self.template.model_copy(update={"state": folder})
        self.served = Served(self.settings)
        self.model = Model()
        self.running: dict[str, int] = {}
        self.owners = contextlib.ExitStack()
        self.owner: Owner = self.owners.enter_context(self.served.table.owner())

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            self.owners.close()
            self.served.stop()
            self.stack.close()

    def ask(self, method: str, path: str, body: object = None, *, status: int) -> Any:
        answer = self.served.ask(method, path, body)
        assert answer.status == status, (method, path, answer.content)
        return answer.json()

    @rule(target=jobs, value=st.integers(0, 2), priority=st.integers(-1, 1), key=st.sampled_from(["", "", "k", "l"]))
    def submit(self, value: int, priority: int, key: str) -> Any:
        body = {"workflow": workflow(), "inputs": {"value": value}, "priority": priority, "client_key": key or None}
        known = self.model.keys.get(key)
        if known is None:
            job = self.ask("POST", "/jobs", body, status=201)["id"]
            self.model.jobs[job] = Modelled(job, value, priority)
            self.model.put_last(job)
            if key:
                self.model.keys[key] = (value, priority, job)
            return job
        same = known[:2] == (value, priority)
        answer = self.ask("POST", "/jobs", body, status=200 if same else 409)
        assert answer["id" if same else "code"] == (known[2] if same else "client_key_reused")
        return multiple()

    @rule(target=batches, values=st.lists(st.integers(0, 2), min_size=1, max_size=3), priority=st.integers(-1, 1))
    def submit_batch(self, values: list[int], priority: int) -> Any:
        rows = [{"value": each} for each in values]
        found = self.ask("POST", "/batches", {"workflow": workflow(), "rows": rows, "priority": priority}, status=201)
        for job, value in zip(found["jobs"], values, strict=True):
            self.model.jobs[job] = Modelled(job, value, priority, batch=found["batch"]["id"])
            self.model.put_last(job)
        return found["batch"]["id"]

    def expect(self, job: str, what: str, allowed: bool, body: object = None, method: str = "POST") -> bool:
        """Ask something of a job that the model allows or forbids; whether it was done."""
        if job not in self.model.jobs:
            self.ask(method, f"/jobs/{job}{what}", body, status=404)
            return False
        self.ask(method, f"/jobs/{job}{what}", body, status=200 if allowed else 409)
        return allowed

    def of(self, job: str) -> Modelled:
        """What the model knows of a job; of one that was deleted, something that nothing is asked of."""
        return self.model.jobs.get(job) or Modelled(job, 0, 0, state="deleted")

    def end(self, job: Modelled, state: str) -> None:
        job.state, job.wish = state, None
        self.running.pop(job.id, None)
        if state in FINAL:
            self.model.line.remove(job.id)

    def cancel_one(self, job: Modelled) -> None:
        if job.state in WAITING:
            self.end(job, "cancelled")
        elif job.state == "running":
            job.wish = "cancel"

    def pause_one(self, job: Modelled) -> None:
        if job.state == "queued":
            job.state = "paused"
        elif job.state == "running" and job.wish is None:
            job.wish = "pause"

    def resume_one(self, job: Modelled) -> None:
        if job.state == "paused":
            job.state = "queued"
        elif job.state == "running" and job.wish == "pause":
            job.wish = None

    @rule(job=jobs)
    def cancel(self, job: str) -> None:
        found = self.of(job)
        if self.expect(job, "/cancel", found.state not in ("done", "failed")):
            self.cancel_one(found)

    @rule(job=jobs)
    def pause(self, job: str) -> None:
        found = self.of(job)
        if self.expect(job, "/pause", found.state not in FINAL and found.wish != "cancel"):
            self.pause_one(found)

    @rule(job=jobs)
    def resume(self, job: str) -> None:
        found = self.of(job)
        if self.expect(job, "/resume", found.state not in FINAL and found.wish != "cancel"):
            self.resume_one(found)

    @rule(job=jobs)
    def retry(self, job: str) -> None:
        found = self.of(job)
        if self.expect(job, "/retry", found.state in FINAL):
            found.state, found.losses = "queued", 0
            self.model.put_last(job)

    @rule(job=jobs)
    def delete(self, job: str) -> None:
        if self.expect(job, "", self.of(job).state in FINAL, method="DELETE"):
            del self.model.jobs[job]
            self.model.keys = {key: known for key, known in self.model.keys.items() if known[2] != job}

    @rule(job=jobs, to=st.sampled_from(["first", "last"]))
    def move_to_an_end(self, job: str, to: str) -> None:
        if self.expect(job, "/move", self.of(job).state in WAITING, {"to": to}):
            (self.model.put_first if to == "first" else self.model.put_last)(job)

    @rule(job=jobs, priority=st.integers(-1, 1))
    def move_to_a_priority(self, job: str, priority: int) -> None:
        if self.expect(job, "/move", self.of(job).state in WAITING, {"priority": priority}):
            self.of(job).priority = priority
            self.model.put_last(job)

    @rule(job=jobs, other=jobs, side=st.sampled_from(["before", "after"]))
    def move_beside(self, job: str, other: str, side: str) -> None:
        moves = self.of(job).state in WAITING
        if moves and job != other and other not in self.model.jobs:
            self.ask("POST", f"/jobs/{job}/move", {side: other}, status=404)
            return
        allowed = moves and job != other and self.of(other).state in WAITING
        if self.expect(job, "/move", allowed, {side: other}):
            self.model.put_beside(job, other, after=side == "after")

    @rule(batch=batches, what=st.sampled_from(["cancel", "pause", "resume"]))
    def ask_a_batch(self, batch: str, what: str) -> None:
        self.ask("POST", f"/batches/{batch}/{what}", status=200)
        one = {"cancel": self.cancel_one, "pause": self.pause_one, "resume": self.resume_one}[what]
        for job in list(self.model.jobs.values()):
            if job.batch == batch:
                one(job)

    @rule(paused=st.booleans())
    def pause_the_queue(self, paused: bool) -> None:
        found = self.ask("POST", f"/queue/{'pause' if paused else 'resume'}", status=200)
        assert found["paused"] is paused
        self.model.paused = paused

    @rule()
    def begin_a_job(self) -> None:
        found = self.served.table.claim(self.owner.id)
        order = [] if self.model.paused else self.model.ordered("queued")
        assert (found.job.id if found else None) == (order[0] if order else None)
        if found is not None:
            job = self.of(found.job.id)
            job.state, job.claim = "running", job.claim + 1
            assert (found.job.claim, found.request.inputs) == (job.claim, {"value": job.value})
            self.running[job.id] = job.claim

    @precondition(lambda self: self.running)
    @rule(data=st.data(), state=st.sampled_from(["done", "failed", "cancelled", "paused"]))
    def end_a_job(self, data: st.DataObject, state: str) -> None:
        job = self.of(data.draw(st.sampled_from(sorted(self.running))))
        error = JobError(kind="node", message="it broke", node="n") if state == "failed" else None
        outcome = Outcome(state=state, seconds=1, error=error, outputs={"n": job.value})  # type: ignore[arg-type]
        self.served.table.finish(job.id, job.claim, outcome)
        if state == "paused" and job.wish != "pause":
            state = "cancelled" if job.wish == "cancel" else "queued"
        self.end(job, state)

    @precondition(lambda self: self.running)
    @rule(data=st.data(), counts=st.booleans())
    def lose_a_worker(self, data: st.DataObject, counts: bool) -> None:
        job = self.of(data.draw(st.sampled_from(sorted(self.running))))
        lost = JobError(kind="worker", message="it is gone")
        self.served.table.give_back(job.id, job.claim, lost, counts=counts)
        job.losses += counts
        self.give_back(job, fails=counts and job.losses >= ATTEMPTS)

    def give_back(self, job: Modelled, *, fails: bool = False) -> None:
        states = {"cancel": "cancelled", "pause": "paused", None: "queued"}
        self.end(job, "failed" if fails and job.wish != "cancel" else states[job.wish])

    @rule()
    def restart_the_server(self) -> None:
        """It may have had jobs at work, which the next one takes back."""
        self.owners.close()
        self.served.stop()
        self.served = Served(self.settings)
        self.served.table.recover()
        self.owner = self.owners.enter_context(self.served.table.owner())
        for job in list(self.running):
            self.give_back(self.of(job))

    @invariant()
    def both_know_the_same(self) -> None:
        if not hasattr(self, "model"):
            return
        there = {each["id"]: each for each in self.ask("GET", "/jobs?limit=1000", status=200)["jobs"]}
        assert there.keys() == self.model.jobs.keys()
        for name, job in self.model.jobs.items():
            found = there[name]
            told = (found["state"], found["wish"], found["priority"], found["claim"], found["batch"], found["losses"])
            assert told == (job.state, job.wish, job.priority, job.claim, job.batch, job.losses)
            assert found["inputs"] == {"value": job.value}
        queue = self.ask("GET", "/queue?limit=1000", status=200)
        assert [each["id"] for each in queue["jobs"]] == self.model.ordered(*WAITING)
        assert queue["paused"] is self.model.paused
        states = [job.state for job in self.model.jobs.values()]
        assert queue["counts"] == {state: states.count(state) for state in queue["counts"]}

    @invariant()
    def the_history_tells_of_each_job_how_it_stands(self) -> None:
        if not hasattr(self, "model"):
            return
        events = self.served.table.events(limit=100_000)
        assert [each.sequence for each in events] == sorted({each.sequence for each in events})
        last = {each.job: each.kind for each in events if each.job in self.model.jobs and each.kind != "moved"}
        for name, job in self.model.jobs.items():
            assert last[name] in TELLING[job.state, job.wish], (name, job, last[name])


TELLING = {
    ("queued", None): ("queued", "resumed", "retried", "interrupted"),
    ("running", None): ("started", "resumed"),
    ("running", "pause"): ("pausing",),
    ("running", "cancel"): ("cancelling",),
    ("paused", None): ("paused",),
    **{(state, None): (state,) for state in FINAL},
}
"""The last event of a job by state and wish."""


def explore(template: Settings, examples: int, steps: int) -> None:
    """Let Hypothesis look for a difference."""
    machine = type("Machine", (JobMachine,), {"template": template})
    checks = list(HealthCheck)
    chosen = settings(max_examples=examples, stateful_step_count=steps, suppress_health_check=checks)
    run_state_machine_as_test(machine, settings=chosen)


def test_the_api_does_what_the_model_does(server_settings: Settings) -> None:
    explore(server_settings, examples=15, steps=30)


@pytest.mark.slow
def test_the_api_does_what_the_model_does_for_long(server_settings: Settings) -> None:
    explore(server_settings, examples=300, steps=60)
