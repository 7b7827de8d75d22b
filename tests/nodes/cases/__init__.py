"""What the nodes are called with when they are compared with their specs: one module for each room.

A module holds `ACCEPTED` and `REFUSED`: pairs of a node's name and a function from the test's `Values` to its inputs.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from importlib import import_module
from typing import Any

Case = tuple[str, Callable[[Any], dict[str, Any]]]


def cases(kind: str) -> list[Case]:
    """All `ACCEPTED` or all `REFUSED`, room by room."""
    modules = [import_module(f"{__name__}.{each.name}") for each in pkgutil.iter_modules(__path__)]
    return [case for module in modules for case in getattr(module, kind, [])]
