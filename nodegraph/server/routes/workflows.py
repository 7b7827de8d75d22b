"""Saved workflows."""

from __future__ import annotations

from ..http import Route
from ..schemas_workflows import (
    RenameRequest,
    SavedWorkflow,
    SaveRequest,
    WorkflowEntry,
    WorkflowList,
    WorkflowVersions,
)
from ..services import Services


def list_workflows(services: Services) -> WorkflowList:
    """All that are saved, the newest first; also those whose files are broken."""
    found = services.workflows.entries()
    return WorkflowList(workflows=[each.model_copy(update={"error": services.veil.text(each.error)}) for each in found])


def get_workflow(services: Services, name: str) -> SavedWorkflow:
    """A workflow as it is now."""
    return services.workflows.load(name)


def put_workflow(services: Services, name: str, body: SaveRequest) -> WorkflowEntry:
    """Save a workflow, unless it has changed since the sender loaded it."""
    return services.workflows.save(name, body.workflow, body.base)


def rename(services: Services, name: str, body: RenameRequest) -> WorkflowEntry:
    """Give a workflow another name; its versions go with it."""
    return services.workflows.rename(name, body.to)


def delete(services: Services, name: str) -> WorkflowEntry:
    """Delete a workflow; its versions stay."""
    return services.workflows.delete(name)


def get_versions(services: Services, name: str) -> WorkflowVersions:
    """The versions of a workflow that are kept, also of one that was deleted."""
    return WorkflowVersions(versions=services.workflows.versions(name))


def get_version(services: Services, name: str, number: int) -> SavedWorkflow:
    """A workflow as it was."""
    return services.workflows.load_version(name, number)


ROUTES = (
    Route("GET", "/workflows", list_workflows),
    Route("GET", "/workflows/{name}", get_workflow),
    Route("PUT", "/workflows/{name}", put_workflow, aside=True),
    Route("DELETE", "/workflows/{name}", delete, aside=True),
    Route("POST", "/workflows/{name}/rename", rename, aside=True),
    Route("GET", "/workflows/{name}/versions", get_versions),
    Route("GET", "/workflows/{name}/versions/{number:[0-9]{1,9}}", get_version),
)
