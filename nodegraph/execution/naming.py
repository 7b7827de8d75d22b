"""Names of output files with values in them: `{prompt}-{seed}`."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Mapping

from pydantic import JsonValue

from ..errors import InvalidInput
from ..workflow.graph import Graph, Written, parse_link
from ..workflow.model import Workflow

LONGEST_FIELD = 60
"""Characters of a value that go into a file's name."""


def name_fields(workflow: Workflow, graph: Graph, more: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """What a file's name may mention: values of declared inputs by name, of all written inputs as `node.input`, and
    `more`.
    """
    written = {
        f"{name}.{port}": source.value
        for name, node in graph.nodes.items()
        for port, source in node.sources.items()
        if isinstance(source, Written)
    }
    declared = {}
    for name, each in workflow.inputs.items():
        place = parse_link(each.to[0])
        held = workflow.nodes[place.node].inputs.get(place.output) if place.node in workflow.nodes else None
        declared[name] = written.get(str(place), None if isinstance(held, dict) else held)
    return {**written, **declared, **more}


def fill_name(pattern: str, fields: Callable[[], Mapping[str, JsonValue]]) -> str:
    """A file's name with every `{field}` replaced by its value, made harmless and short.

    Raises InvalidInput for fields that there are not.
    """
    known = fields()

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            plain = ", ".join(each for each in known if "." not in each) or "none"
            remedy = f"did you mean {{{near[0]}}}?" if near else f"there are {plain}, and every node.input"
            raise InvalidInput("name", pattern, f"there is no field {{{name}}}", remedy)
        found = known[name]
        text = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
        return re.sub(r"[^\w .-]+", "_", text).strip(" ._")[:LONGEST_FIELD]

    return re.sub(r"\{([^{}]+)\}", value, pattern)
