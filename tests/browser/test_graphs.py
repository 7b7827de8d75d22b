"""Graphs, loops and branches with mouse and keyboard."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

LAYOUT = {
    "words": (0, 0),
    "loop": (340, 0),
    "joined": (1500, 0),
    "big": (0, 640),
    "less": (0, 860),
    "choice": (400, 700),
}

WORKFLOW: dict[str, Any] = {
    "format": "nodegraph/1",
    "title": "Loops",
    "nodes": {
        "words": {"type": "lines", "inputs": {"text": "apple\npear"}},
        "loop": {
            "type": "for_each",
            "graph": "colours",
            "each": ["word"],
            "inputs": {"word": {"from": "words.result"}},
        },
        "joined": {"type": "join_texts", "inputs": {"texts": {"from": "loop.text"}}},
        "big": {"type": "calculate", "inputs": {"a": 5, "b": 1}},
        "less": {"type": "calculate", "inputs": {"a": 5, "b": 1, "how": "-"}},
        "choice": {
            "type": "switch",
            "inputs": {"condition": True, "on_true": {"from": "big.value"}, "on_false": {"from": "less.value"}},
        },
    },
    "outputs": {"joined": {"from": "joined.text"}},
    "graphs": {
        "colours": {
            "nodes": {
                "word": {"type": "value", "inputs": {"value": "thing"}},
                "text": {"type": "join_texts", "inputs": {"texts": ["red", {"from": "word.result"}], "separator": " "}},
            },
            "inputs": {"word": {"to": ["word.value"]}},
            "outputs": {"text": {"from": "text.text"}},
            "layout": {"nodes": {"word": {"x": 0, "y": 0}, "text": {"x": 340, "y": 60}}},
        }
    },
    "layout": {"nodes": {name: {"x": x, "y": y} for name, (x, y) in LAYOUT.items()}, "open": ["loop"]},
}


@pytest.fixture
def graphs(page: Page, tmp_path: Path) -> Page:
    """The editor with a workflow that has a loop, drawn open, and a choice."""
    file = tmp_path / "loops.json"
    file.write_text(json.dumps(WORKFLOW), "utf-8")
    expect(page.get_by_role("heading", name="What do you want to make?")).to_be_visible()
    page.keyboard.press("Control+o")
    page.locator("dialog input[type=file]").set_input_files(file)
    expect(node(page, "loop/word")).to_be_visible()
    page.keyboard.press(".")
    page.wait_for_function("() => !document.querySelector('.node-unknown')")
    return page


def node(page: Page, name: str) -> Locator:
    return page.locator(f'.react-flow__node[data-id="{name}"]')


def drag(page: Page, name: str, x: float, y: float) -> None:
    """Drag a node by its title to a point of the page."""
    box = node(page, name).locator(".node-header").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(x, y, steps=8)
    page.mouse.up()


def middle(page: Page, name: str, across: float = 0.5, down: float = 0.5) -> tuple[float, float]:
    box = node(page, name).bounding_box()
    assert box is not None
    return box["x"] + box["width"] * across, box["y"] + box["height"] * down


def test_a_loop_is_a_region_that_nodes_are_dragged_into_and_out_of(
    graphs: Page, screenshot: Callable[[Page, str], None]
) -> None:
    expect(node(graphs, "loop").get_by_role("button", name="for each item of word")).to_be_visible()
    screenshot(graphs, "loop-and-branches")
    drag(graphs, "joined", *middle(graphs, "loop", 0.55, 0.85))
    expect(node(graphs, "loop/joined")).to_be_visible()
    expect(node(graphs, "joined")).to_have_count(0)
    graphs.keyboard.press("Control+z")
    expect(node(graphs, "joined")).to_be_visible()
    drag(graphs, "loop/text", *middle(graphs, "choice", 1.4, 0.5))
    expect(node(graphs, "text")).to_be_visible()
    expect(node(graphs, "loop/text")).to_have_count(0)


def test_a_graph_is_made_entered_left_and_unpacked_with_keys(graphs: Page) -> None:
    node(graphs, "big").locator(".node-header").click()
    node(graphs, "less").locator(".node-header").click(modifiers=["Shift"])
    graphs.keyboard.press("Control+Shift+G")
    expect(node(graphs, "part")).to_be_visible()
    graphs.keyboard.press("Control+ArrowDown")
    expect(graphs.get_by_role("navigation", name="Graphs entered")).to_contain_text("part")
    expect(graphs.get_by_role("region", name="Outputs")).to_contain_text("add")
    expect(node(graphs, "less")).to_be_visible()
    graphs.keyboard.press("Control+ArrowUp")
    expect(node(graphs, "part")).to_be_visible()
    graphs.keyboard.press("Control+Shift+U")
    expect(node(graphs, "big")).to_be_visible()
    expect(node(graphs, "part")).to_have_count(0)


def test_branches_say_when_they_are_computed(graphs: Page) -> None:
    expect(graphs.get_by_text("only when condition is true")).to_be_visible()
    node(graphs, "choice").locator(".node-header").click()
    graphs.keyboard.press("Delete")
    expect(graphs.get_by_text("only when condition is true")).to_have_count(0)
