"""Whatever is done to a table in whatever order, it stands as a simple model in memory says."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from nodegraph.jobs.errors import ClaimLost, ClientKeyReused, UnknownJob, WrongState
from nodegraph.jobs.model import FINAL, JobError, Outcome, Placement
from nodegraph.jobs.table import JobTable

from .conftest import new_database_on
from .samples import a_batch, a_request

LOST = JobError(kind="worker", message="lost")
WAITING = ("queued", "paused")
PICK = st.integers(0, 1000)
PRIORITY = st.sampled_from([0, 0, 0, 1])
ATTEMPTS = st.integers(1, 2)


@dataclass
class Model:
    """A job. key: of the client, with the label that was sent."""

    id: str
    number: int
    priority: int
    attempts: int
    key: tuple[str, str] | None = None
    batch: str | None = None
    state: str = "queued"
    wish: str | None = None
    claim: int = 0
    losses: int = 0
    owner: str | None = None


class JobMachine(RuleBasedStateMachine):
    """`line` holds all jobs that are not over in the order of their positions, whatever their priorities."""

    def __init__(self, new_url: Callable[[], str]) -> None:
        super().__init__()
        self.url = new_url()
        self.table = JobTable(self.url)
        self.jobs: dict[str, Model] = {}
        self.line: list[str] = []
        self.claims: list[tuple[str, int]] = []
        self.owners: dict[str, contextlib.ExitStack] = {}
        self.is_paused = False
        self.last = 0
        self.version = 0
        self.start_owner()

    def teardown(self) -> None:
        for stack in self.owners.values():
            stack.close()
        self.table.close()

    def pick(self, pick: int, *states: str) -> Model | None:
        found = [job for job in self.jobs.values() if not states or job.state in states]
        return found[pick % len(found)] if found else None

    @rule(key=st.sampled_from([None, None, "a", "b", "c"]), label=st.sampled_from("xxxy"), priority=PRIORITY)
    def submit(self, key: str | None, label: str, priority: int) -> None:
        request = a_request(client_key=key, label=label, priority=0 if key else priority, attempts=2)
        known = next((job for job in self.jobs.values() if key and job.key and job.key[0] == key), None)
        if known is None:
            job, is_new = self.table.submit(request)
            assert is_new
            self.took(job.id, request.priority, key=(key, label) if key else None)
            assert job.number == self.last
        elif known.key == (key, label):
            job, is_new = self.table.submit(request)
            assert (job.id, is_new) == (known.id, False)
        else:
            with pytest.raises(ClientKeyReused):
                self.table.submit(request)

    @initialize()
    def submit_some(self) -> None:
        self.submit_batch(5, 0, 1)
        self.submit_batch(3, 0, 2)

    @rule(count=st.integers(1, 4), priority=PRIORITY, attempts=ATTEMPTS)
    def submit_batch(self, count: int, priority: int, attempts: int) -> None:
        batch, ids, is_new = self.table.submit_batch(a_batch(count, priority=priority, attempts=attempts))
        assert is_new
        for job in ids:
            self.took(job, priority, batch=batch.id)
            self.jobs[job].attempts = attempts

    def took(self, job: str, priority: int, key: tuple[str, str] | None = None, batch: str | None = None) -> None:
        self.last += 1
        self.jobs[job] = Model(job, self.last, priority, 2, key, batch)
        self.line.append(job)

    def start_owner(self) -> None:
        if len(self.owners) < 3:
            stack = contextlib.ExitStack()
            self.owners[stack.enter_context(self.table.owner()).id] = stack

    @precondition(lambda self: self.owners)
    @rule(pick=PICK, count=st.integers(1, 3))
    def claim_some(self, pick: int, count: int) -> None:
        for _ in range(count):
            self.claim(pick)

    def claim(self, pick: int) -> None:
        owner = list(self.owners)[pick % len(self.owners)]
        claimed = self.table.claim(owner)
        waiting = [job for job in self.queue() if job.state == "queued"]
        if self.is_paused or not waiting:
            assert claimed is None
            return
        assert claimed is not None
        job = waiting[0]
        job.state, job.claim, job.owner = "running", job.claim + 1, owner
        assert (claimed.job.id, claimed.job.claim) == (job.id, job.claim)
        self.claims.append((job.id, job.claim))

    @precondition(lambda self: self.claims)
    @rule(pick=PICK, state=st.sampled_from(["done", "failed", "cancelled", "paused"]))
    def finish(self, pick: int, state: str) -> None:
        job, claim = self.claims[-1 - pick % min(3, len(self.claims))]
        outcome = Outcome.model_validate({"state": state, "seconds": 1})
        if not self.holds(job, claim):
            with pytest.raises(ClaimLost):
                self.table.finish(job, claim, outcome)
            return
        wish = self.jobs[job].wish
        if state == "paused":
            state = {None: "queued", "cancel": "cancelled", "pause": "paused"}[wish]
        self.rest(self.jobs[job], state)
        assert self.table.finish(job, claim, outcome).state == state

    @precondition(lambda self: self.claims)
    @rule(pick=PICK, counts=st.booleans())
    def give_back(self, pick: int, counts: bool) -> None:
        job, claim = self.claims[-1 - pick % min(3, len(self.claims))]
        if not self.holds(job, claim):
            with pytest.raises(ClaimLost):
                self.table.give_back(job, claim, LOST, counts=counts)
            return
        self.lose(self.jobs[job], counts=counts)
        assert self.table.give_back(job, claim, LOST, counts=counts).state == self.jobs[job].state

    @precondition(lambda self: self.claims)
    @rule(pick=PICK)
    def write(self, pick: int) -> None:
        job, claim = self.claims[-1 - pick % min(3, len(self.claims))]
        if self.holds(job, claim):
            self.table.append(job, claim, [])
            assert self.table.note_target(job, claim, "n", 0, f"{job}.{claim}").startswith(job)
        else:
            with pytest.raises(ClaimLost):
                self.table.note_target(job, claim, "n", 0, "x")

    @rule(pick=PICK, action=st.sampled_from(["start", "die", "die", "recover", "recover", "reopen"]))
    def owners_come_and_go(self, pick: int, action: str) -> None:
        match action:
            case "start":
                self.start_owner()
            case "die" if self.owners:
                self.owner_dies(pick)
            case "recover":
                self.recover()
            case "reopen":
                self.reopen()

    def owner_dies(self, pick: int) -> None:
        owner = list(self.owners)[pick % len(self.owners)]
        self.owners.pop(owner).close()

    def recover(self) -> None:
        lost = [job for job in self.jobs.values() if job.state == "running" and job.owner not in self.owners]
        for job in lost:
            self.lose(job, counts=False)
        assert [job.id for job in self.table.recover()] == [job.id for job in lost]

    @rule(pick=PICK, method=st.sampled_from(["cancel", "pause", "resume"]), whole=st.sampled_from([False, False, True]))
    def ask(self, pick: int, method: str, whole: bool) -> None:
        if whole:
            self.ask_batch(pick, method)
            return
        job = self.pick(pick)
        if job is None:
            with pytest.raises(UnknownJob):
                getattr(self.table, method)("x")
        elif self.asked(job, method):
            found = getattr(self.table, method)(job.id)
            assert (found.state, found.wish) == (job.state, job.wish)
        else:
            with pytest.raises(WrongState):
                getattr(self.table, method)(job.id)

    def ask_batch(self, pick: int, method: str) -> None:
        batches = sorted({job.batch for job in self.jobs.values() if job.batch})
        if not batches:
            return
        name = batches[pick % len(batches)]
        for job in self.jobs.values():
            if job.batch == name and job.state not in FINAL:
                self.asked(job, method)
        batch = getattr(self.table, f"{method}_batch")(name)
        expected = Counter(job.state for job in self.jobs.values() if job.batch == name)
        assert {state: count for state, count in batch.counts.items() if count} == expected

    @rule(pick=PICK, action=st.sampled_from(["retry", "retry", "delete", "prune"]))
    def those_that_are_over(self, pick: int, action: str) -> None:
        {"retry": self.retry, "delete": self.delete, "prune": self.prune}[action](pick)

    def retry(self, pick: int) -> None:
        job = self.pick(pick, *FINAL)
        if job is not None:
            self.table.retry(job.id)
            job.state, job.losses = "queued", 0
            self.line.append(job.id)

    def delete(self, pick: int) -> None:
        job = self.pick(pick)
        if job is None:
            return
        if job.state in FINAL:
            self.table.delete(job.id)
            del self.jobs[job.id]
        else:
            with pytest.raises(WrongState):
                self.table.delete(job.id)

    @rule(pick=PICK, beside=PICK, where=st.sampled_from(["first", "last", "before", "after"]), priority=PRIORITY)
    def move(self, pick: int, beside: int, where: str, priority: int) -> None:
        job, other = self.pick(pick, *WAITING), self.pick(beside, *WAITING)
        if job is None or other is None or (job is other and where in ("before", "after")):
            return
        if where in ("first", "last"):
            self.table.move(job.id, Placement.model_validate({"to": where, "priority": priority}))
            same = [each for each in self.line if self.jobs[each].priority == priority]
            place = self.line.index(same[0]) if where == "first" and same else len(self.line)
        else:
            self.table.move(job.id, Placement.model_validate({where: other.id}))
            priority = other.priority
            place = self.line.index(other.id) + (where == "after")
        self.line.insert(place, "here")
        self.line.remove(job.id)
        self.line[self.line.index("here")] = job.id
        job.priority = priority

    @rule(is_paused=st.sampled_from([False, False, False, True]))
    def pause_queue(self, is_paused: bool) -> None:
        self.is_paused = is_paused
        (self.table.pause_queue if is_paused else self.table.resume_queue)()

    def prune(self, pick: int) -> None:
        keep = pick % 5
        over = sorted((job for job in self.jobs.values() if job.state in FINAL), key=lambda job: -job.number)
        for job in over[keep:]:
            del self.jobs[job.id]
        assert self.table.prune(keep=keep, days=None) == len(over[keep:])

    def reopen(self) -> None:
        for stack in self.owners.values():
            stack.close()
        self.owners.clear()
        self.table.close()
        self.table = JobTable(self.url)
        self.start_owner()

    @invariant()
    def it_stands_as_the_model_says(self) -> None:
        found = {
            job.id: (job.number, job.state, job.wish, job.claim, job.losses, job.priority, job.batch)
            for job in self.table.page(limit=1000).jobs
        }
        assert found == {
            job.id: (job.number, job.state, job.wish, job.claim, job.losses, job.priority, job.batch)
            for job in self.jobs.values()
        }
        assert [job.id for job in self.table.queue(1000)] == [job.id for job in self.queue()]
        assert self.table.counts() == dict.fromkeys(self.table.counts(), 0) | Counter(
            job.state for job in self.jobs.values()
        )
        for owner in self.owners:
            assert self.table.wishes(owner) == {
                job.id: job.wish for job in self.jobs.values() if job.owner == owner and job.wish
            }
        assert self.table.is_paused() == self.is_paused
        version = self.table.version()
        assert version >= self.version
        self.version = version

    def queue(self) -> list[Model]:
        waiting = (self.jobs[job] for job in self.line if self.jobs[job].state in WAITING)
        return sorted(waiting, key=lambda job: -job.priority)

    def holds(self, job: str, claim: int) -> bool:
        found = self.jobs.get(job)
        return found is not None and (found.state, found.claim) == ("running", claim)

    def rest(self, job: Model, state: str) -> None:
        job.state, job.wish, job.owner = state, None, None
        if state in FINAL:
            self.line.remove(job.id)

    def lose(self, job: Model, *, counts: bool) -> None:
        job.losses += counts
        if job.wish == "cancel":
            self.rest(job, "cancelled")
        elif counts and job.losses >= job.attempts:
            self.rest(job, "failed")
        else:
            self.rest(job, "paused" if job.wish == "pause" else "queued")

    def asked(self, job: Model, method: str) -> bool:
        """What becomes of a job; whether it is possible."""
        match method, job.state:
            case ("cancel", "queued" | "paused"):
                self.rest(job, "cancelled")
            case ("pause", "queued"):
                job.state = "paused"
            case ("resume", "paused"):
                job.state = "queued"
            case ("cancel", "running"):
                job.wish = "cancel"
            case ("pause" | "resume", "running"):
                if job.wish == "cancel":
                    return False
                job.wish = "pause" if method == "pause" else None
            case ("cancel", "cancelled") | ("pause", "paused") | ("resume", "queued"):
                pass
            case _:
                return False
        return True


def test_a_table_in_a_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder, numbers = tmp_path_factory.mktemp("machine"), itertools.count()
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: JobMachine(lambda: f"sqlite:///{folder}/{next(numbers)}/jobs.sqlite"),
        settings=settings(max_examples=20, stateful_step_count=60, deadline=None),
    )


@pytest.mark.slow
def test_a_table_in_a_file_for_long() -> None:
    with tempfile.TemporaryDirectory() as folder:
        numbers = itertools.count()
        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            lambda: JobMachine(lambda: f"sqlite:///{folder}/{next(numbers)}/jobs.sqlite"),
            settings=settings(max_examples=300, stateful_step_count=60, deadline=None),
        )


@pytest.mark.slow
def test_a_table_on_a_server(server: str) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: JobMachine(lambda: new_database_on(server)),
        settings=settings(max_examples=25, stateful_step_count=40, deadline=None),
    )
