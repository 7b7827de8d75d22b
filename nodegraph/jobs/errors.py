"""What can go wrong with jobs and their table, one class per defect."""

from __future__ import annotations

from ..errors import NodegraphError, shorten


class UnknownJob(NodegraphError):
    """There is no job of that id."""

    def __init__(self, job: str) -> None:
        self.job = job
        super().__init__(
            f"there is no job {shorten(job)}; it may have been deleted, or it belongs to another job table"
        )


class UnknownBatch(NodegraphError):
    """There is no batch of that id."""

    def __init__(self, batch: str) -> None:
        self.batch = batch
        super().__init__(f"there is no batch {shorten(batch)}; it may have been deleted, or is of another job table")


class WrongState(NodegraphError):
    """A job is in a state in which it cannot be done what was asked."""

    def __init__(self, job: str, state: str, action: str, possible: str) -> None:
        self.job, self.state, self.action, self.possible = job, state, action, possible
        super().__init__(f"cannot {action} the job {job}, which is {state}; {possible}")


class WrongPlacement(NodegraphError):
    """A job cannot be moved to where it was asked to go."""

    def __init__(self, job: str, reason: str) -> None:
        self.job, self.reason = job, reason
        super().__init__(f"cannot move the job {job}: {reason}")


class ClientKeyReused(NodegraphError):
    """A client key was sent again with another request than before."""

    def __init__(self, key: str, owner: str) -> None:
        self.key, self.owner = key, owner
        super().__init__(
            f"the client key {shorten(key)} belongs to {owner}, whose request was another one; "
            "send the same request, or use a new key"
        )


class ClaimLost(NodegraphError):
    """A worker writes for a job that is no longer its own; it must stop working on it."""

    def __init__(self, job: str, claim: int) -> None:
        self.job, self.claim = job, claim
        super().__init__(f"claim {claim} of the job {job} is over: the job was given back, ended or deleted meanwhile")


class RequestTooLarge(NodegraphError):
    """A request is larger than the table takes."""

    def __init__(self, size: int, limit: int) -> None:
        self.size, self.limit = size, limit
        super().__init__(
            f"the workflow and its inputs are {size} bytes of JSON, at most {limit} are accepted; "
            "let the workflow name large data as files"
        )


class WorkflowLost(NodegraphError):
    """The workflow of a job could not be saved from a damaged job table."""

    def __init__(self, job: str) -> None:
        self.job = job
        super().__init__(f"the workflow of the job {job} was lost when the job table was damaged; submit it again")


class NotAnExport(NodegraphError):
    """A line to load is none that `export` writes."""

    def __init__(self, line: int, reason: str) -> None:
        self.line, self.reason = line, reason
        super().__init__(f"line {line} is no exported job: {reason}; nothing was loaded")


class JobTableUnusable(NodegraphError):
    """The job table cannot be used as it is. What was to be written is not, and what was written before stands."""

    def __init__(self, where: str, reason: str, remedy: str) -> None:
        self.where, self.reason, self.remedy = where, reason, remedy
        super().__init__(f"the job table {where} cannot be used: {reason}; {remedy}")


class UnsupportedDatabase(JobTableUnusable):
    """The setting `database` names something that can hold no job table."""


class TableFull(JobTableUnusable):
    """No space is left for the table."""


class TableNotWritable(JobTableUnusable):
    """The table, or its folder, cannot be opened or written."""


class TableBusy(JobTableUnusable):
    """Another program holds the table's lock for too long."""


class TableDamaged(JobTableUnusable):
    """The file of the table is damaged."""


class TableTooNew(JobTableUnusable):
    """A newer version of this package made the table."""


class TableUnreachable(JobTableUnusable):
    """The database server cannot be reached, or broke off."""
