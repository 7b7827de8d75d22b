"""What jobs look like to everybody: requests, jobs, their events, results, and where they stand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue

JobState: TypeAlias = Literal["queued", "running", "paused", "done", "failed", "cancelled"]
"""queued and paused jobs wait, the last three are final; `retry` takes a final job back into the queue."""

FINAL: tuple[JobState, ...] = ("done", "failed", "cancelled")

Wish: TypeAlias = Literal["cancel", "pause"]
"""What somebody asked of a job while it runs; it is kept until the job stands still."""

Origin: TypeAlias = Literal["queue", "run"]
"""queue: a supervisor runs it, again where its worker is lost. run: a command runs it in its own process, once."""

LOST_WORKERS = 3
"""How often a job is begun when its workers are lost, unless its request says otherwise."""

JobId: TypeAlias = str


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class JobOptions(_Document):
    """How to run a workflow.

    priority: higher ones go first. time_limit: seconds of one attempt; None for no limit. attempts: how often the job
    is begun when its workers are lost (crash, memory, hang). use_cache: read and write stored results. fields: more
    that names of output files may mention. label: for people, 200 characters at most.
    """

    targets: list[str] | None = None
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    time_limit: Annotated[float, Field(gt=0, le=1e9)] | None = None
    attempts: Annotated[int, Field(ge=1, le=1_000_000)] = LOST_WORKERS
    use_cache: bool = True
    fields: dict[str, JsonValue] = Field(default_factory=dict)
    label: Annotated[str, Field(max_length=200)] = ""


class JobRequest(JobOptions):
    """A workflow to run.

    workflow: the document of a workflow file. inputs: values of its declared inputs. client_key: the sender's own name
    for this request; sending it again gives the same job instead of a second one.
    """

    workflow: dict[str, JsonValue]
    inputs: dict[str, JsonValue] = Field(default_factory=dict)
    client_key: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class BatchRequest(JobOptions):
    """Many runs of one workflow, accepted all or none.

    rows: the values of declared inputs, one job each; names of output files may mention {index}. client_key: as for a
    job, for the whole batch.
    """

    workflow: dict[str, JsonValue]
    rows: Annotated[list[dict[str, JsonValue]], Field(min_length=1, max_length=100_000)]
    client_key: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class JobFile(_Document):
    """A file that a job wrote. path: as it was written; bytes and sha256 of its content when the job ended."""

    path: str
    bytes: int
    sha256: str


class JobError(_Document):
    """Why a job failed.

    kind: node (a node raised), invalid (the workflow has defects), worker (its workers were lost), memory, time, hang
    (limits of the supervisor), interrupted (the command that ran it ended).
    node: where it was, "" where that is not known. defects: of an invalid workflow, as `nodegraph validate` gives them.
    """

    kind: Literal["node", "invalid", "worker", "memory", "time", "hang", "interrupted"]
    message: str
    node: str = ""
    defects: list[dict[str, JsonValue]] = Field(default_factory=list)


class Job(_Document):
    """One job as it stands.

    number: rises with each submission; pages are cut by it. claim: how often it was begun, in all. losses: how many
    workers it lost since it was submitted or retried. seconds: how long its last attempt ran; None before it ended.
    outputs: of the workflow, as far as they are plain values; others by a description such as "<Image>".
    ran, cached: how many nodes of the last attempt ran and how many were stored.
    """

    id: JobId
    number: int
    state: JobState
    wish: Wish | None
    origin: Origin
    label: str
    batch: str | None
    index: int | None
    client_key: str | None
    workflow: str
    title: str
    inputs: dict[str, JsonValue]
    priority: int
    time_limit: float | None
    attempts: int
    losses: int
    claim: int
    created: datetime
    started: datetime | None
    finished: datetime | None
    seconds: float | None
    error: JobError | None
    outputs: dict[str, JsonValue]
    files: list[JobFile]
    ran: int
    cached: int


class JobPage(_Document):
    """Jobs, the newest first. before: give it to get the next page; None on the last one."""

    jobs: list[Job]
    before: int | None


class JobFilter(_Document):
    """Which jobs to list; all conditions must hold.

    search: words that must all occur in the label, title, input values, error or names of files, in any case.
    since, until: when they were submitted.
    """

    states: tuple[JobState, ...] = ()
    batch: str | None = None
    workflow: str | None = None
    search: Annotated[str, Field(max_length=1000)] = ""
    since: datetime | None = None
    until: datetime | None = None


class Batch(_Document):
    """A batch as it stands: how many of its jobs are in which state."""

    id: str
    label: str
    created: datetime
    counts: dict[JobState, int]


class JobEvent(_Document):
    """Something that happened, durable and in order.

    sequence: rises over all jobs; a client that gives the last one it saw gets all later ones. job: "" for the queue.
    kind: of jobs queued, started, moved, pausing, paused, resumed, cancelling, cancelled, retried, interrupted, done,
    failed, deleted; of the queue queue_paused, queue_resumed; of nodes what `nodegraph.execution.events` names, in
    snake_case. data: beyond that.
    Progress of a job that is over is removed; whoever missed it has missed nothing that still holds.
    """

    sequence: int
    job: JobId
    kind: str
    time: datetime
    data: dict[str, JsonValue]


class NewEvent(_Document):
    """An event before it is written down."""

    kind: str
    data: Mapping[str, JsonValue] = Field(default_factory=dict)


class Outcome(_Document):
    """How an attempt ended. state: paused and queued leave the job to be gone on with."""

    state: Literal["done", "failed", "cancelled", "paused"]
    seconds: float
    error: JobError | None = None
    outputs: dict[str, JsonValue] = Field(default_factory=dict)
    files: list[JobFile] = Field(default_factory=list)
    ran: int = 0
    cached: int = 0


class Placement(_Document):
    """Where to move a waiting job: to an end of its priority, or beside another waiting job, taking its priority."""

    to: Literal["first", "last"] | None = None
    before: JobId | None = None
    after: JobId | None = None
    priority: Annotated[int, Field(ge=-1000, le=1000)] | None = None


WorkerState: TypeAlias = Literal["none", "starting", "idle", "working"]
"""none: no process runs; one is started when there is work."""


class WorkerInfo(_Document):
    """A worker as it stands. place: which one. process: its id, None where none runs. memory: bytes of its own."""

    place: int
    process: int | None
    state: WorkerState
    job: JobId | None
    memory: int | None
