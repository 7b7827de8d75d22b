"""What axe-core finds on the main views, in both colours; and a graph of a thousand nodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from .editing import Editor, middle
from .serving import Server

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"


def check(page: Page, view: str) -> None:
    """Nothing serious is found on what the page shows."""
    page.evaluate(AXE.read_text("utf-8"))
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    serious = [each for each in found["violations"] if each["impact"] in ("serious", "critical")]
    assert not serious, (view, [(each["id"], [node["html"] for node in each["nodes"]]) for each in serious])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(page: Page, scheme: Literal["light", "dark"]) -> None:
    page.emulate_media(color_scheme=scheme)
    editor = Editor(page)
    expect(page.get_by_role("button", name="Text to image").first).to_be_visible()
    check(page, "welcome")
    editor.open_template("Contact sheet")
    check(page, "graph")
    editor.title("save").click()
    for panel in ("Properties", "Queue", "Problems", "Pictures", "Look"):
        button = page.get_by_role("navigation", name="right panels").get_by_role("button", name=panel)
        if button.get_attribute("aria-pressed") != "true":
            button.click()
        check(page, panel)
    for panel in ("Nodes", "Graphs of this workflow"):
        page.get_by_role("navigation", name="left panels").get_by_role("button", name=panel).click()
        check(page, panel)
    for keys, dialog in (("?", "Keys and gestures"), ("Control+k", "Commands"), ("Control+o", "Open workflow")):
        page.keyboard.press(keys)
        expect(page.get_by_role("dialog", name=dialog)).to_be_visible()
        check(page, dialog)
        page.keyboard.press("Escape")
    page.keyboard.press("Tab")


def test_a_thousand_nodes_can_be_worked_with(page: Page, server: Server) -> None:
    nodes: dict[str, Any] = {
        f"n{index}": {"type": "calculate", "inputs": {"a": {"from": f"n{index - 1}.value"} if index else 1, "b": 2}}
        for index in range(1000)
    }
    layout = {name: {"x": index % 40 * 320, "y": index // 40 * 260} for index, name in enumerate(nodes)}
    with server.client() as client:
        client.save_workflow("browser/thousand", {"format": "nodegraph/1", "nodes": nodes, "layout": {"nodes": layout}})
    page.keyboard.press("Control+o")
    page.get_by_role("button", name="browser/thousand").click()
    editor = Editor(page)
    expect(editor.nodes().first).to_be_visible()
    page.get_by_role("button", name="Arrange").focus()
    page.keyboard.press(".")
    editor.settle()
    x, y = middle(editor.node("n500"))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y + 30, steps=5)
    page.mouse.up()
    page.keyboard.press("Control+z")
    editor.settle()
    assert middle(editor.node("n500")) == pytest.approx((x, y), abs=2)
