"""Workflows that nobody has sent yet: what is wrong with them, and what they would do."""

from __future__ import annotations

from typing import Any

from ..http import Route
from ..schemas_definitions import Checked, CheckRequest, DefectDocument, Preflight
from ..services import Services


def validate(services: Services, body: CheckRequest) -> Checked:
    """What keeps a workflow from running; nothing is wrong with a request whose workflow has defects."""
    found = services.definitions.defects(body.workflow, body.inputs, body.targets)
    defects: list[Any] = [services.veil.json(each.to_document()) for each in found]
    return Checked(defects=[DefectDocument.model_validate(each) for each in defects])


def preflight(services: Services, body: CheckRequest) -> Preflight:
    """What a run would do, need and refuse, told from specs and from headers of files."""
    found = services.adviser.preflight(body.workflow, body.inputs, body.targets)
    return Preflight.model_validate(services.veil.json(found))


ROUTES = (
    Route("POST", "/validate", validate, aside=True),
    Route("POST", "/preflight", preflight, aside=True),
)
