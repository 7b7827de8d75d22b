"""All definitions as one document, made ready to be sent many times."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..catalog import Catalog
    from .definitions import Definitions
    from .veil import Veil

PACKING = 6
"""How hard gzip tries; more saves no bytes worth its time."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The bytes of a `DefinitionList`. code: changes with them. packed: the same by gzip."""

    code: str
    plain: bytes
    packed: bytes


class DefinitionsDocument:
    """Makes the document when it is first asked for and again when the packs have changed."""

    def __init__(self, definitions: Definitions, veil: Veil) -> None:
        self._definitions, self._veil = definitions, veil
        self._lock = threading.Lock()
        self._made: tuple[Catalog, Ready] | None = None

    def ready(self) -> Ready:
        """The document as the packs are now."""
        catalog = self._definitions.newest()
        with self._lock:
            if self._made is None or self._made[0] is not catalog:
                self._made = catalog, self._make(catalog)
            return self._made[1]

    def _make(self, catalog: Catalog) -> Ready:
        reasons: dict[str, list[str]] = {name: [] for name in catalog.packs}
        for failure in catalog.failures:
            reasons.setdefault(failure.pack, []).append(self._veil.text(failure.reason))
        nodes = [each.model_dump(mode="json") for each in catalog.values()]
        count = {name: sum(each["pack"] == name for each in nodes) for name in reasons}
        packs = [{"name": name, "nodes": count[name], "error": "\n".join(why)} for name, why in reasons.items()]
        rest = json.dumps({"definitions": nodes, "packs": packs}, ensure_ascii=False, separators=(",", ":"))
        code = hashlib.sha256(rest.encode()).hexdigest()[:32]
        plain = f'{{"code":"{code}",{rest[1:]}'.encode()
        return Ready(code, plain, gzip.compress(plain, PACKING, mtime=0))
