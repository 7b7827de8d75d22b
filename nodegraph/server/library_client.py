"""The part of the client that is about nodes, workflows, pictures and models; jobs are the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import JsonValue

from ..workflow.model import Workflow
from .asking import Asking, document_of, path_part
from .schemas_definitions import Checked, CheckRequest, DefinitionList, Preflight
from .schemas_models import ModelEntry, ModelList
from .schemas_pictures import FoundRecipe, InputFile, InputList, Upload
from .schemas_workflows import (
    RenameRequest,
    SavedWorkflow,
    SaveRequest,
    Template,
    TemplateList,
    TemplateWorkflow,
    WorkflowEntry,
    WorkflowList,
    WorkflowVersion,
    WorkflowVersions,
)


class LibraryClient(Asking):
    """Asks for what a server knows and keeps beside its jobs."""

    def definitions(self) -> DefinitionList:
        """All nodes, and the packs that bring them."""
        return self._get("/definitions", DefinitionList)

    def validate(
        self,
        workflow: Workflow | Mapping[str, Any],
        inputs: Mapping[str, JsonValue] | None = None,
        *,
        targets: Sequence[str] | None = None,
    ) -> Checked:
        """What keeps a workflow from running. Raises WorkflowFormatError."""
        return self._send("POST", "/validate", Checked, _check_request(workflow, inputs, targets))

    def preflight(
        self,
        workflow: Workflow | Mapping[str, Any],
        inputs: Mapping[str, JsonValue] | None = None,
        *,
        targets: Sequence[str] | None = None,
    ) -> Preflight:
        """What a run would do, need and refuse. Raises WorkflowFormatError."""
        return self._send("POST", "/preflight", Preflight, _check_request(workflow, inputs, targets))

    def workflows(self) -> list[WorkflowEntry]:
        """The saved workflows, the newest first."""
        return self._get("/workflows", WorkflowList).workflows

    def workflow(self, name: str, version: int | None = None) -> SavedWorkflow:
        """A saved workflow as it is now, or one of its versions."""
        rest = "" if version is None else f"/versions/{version}"
        return self._get(f"/workflows/{path_part(name)}{rest}", SavedWorkflow)

    def save_workflow(
        self, name: str, workflow: Workflow | Mapping[str, Any], base: int | None = None
    ) -> WorkflowEntry:
        """Save a workflow. base: the version that it was made from; None for one that must not be there yet.

        Where it has another version by now, ServerRefused has the code "workflow_changed".
        """
        body = SaveRequest(workflow=document_of(workflow), base=base)
        return self._send("PUT", f"/workflows/{path_part(name)}", WorkflowEntry, body)

    def rename_workflow(self, name: str, to: str) -> WorkflowEntry:
        """Give a saved workflow another name."""
        return self._send("POST", f"/workflows/{path_part(name)}/rename", WorkflowEntry, RenameRequest(to=to))

    def delete_workflow(self, name: str) -> WorkflowEntry:
        """Delete a saved workflow; its versions stay."""
        return self._send("DELETE", f"/workflows/{path_part(name)}", WorkflowEntry)

    def workflow_versions(self, name: str) -> list[WorkflowVersion]:
        """The versions of a workflow that are kept, the newest first."""
        return self._get(f"/workflows/{path_part(name)}/versions", WorkflowVersions).versions

    def templates(self) -> list[Template]:
        """Workflows that come with node packs."""
        return self._get("/templates", TemplateList).templates

    def template(self, name: str) -> Workflow:
        """The workflow of a template."""
        return Workflow.from_document(self._get(f"/templates/{path_part(name)}", TemplateWorkflow).workflow)

    def upload(self, picture: Path, *, kind: Literal["image", "mask"] = "image") -> Upload:
        """Send a picture of this machine; a workflow that names its `file` reads it."""
        query = [("name", picture.name), ("kind", kind)]
        with picture.open("rb") as content:
            return self._ask("POST", "/uploads", Upload, query=query, content=content)

    def inputs(self) -> list[InputFile]:
        """The pictures that workflows may read, the newest first."""
        return self._get("/inputs", InputList).files

    def recipe(self, picture: Path) -> FoundRecipe:
        """What made a picture of this machine."""
        with picture.open("rb") as content:
            return self._ask("POST", "/recipes", FoundRecipe, content=content)

    def models(self, kind: str | None = None) -> list[ModelEntry]:
        """The model files that workflows may name, or those of a kind."""
        return self._get("/models", ModelList, [("kind", kind)] if kind is not None else []).models


def _check_request(
    workflow: Workflow | Mapping[str, Any], inputs: Mapping[str, JsonValue] | None, targets: Sequence[str] | None
) -> CheckRequest:
    return CheckRequest(
        workflow=document_of(workflow),
        inputs=dict(inputs or {}),
        targets=None if targets is None else list(targets),
    )
