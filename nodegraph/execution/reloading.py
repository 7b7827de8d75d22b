"""Fresh code in a running process: which modules of node packs changed, and letting go of them and of what they made.

A module is dropped when its static import closure changed, over the borders of packs; every other one stays, and with
it its classes, so that resident results made of those can still be used. The engine and libraries are never dropped.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.util
import sys
from collections.abc import Collection, Iterable, Mapping
from itertools import accumulate
from pathlib import Path
from types import FunctionType, ModuleType

from ..fingerprint import PackSources
from ..plugins import Pack

_ATOMS = (str, bytes, int, float, complex, type(None), ModuleType)


def forget_compiled(before: Mapping[str, str], packs: Iterable[Pack]) -> None:
    """Delete the compiled files of modules whose source is not that of `before`, a digest by name.

    Python takes a compiled file for current when size and second of the source are the same, whatever stands in it.
    """
    for each in _sources(packs):
        with contextlib.suppress(OSError, NotImplementedError):
            changed = [name for name, digest in each.digests().items() if before.get(name) != digest]
            for name in changed:
                Path(importlib.util.cache_from_source(str(each.files[name]))).unlink(missing_ok=True)


def drop_changed(before: Mapping[str, str], now: Mapping[str, str], packs: Iterable[Pack]) -> frozenset[str]:
    """Forget the imported modules whose code, or that of anything they import, is not what it was.

    The next import runs their files anew. before, now: a digest of each module's source. packs: all there are now.
    Gives the names of the modules that had been imported.
    """
    changed = {name for name in before.keys() | now.keys() if before.get(name) != now.get(name)}
    stale = _with_importers(changed, packs) if changed else changed
    importlib.invalidate_caches()
    return frozenset(name for name in stale if sys.modules.pop(name, None) is not None)


def holds_code_of(value: object, modules: Collection[str]) -> bool:
    """Whether anything reachable from a value is of a class, or is a function, of these modules."""
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, _ATOMS) or id(item) in seen:
            continue
        seen.add(id(item))
        kind = item if isinstance(item, type | FunctionType) else type(item)
        if getattr(kind, "__module__", "") in modules:
            return True
        if isinstance(item, FunctionType):
            waiting += [item.__closure__, item.__defaults__, item.__kwdefaults__]
        elif not isinstance(item, type):
            waiting += gc.get_referents(item)
    return False


def _sources(packs: Iterable[Pack]) -> list[PackSources]:
    return [PackSources(pack.package, pack.folder) for pack in packs]


def _with_importers(changed: Iterable[str], packs: Iterable[Pack]) -> set[str]:
    importers: dict[str, set[str]] = {}
    for each in _sources(packs):
        for name in each.files:
            for imported in _executed(each, name):
                importers.setdefault(imported, set()).add(name)
    found: set[str] = set()
    waiting = list(changed)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += importers.get(name, ())
    return found


def _executed(sources: PackSources, module: str) -> frozenset[str]:
    """What importing a module executes at its first step: the modules it imports, and the packages around those."""
    try:
        imported = sources.imports(module)
    except (OSError, SyntaxError, ValueError):  # half-written: nothing can import it, and it has changed anyway
        imported = frozenset()
    around = [parent for name in (*imported, module) for parent in accumulate(name.split(".")[:-1], "{}.{}".format)]
    return imported.union(around)
