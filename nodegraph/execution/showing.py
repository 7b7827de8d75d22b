"""Results as JSON, for people and other programs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any


def shown(value: Any) -> Any:
    """A result as JSON: paths and plain values as they are, others by their type."""
    from ..ports.flow import Blocked

    match value:
        case Blocked(reason=reason):
            return {"blocked": reason}
        case Path():
            return str(value)
        case float() if not math.isfinite(value):
            return str(value)
        case None | bool() | int() | float() | str():
            return value
        case list() | tuple():
            return [shown(each) for each in value]
        case dict():
            return {str(name): shown(each) for name, each in value.items()}
        case _:
            return f"<{type(value).__name__}>"
