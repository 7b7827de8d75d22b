"""Random valid workflows of toy nodes, for property tests."""

from __future__ import annotations

import keyword
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from nodegraph import Workflow

from .flows import link

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
floats = st.floats(-1000, 1000)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,6}", fullmatch=True) | st.sampled_from(
    [*keyword.kwlist, "g", "Workflow"]
)
boxes = st.builds(
    lambda width, label: {"value": {"width": width, "label": label}}, st.integers(min_value=1), texts
)  # fmt: skip

Inputs = dict[str, Any]
Pool = dict[str, list[str]]
"""Outputs that may be wired, by what they give."""


def numbers(pool: Pool) -> st.SearchStrategy[Any]:
    return st.sampled_from(pool["Number"]).map(link)


def written_or_wired(written: st.SearchStrategy[Any], sources: list[str]) -> st.SearchStrategy[Any]:
    return written | st.sampled_from(sources).map(link) if sources else written


def some(inputs: dict[str, st.SearchStrategy[Any]], optional: dict[str, st.SearchStrategy[Any]]) -> Any:
    return st.fixed_dictionaries(inputs, optional=optional)


NODES: dict[str, tuple[Callable[[Pool], Any], dict[str, str]]] = {
    "number": (lambda pool: some({}, {"value": floats}), {"number": "Number"}),
    "small_number": (lambda pool: some({"value": st.integers(0, 9)}, {}), {"small_number": "Number"}),
    "add": (lambda pool: some({"a": numbers(pool), "b": numbers(pool)}, {}), {"number": "Number"}),
    "total": (lambda pool: some({"numbers": st.lists(numbers(pool), max_size=3)}, {}), {"number": "Number"}),
    "split": (lambda pool: some({"number": numbers(pool)}, {}), {"whole": "int", "rest": "float"}),
    "scaled": (
        lambda pool: some(
            {"value": written_or_wired(floats, pool["float"])},
            {
                "times": written_or_wired(st.integers(), pool["int"]),
                "mode": st.sampled_from(["plain", "negated"]),
            },
        ),
        {"value": "float"},
    ),
    "join": (
        lambda pool: some(
            {"texts": st.lists(written_or_wired(texts, pool["str"]), max_size=3)},
            {"separator": texts, "last": st.none() | texts},
        ),
        {"text": "str"},
    ),
    "area": (lambda pool: some({"box": boxes}, {"scale": st.integers() | floats}), {"area": "float"}),
    "first": (lambda pool: some({"items": st.lists(numbers(pool), min_size=1, max_size=3)}, {}), {"result": "Number"}),
}
"""Of each node type: its inputs where certain outputs are there, and what it gives."""


@st.composite
def workflows(draw: st.DrawFn) -> Workflow:
    """A valid workflow of up to nine nodes, with titles, layout, declared inputs and outputs."""
    pool: Pool = {"Number": ["start.number"], "int": [], "float": [], "str": []}
    nodes: dict[str, Any] = {"start": {"type": "number"}}
    free: list[str] = ["start.value"]
    for name in draw(st.lists(names.filter(lambda name: name != "start"), unique=True, max_size=8)):
        kind = draw(st.sampled_from(sorted(NODES)))
        inputs, outputs = NODES[kind]
        given = draw(inputs(pool))
        nodes[name] = {"type": kind, "inputs": given, "title": draw(texts)}
        free += [f"{name}.{port}" for port, value in given.items() if "from" not in str(value)]
        for output, gives in outputs.items():
            pool[gives].append(f"{name}.{output}")
    everything = [place for places in pool.values() for place in places]
    declared = st.builds(
        lambda to, title, help_text: {"to": to, "title": title, "help": help_text},
        st.lists(st.sampled_from(free), min_size=1, max_size=2),
        texts,
        texts,
    )
    shown = st.builds(lambda source, title: {"from": source, "title": title}, st.sampled_from(everything), texts)
    return Workflow.from_document(
        {
            "format": "nodegraph/1",
            "title": draw(texts),
            "description": draw(texts),
            "nodes": nodes,
            "inputs": draw(st.dictionaries(texts, declared, max_size=2)),
            "outputs": draw(st.dictionaries(texts, shown, max_size=2)),
            "layout": draw(st.dictionaries(texts, json_values, max_size=2)),
        }
    )
