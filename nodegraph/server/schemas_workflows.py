"""What the routes of saved workflows take and tell."""

from __future__ import annotations

from datetime import datetime

from pydantic import JsonValue

from .schemas import _Document


class WorkflowEntry(_Document):
    """A saved workflow. inputs: how many it declares. error: why its file cannot be used; "" where it can.

    name: may have folders, such as "portraits/fox". version: counts what was ever saved under the name.
    """

    name: str
    title: str
    description: str
    version: int
    saved: datetime
    bytes: int
    inputs: int
    error: str = ""


class WorkflowList(_Document):
    """Saved workflows, the newest first."""

    workflows: list[WorkflowEntry]


class SavedWorkflow(_Document):
    """A version of a workflow. workflow: its document, in the newest format."""

    name: str
    version: int
    saved: datetime
    workflow: dict[str, JsonValue]


class SaveRequest(_Document):
    """A workflow to be saved. base: the version that the sender had loaded; null where it is to be a new one.

    It may have defects, such as inputs that are not wired yet.
    """

    workflow: dict[str, JsonValue]
    base: int | None


class RenameRequest(_Document):
    """to: the new name."""

    to: str


class WorkflowVersion(_Document):
    """A version that is kept."""

    version: int
    saved: datetime
    bytes: int


class WorkflowVersions(_Document):
    """The versions of a workflow that are kept, the newest first; of a deleted one, too."""

    versions: list[WorkflowVersion]


class Template(_Document):
    """A workflow that comes with a node pack.

    group: what kind of workflow it is; "" for the common ones. picture: where a picture of what it makes is, null where
    there is none. needs: the files that it names and that are missing here.
    """

    name: str
    title: str
    description: str
    group: str
    picture: str | None
    needs: list[str]


class TemplateList(_Document):
    """Workflows to begin with."""

    templates: list[Template]


class TemplateWorkflow(_Document):
    """A template. workflow: its document, in the newest format."""

    name: str
    workflow: dict[str, JsonValue]
