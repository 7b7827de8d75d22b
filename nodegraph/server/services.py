"""What the routes work with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from pydantic import BaseModel

if TYPE_CHECKING:
    from ..jobs.looks import Looks
    from ..jobs.messages import Shown
    from ..jobs.model import JobId
    from ..jobs.table import JobTable
    from ..settings import Settings
    from .access import Access
    from .adviser import Adviser
    from .changes import Changes
    from .definitions import Definitions
    from .definitions_document import DefinitionsDocument
    from .input_pictures import InputPictures
    from .model_files import ModelFiles
    from .previews import Previews
    from .templates import Templates
    from .thumbnails import Thumbnails
    from .uploads import Uploads
    from .veil import Veil
    from .workflow_store import WorkflowStore


class Workforce(Protocol):
    """What runs the jobs of the table: the supervisor, as far as the server knows it."""

    def wake(self) -> None:
        """The table changed; from any thread."""

    def workers(self) -> Sequence[BaseModel]:
        """The worker processes as they are."""

    @property
    def looks(self) -> Looks:
        """What looks into stored results."""

    async def watch(self, on_preview: Callable[[JobId, Shown], None] | None) -> None:
        """Tell what nodes show while they run, from now on; None: to nobody."""

    async def run(self) -> None:
        """Run jobs until cancelled, then give the running ones back."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """All that belongs to a server.

    nodes: the definitions as they are sent. adviser: asks the packs' specs. workflows: those that are saved here.
    templates: workflows that come with packs. uploads: takes pictures. inputs: the pictures that workflows may read.
    thumbnails: small pictures. models: the model files that they may name. changes: tells who waits that the table
    changed. previews: what running nodes show. veil: keeps folders of this machine out of answers. access: who may
    ask. answered: set when the first answer is given.
    """

    settings: Settings
    table: JobTable
    definitions: Definitions
    nodes: DefinitionsDocument
    adviser: Adviser
    workflows: WorkflowStore
    templates: Templates
    uploads: Uploads
    inputs: InputPictures
    thumbnails: Thumbnails
    models: ModelFiles
    workforce: Workforce
    changes: Changes
    previews: Previews
    veil: Veil
    access: Access
    started: datetime
    answered: asyncio.Event

    def changed(self) -> None:
        """The table changed."""
        self.workforce.wake()
        self.changes.tell()
