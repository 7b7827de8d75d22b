"""Under which names workflows may be saved: such as are files' names on every system."""

from __future__ import annotations

import re

from ..errors import shorten
from .defects import BadWorkflowName

MOST_CHARACTERS = 200
MOST_BYTES = 200
"""Of each part of a name; a file's name has room for more."""
DEEPEST = 8
FORBIDDEN = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"\\|?*\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]')
"""What some system does not allow in a file's name, and what makes a name look like another one."""
DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
"""Names that Windows keeps for itself."""


def check_name(name: str) -> str:
    """The name itself, which may have folders, divided by "/". Raises BadWorkflowName saying what is wrong with it."""
    reason = _defect(name)
    if reason:
        raise BadWorkflowName(f"a workflow cannot have the name {shorten(name)}: {reason}")
    return name


def _defect(name: str) -> str:
    if not name:
        return "it is empty"
    if len(name) > MOST_CHARACTERS:
        return f"it has {len(name)} characters; at most {MOST_CHARACTERS} will do"
    parts = name.split("/")
    if len(parts) > DEEPEST:
        return f"it lies {len(parts) - 1} folders deep; at most {DEEPEST - 1} will do"
    return next(filter(None, map(_part_defect, parts)), "")


def _part_defect(part: str) -> str:
    if not part:
        return "there is nothing before, after or between its slashes"
    if part.startswith("."):
        return f"{part!r} begins with a dot"
    if part != part.strip() or part.endswith("."):
        return f"{part!r} begins or ends with a space or ends with a dot"
    if (found := FORBIDDEN.search(part)) is not None:
        return f"it holds the character {found[0]!r}"
    try:
        size = len(part.encode())
    except UnicodeEncodeError:
        return "it holds half a character"
    if size > MOST_BYTES:
        return f"{shorten(part)} takes {size} bytes; at most {MOST_BYTES} will do"
    if part.lower().endswith(".json"):
        return "leave out .json"
    if DEVICES.fullmatch(part):
        return f"Windows keeps {part!r} for itself"
    return ""
