"""What the route of model files takes and tells."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .schemas import _Document


class ModelQuery(_Document):
    """kind: only this kind of file, such as "checkpoint"."""

    kind: Annotated[str, Field(max_length=200)] | None = None


class ModelEntry(_Document):
    """A file that workflows may name, or a folder that is one model.

    name: what a workflow writes. family: what kind of model it is, precision: the dtype of most of its weights; both ""
    where no node says so. error: why no node here can load it.
    """

    kind: str
    name: str
    family: str
    precision: str
    bytes: int
    error: str = ""


class ModelList(_Document):
    """Model files by kind, bundled ones first."""

    models: list[ModelEntry]
