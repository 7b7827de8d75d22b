"""Looking into stored results in a worker, beside the job that it runs."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from queue import SimpleQueue

from ..errors import NodegraphError
from ..execution.run import Runner
from ..execution.store import InvalidKey
from ..pictures import Encoded, as_png, as_webp
from ..plugins import make_importable
from ..ports.looking import glimpse_of, picture_of
from .messages import Look, Looked

log = logging.getLogger(__name__)

HELD = 2
"""Results from the disk that are held for the next look."""


class Looker:
    """Answers looks one after the other, in a thread of its own.

    It reads the result store and changes nothing in it: what it fetches from the disk drives no model out of memory.
    """

    def __init__(self, runner: Runner, answer: Callable[[Looked], None]) -> None:
        self._runner, self._answer = runner, answer
        self._waiting: SimpleQueue[Look] = SimpleQueue()
        self._held: OrderedDict[str, dict[str, object]] = OrderedDict()
        threading.Thread(target=self._work, name="nodegraph-look", daemon=True).start()

    def look(self, wanted: Look) -> None:
        """Answer soon."""
        self._waiting.put(wanted)

    def _work(self) -> None:
        while True:
            wanted = self._waiting.get()
            try:
                found = self._looked(wanted)
            except Exception as error:  # code of packs may raise anything
                log.warning("a look into %s failed", wanted.key, exc_info=error)
                reason = str(error) if isinstance(error, NodegraphError) else f"{type(error).__name__}: {error}"
                found = Looked(ticket=wanted.ticket, state="failed", reason=reason[:1000])
            try:
                self._answer(found)
            except OSError:  # the supervisor is gone
                return

    def _looked(self, wanted: Look) -> Looked:
        outputs = self._outputs(wanted.key)
        if outputs is None:
            return Looked(ticket=wanted.ticket, state="gone")
        if wanted.output is None:
            glimpses = {name: glimpse_of(value) for name, value in outputs.items()}
            return Looked(ticket=wanted.ticket, glimpses=glimpses)
        picture = picture_of(outputs[wanted.output], wanted.item) if wanted.output in outputs else None
        if picture is None:
            return Looked(ticket=wanted.ticket, state="no picture")
        encoded: Encoded = as_png(picture) if wanted.size is None else as_webp(picture, wanted.size)
        return Looked(ticket=wanted.ticket, type=encoded.type, picture=encoded.content)

    def _outputs(self, key: str) -> dict[str, object] | None:
        store = self._runner.store
        if (found := store.memory.get(key)) is not None:
            return found
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        for pack in self._runner.catalog.packs.values():  # stored results are of their classes
            make_importable(pack)
        try:
            found = store.disk.get(key) if store.disk is not None else None
        except InvalidKey:
            return None
        if found is not None:
            self._held[key] = found
            while len(self._held) > HELD:
                self._held.popitem(last=False)
        return found
