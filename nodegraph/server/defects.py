"""What can be wrong with a request, and which status says so."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from pydantic import JsonValue, ValidationError

from ..errors import NodegraphError

MOST_NAMED = 20
"""Of the fields of a request that are wrong."""


class MalformedJson(NodegraphError):
    """A body is no JSON, or nested too deeply."""


class BadRequest(NodegraphError):
    """A request is no request of HTTP, or none that its path takes."""


class WrongRequest(NodegraphError):
    """A body, query or path does not say what it should; `defects` tells each field."""

    def __init__(self, what: str, defects: Sequence[Mapping[str, JsonValue]]) -> None:
        self.defects = [dict(each) for each in defects]
        super().__init__("\n".join([what, *(f"  - {each['input']}: {each['reason']}" for each in self.defects)]))


class TooLarge(NodegraphError):
    """A body has more bytes than are taken."""


class NoSuchFile(NodegraphError):
    """A job wrote no such file, or it is gone, or it lies outside the output folder."""


class WrongRange(NodegraphError):
    """A part of a file was asked for that it does not have."""


class NoSuchPath(NodegraphError):
    """Nothing is at a path."""


class Answered(NodegraphError):
    """What has headers of its own in the answer. headers: these."""

    headers: Mapping[str, str] = {}


class WrongMethod(Answered):
    """What is at a path cannot be asked in this way. allowed: the methods that it takes."""

    def __init__(self, text: str, allowed: str) -> None:
        self.headers = {"Allow": allowed}
        super().__init__(text)


class WrongHost(NodegraphError):
    """A request was meant for another machine, or comes from a page of another one."""


class TokenNeeded(Answered):
    """A request has neither the server's token nor a session."""

    headers: Mapping[str, str] = {"WWW-Authenticate": "Bearer"}


class WrongToken(Answered):
    """A request has another token than the server's."""

    headers: Mapping[str, str] = {"WWW-Authenticate": "Bearer"}


class TooManyAttempts(Answered):
    """Wrong tokens came from an address too often; seconds: until it may try again."""

    def __init__(self, text: str, seconds: float) -> None:
        self.headers = {"Retry-After": str(math.ceil(seconds))}
        super().__init__(text)


class NoSpace(NodegraphError):
    """The disk is full."""


class NotWritten(NodegraphError):
    """A folder of the server cannot be written to."""


class BadWorkflowName(NodegraphError):
    """A name is none that a workflow can be saved under."""


class UnknownWorkflow(NodegraphError):
    """No workflow has a name."""


class UnknownVersion(NodegraphError):
    """A workflow has no such version, or has it no more."""


class WorkflowExists(NodegraphError):
    """Another workflow has the name already."""


class WorkflowChanged(NodegraphError):
    """A workflow is another one than the sender had loaded. version: that it has now; None where it is gone."""

    def __init__(self, name: str, base: int | None, version: int | None) -> None:
        self.version = version
        if base is None:
            reason = f"there is a workflow {name!r} already, of version {version}"
        elif version is None:
            reason = f"the workflow {name!r} was deleted since its version {base} was loaded"
        else:
            reason = f"the workflow {name!r} has changed since its version {base} was loaded; it has version {version}"
        self.defects: list[dict[str, JsonValue]] = [
            {"code": "workflow_changed", "input": "base", "value": base, "reason": reason, "version": version}
        ]
        super().__init__(f"{reason}; load it and save again, or save under another name")


class UnknownTemplate(NodegraphError):
    """No template has a name, or none with a picture."""


class UnknownInput(NodegraphError):
    """No picture that workflows may read has a name."""


class NotAPicture(NodegraphError):
    """A file is no picture that is taken, or a damaged one, or more than a picture."""


class PictureTooLarge(NodegraphError):
    """A picture has more pixels than are taken."""


def not_written(what: str, folder: str, error: OSError) -> NotWritten:
    """What to say where a file could not be written. folder: which one it is, such as "of workflows"."""
    reason = error.strerror or type(error).__name__
    return NotWritten(f"{what} was not written: {reason}; see who may write to the folder {folder}")


def wrong_request(what: str, error: ValidationError) -> WrongRequest:
    """What pydantic found in a part of a request; values are not repeated, since they may be large."""
    found = error.errors(include_input=False, include_url=False, include_context=False)[:MOST_NAMED]
    return WrongRequest(
        f"{what} does not say what it should:",
        [
            {"code": "bad_field", "input": ".".join(map(str, each["loc"])) or what, "reason": each["msg"]}
            for each in found
        ],
    )
