"""What requests say and answers tell, beyond what `nodegraph.jobs.model` has."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from ..jobs.model import Batch, Job, JobEvent, JobFilter, JobId, JobState

Whole: TypeAlias = Annotated[int, Field(ge=0, lt=2**63)]
"""A number that databases hold."""


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Problem(_Document):
    """What every answer tells whose status is 400 or more.

    error: for people. code: for programs. defects: of the workflow, or of the fields of the request.
    """

    error: str
    code: str
    defects: list[dict[str, JsonValue]]


class JobQuery(JobFilter):
    """Which jobs to list, and which page of them. before: the number that the page before this one told."""

    before: Whole | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 50

    @property
    def filter(self) -> JobFilter:
        """Which jobs, without the page."""
        return JobFilter.model_validate(self.model_dump(include=set(JobFilter.model_fields)))


class LimitQuery(_Document):
    """How many to tell at most."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 50


class EventQuery(_Document):
    """Events after a sequence number."""

    after: Whole = 0
    limit: Annotated[int, Field(ge=1, le=10_000)] = 1000


class StreamQuery(_Document):
    """Events after a sequence number, of one job or of all; without a number, from now on.

    previews: whether to send what nodes show while they run, too.
    """

    after: Whole | None = None
    job: JobId | None = None
    previews: bool = False


class Events(_Document):
    """Events in order. last: give it as `after` to get the next ones."""

    events: list[JobEvent]
    last: int


class BatchAccepted(_Document):
    """A batch with the ids of its jobs, in the order of its rows."""

    batch: Batch
    jobs: list[JobId]


class Batches(_Document):
    """Batches, the newest first."""

    batches: list[Batch]


class ResultFile(_Document):
    """A file that a job wrote. name: in the output folder. url: where its content is; it may be gone since."""

    name: str
    bytes: int
    sha256: str
    url: str


class Results(_Document):
    """What a job gave so far; of a job that is not done there may be files without outputs."""

    id: JobId
    state: JobState
    outputs: dict[str, JsonValue]
    files: list[ResultFile]


class Queue(_Document):
    """The queue. jobs: the waiting ones in the order in which they will run, as many as were asked for."""

    paused: bool
    jobs: list[Job]
    counts: dict[JobState, int]


class Workers(_Document):
    """The processes that run jobs."""

    workers: list[dict[str, Any]]


class Device(_Document):
    """Where jobs compute. kind: in torch's words, such as "cuda". threads: of one operation on the CPU."""

    kind: str
    name: str
    precision: str
    threads: int


class Room(_Document):
    """Bytes of a memory or a disk."""

    total: int
    free: int


class SizeLimits(_Document):
    """The most that is taken: bytes of a document and of a picture, and pixels of a picture."""

    body_bytes: int
    upload_bytes: int
    picture_pixels: int


class System(_Document):
    """The server.

    sequence: of the last event. definitions: how many nodes it knows; null before they are loaded. token_needed:
    whether it asks for a token. workers: how many processes run jobs. memory, output: of the machine, and of the disk
    that jobs write to; null where the system does not tell.
    """

    name: str = "nodegraph"
    version: str
    started: datetime
    paused: bool
    counts: dict[JobState, int]
    sequence: int
    definitions: int | None
    token_needed: bool
    device: Device
    workers: int
    memory: Room | None
    output: Room | None
    limits: SizeLimits


class TokenGiven(_Document):
    """The token that the server asks for."""

    token: Annotated[str, Field(max_length=1000)]


class Session(_Document):
    """A browser that may ask. until: how long; null where everybody may."""

    until: datetime | None


class Retention(_Document):
    """What to forget: final jobs beyond the newest `keep`, and those that ended more than `days` ago."""

    keep: Whole | None = None
    days: Annotated[float, Field(ge=0, le=1e6)] | None = None


class Added(_Document):
    """What an import did. new: jobs that were added. known: jobs that were there already."""

    new: int
    known: int


class Forgotten(_Document):
    """How many jobs were forgotten."""

    jobs: int
