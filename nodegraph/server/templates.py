"""Workflows that come with node packs, for people to begin with."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..errors import InvalidWorkflow, WorkflowFormatError, shorten
from .defects import UnknownTemplate
from .http import PREFIX
from .schemas_workflows import Template, TemplateWorkflow

if TYPE_CHECKING:
    from ..plugins import Pack
    from ..workflow.model import Workflow
    from .definitions import Definitions

log = logging.getLogger(__name__)

FOLDER, PICTURES = "workflows", "pictures"
"""In a pack's folder, or beside it in a source tree; and in that the pictures, each named as its workflow."""


@dataclass(frozen=True, slots=True)
class Found:
    """A template's file. group: the folder in which it lies, "" for none. picture: of what it makes, maybe missing."""

    name: str
    group: str
    path: Path
    picture: Path


class Templates:
    """The templates of all packs. Their names begin as the ids of the pack's nodes do."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions

    def entries(self) -> list[Template]:
        """All templates that can be read."""
        found = []
        for each in self._found().values():
            try:
                found.append(self._entry(each))
            except WorkflowFormatError as error:
                log.warning("a template cannot be read: %s", error)
        return found

    def load(self, name: str) -> TemplateWorkflow:
        """A template's workflow. Raises UnknownTemplate or WorkflowFormatError."""
        return TemplateWorkflow(name=name, workflow=_workflow(self._one(name)).to_document())

    def picture(self, name: str) -> Path:
        """The picture of a template. Raises UnknownTemplate where there is none."""
        path = self._one(name).picture
        if not path.is_file():
            raise UnknownTemplate(f"the template {shorten(name)} has no picture")
        return path

    def _one(self, name: str) -> Found:
        found = self._found().get(name)
        if found is None:
            raise UnknownTemplate(f"there is no template {shorten(name)}")
        return found

    def _found(self) -> dict[str, Found]:
        packs = self._definitions.load().packs.values()
        return {each.name: each for pack in packs for each in templates_of(pack)}

    def _entry(self, found: Found) -> Template:
        workflow = _workflow(found)
        picture = None
        if found.picture.is_file():
            version = f"{found.picture.stat().st_mtime_ns:x}"
            picture = f"{PREFIX}/templates/{quote(found.name, safe='')}/picture?v={version}"
        return Template(
            name=found.name,
            title=workflow.title or found.name,
            description=workflow.description,
            group=found.group,
            picture=picture,
            needs=self._missing(workflow),
        )

    def _missing(self, workflow: Workflow) -> list[str]:
        """The files that a workflow names and that are not here."""
        from ..execution.named_files import file_defects
        from ..workflow.validate import check

        try:
            graph = check(workflow, self._definitions.load())
        except InvalidWorkflow:  # of nodes that are not here
            return []
        return list(dict.fromkeys(str(each.value) for each in file_defects(graph, self._definitions.files())))


def templates_of(pack: Pack) -> Iterator[Found]:
    """The templates that come with a pack: those that its manifest names, then the others by their names."""
    first = {pack.prefix + name: number for number, name in enumerate(pack.manifest.templates)}
    return iter(sorted(_all_of(pack), key=lambda found: (first.get(found.name, len(first)), found.name)))


def _all_of(pack: Pack) -> Iterator[Found]:
    folder = _folder_of(pack)
    for place, folders, names in os.walk(folder or ""):
        folders[:] = sorted(each for each in folders if not each.startswith(".") and each != PICTURES)
        for each in sorted(names):
            path = Path(place, each)
            if folder is None or path.suffix != ".json" or each.startswith("."):
                continue
            relative = path.relative_to(folder).with_suffix("")
            group = relative.parent.as_posix()
            picture = folder / PICTURES / relative.with_suffix(".webp")
            yield Found(pack.prefix + relative.as_posix(), "" if group == "." else group, path, picture)


def _folder_of(pack: Pack) -> Path | None:
    """Where a pack's workflows lie: in its folder, or beside it where that is a project's."""
    inside, beside = pack.folder / FOLDER, pack.folder.parent / FOLDER
    if inside.is_dir():
        return inside
    return beside if beside.is_dir() and (pack.folder.parent / "pyproject.toml").is_file() else None


def _workflow(found: Found) -> Workflow:
    from ..workflow.model import Workflow

    try:
        return Workflow.parse(found.path.read_bytes(), source=f"the template {found.name!r}")
    except OSError as error:
        raise WorkflowFormatError(f"the template {found.name!r} cannot be read: {error.strerror}") from error
