"""The model files that workflows may name."""

from __future__ import annotations

from ..http import Route
from ..schemas_models import ModelList, ModelQuery
from ..services import Services


def list_models(services: Services, query: ModelQuery) -> ModelList:
    """Model files with what their headers say; those that cannot be used say why."""
    found = services.models.entries(query.kind)
    return ModelList(models=[each.model_copy(update={"error": services.veil.text(each.error)}) for each in found])


ROUTES = (Route("GET", "/models", list_models),)
