"""What the node types of the engine itself are, for people: they belong to no pack, and their inputs to a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..definition import InputDefinition
from .calls import CALL, FOR_EACH, LIMIT, REPEAT, TIMES


@dataclass(frozen=True, slots=True)
class Construct:
    """One of them. options: what a node says in a workflow file beside its inputs, by name.

    inputs, outputs: what those of a node are. own: the inputs that it has besides.
    """

    title: str
    doc: str
    options: Mapping[str, str]
    inputs: str
    outputs: str
    own: tuple[InputDefinition, ...] = ()


CATEGORY = "control"

_GRAPH = "the name of the graph in the file's graphs"
_INDEX = "the input that gets the number of the round, from 0; may be left out"

CONSTRUCTS: Mapping[str, Construct] = {
    CALL: Construct(
        title="Stand for a graph of the file",
        doc="The nodes of the graph run as if they were written in its place.",
        options={"graph": _GRAPH},
        inputs="those that the graph declares; one that is left out keeps what the graph holds",
        outputs="those of the graph",
    ),
    FOR_EACH: Construct(
        title="Run a graph of the file for every item of lists",
        doc="The lists are of one length. Rounds whose nodes wait run at once; blocked items are left out.",
        options={"graph": _GRAPH, "each": "the inputs that get lists, one item for each round", "index": _INDEX},
        inputs="those that the graph declares, lists where named in each",
        outputs="those of the graph, each a list with one item from each round",
    ),
    REPEAT: Construct(
        title="Run a graph of the file again and again",
        doc="It ends after so many rounds, or when an output is true.",
        options={
            "graph": _GRAPH,
            "carry": "names that are both inputs and outputs: what a round gives is what the next one gets",
            "collect": "the outputs that are gathered in lists, one item from each round",
            "until": "the output that ends it when it is true",
            "index": _INDEX,
        },
        inputs="those that the graph declares, and",
        outputs="those of the graph, of the last round where not collected",
        own=(TIMES, LIMIT),
    ),
}
