"""The canvas by mouse and keyboard: wires, palette, selection, clipboard, groups, history."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

Point = tuple[float, float]


@pytest.fixture
def graph(page: Page) -> Page:
    """The editor with the graph of a template, all of which is seen."""
    page.get_by_role("button", name="Text to image").click()
    expect(node(page, "save")).to_be_visible()
    expect(page.get_by_role("application", name="Canvas")).to_have_attribute("aria-busy", "false")
    return page


def node(page: Page, name: str) -> Locator:
    return page.locator(f'.react-flow__node[data-id="{name}"]')


def socket(page: Page, side: str, name: str, port: str) -> Locator:
    return node(page, name).get_by_role("button", name=re.compile(f"^{side} {port}:"))


def middle(found: Locator) -> Point:
    box = found.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, start: Point, end: Point, *, drop: bool = True) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(start[0] + 4, start[1] + 4)
    page.mouse.move(*end, steps=6)
    if drop:
        page.mouse.up()


def empty_place(page: Page) -> Point:
    """A place in the lower middle of the canvas where nothing is."""
    found = page.evaluate(
        """() => {
            for (let y = innerHeight - 120; y > 100; y -= 20)
                for (let x = innerWidth * 0.6; x < innerWidth - 420; x += 20)
                    if (document.elementFromPoint(x, y)?.matches(".react-flow__pane")) return [x, y];
        }"""
    )
    assert found, "the canvas is full"
    return found[0], found[1]


def copied(page: Page) -> dict[str, Any]:
    """The whole graph as its text on the clipboard says it is."""
    page.locator(".canvas").focus()
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+c")
    found: dict[str, Any] = json.loads(page.evaluate("navigator.clipboard.readText()"))
    return found


def test_a_wrong_wire_is_refused_with_a_reason_where_it_is(graph: Page) -> None:
    drag(
        graph,
        middle(socket(graph, "output", "model", "denoiser")),
        middle(socket(graph, "input", "sample", "latent")),
        drop=False,
    )
    reason = graph.get_by_text("Denoiser does not fit latent: Denoiser is not Latent")
    expect(reason).to_be_visible()
    fitting = graph.locator(".socket[data-fits]")
    expect(fitting).to_have_count(3)
    graph.mouse.up()
    expect(reason).to_be_visible()
    assert copied(graph)["nodes"]["sample"]["inputs"]["latent"] == {"from": "empty.latent"}


def test_a_wire_dropped_on_the_canvas_asks_for_a_node_that_fits_and_is_wired_to_it(graph: Page) -> None:
    drag(graph, middle(socket(graph, "output", "sample", "latent")), empty_place(graph))
    options = graph.get_by_role("listbox", name="Nodes").get_by_role("option")
    expect(options.filter(has_text="Decode latent").first).to_be_visible()
    expect(options.filter(has_text="Load checkpoint")).to_have_count(0)
    graph.keyboard.type("decode lat")
    graph.keyboard.press("Enter")
    made = node(graph, "decode_latent")
    expect(made).to_be_visible()
    expect(graph.locator('.react-flow__edge[data-id="decode_latent.latent#0"]')).to_be_attached()
    graph.keyboard.press("Control+z")
    expect(made).to_have_count(0)


def test_an_end_of_a_wire_is_moved_to_another_node_and_let_go_on_the_canvas(graph: Page) -> None:
    wire = graph.locator('.react-flow__edge[data-id="enlarge.image#0"]')
    end = middle(socket(graph, "input", "enlarge", "image"))
    drag(graph, end, empty_place(graph))
    expect(wire).to_have_count(0)
    expect(graph.get_by_role("dialog", name="Add a node")).to_have_count(0)
    drag(graph, end, middle(node(graph, "decode").locator(".node-header")))
    expect(wire).to_be_attached()


def test_a_graph_is_wired_by_keyboard_alone(graph: Page) -> None:
    node(graph, "decode").locator(".node-header").click()
    graph.keyboard.press("Alt+ArrowLeft")
    expect(node(graph, "sample")).to_be_focused()
    graph.keyboard.press("s")
    expect(socket(graph, "input", "sample", "guider")).to_be_focused()
    for _ in range(3):
        graph.keyboard.press("ArrowDown")
    graph.keyboard.press("Delete")
    wire = graph.locator('.react-flow__edge[data-id="sample.latent#0"]')
    expect(wire).to_have_count(0)
    graph.keyboard.press("Enter")
    graph.keyboard.type("empty latent")
    graph.keyboard.press("Enter")
    expect(wire).to_be_attached()
    expect(socket(graph, "input", "sample", "latent")).to_be_focused()


def test_nodes_are_found_by_a_few_letters(graph: Page) -> None:
    graph.mouse.dblclick(*empty_place(graph))
    graph.keyboard.type("blur im")
    expect(graph.get_by_role("option", name="Blur image")).to_have_attribute("aria-selected", "true")
    expect(graph.get_by_role("complementary").filter(has_text="Blur pictures")).to_be_visible()
    graph.keyboard.press("Enter")
    expect(node(graph, "blur_image")).to_be_visible()


def test_a_copy_keeps_its_inner_wires_in_another_tab(graph: Page) -> None:
    whole = copied(graph)
    graph.get_by_role("button", name="New workflow").click()
    graph.locator(".canvas").focus()
    graph.keyboard.press("Control+v")
    expect(graph.locator(".react-flow__node")).to_have_count(11)
    expect(graph.locator(".react-flow__edge")).to_have_count(14)
    assert copied(graph)["nodes"] == whole["nodes"]


def test_everything_is_undone_and_done_again(graph: Page) -> None:
    before = copied(graph)
    graph.keyboard.press("Escape")
    title = node(graph, "save").locator(".node-header")
    x, y = middle(title)
    drag(graph, (x, y), (x, y + 150))
    graph.keyboard.press("Control+b")
    graph.keyboard.press("Alt+c")
    graph.keyboard.press("F2")
    graph.keyboard.type("The end")
    graph.keyboard.press("Enter")
    graph.keyboard.press("Control+g")
    graph.keyboard.type("Results")
    graph.keyboard.press("Enter")
    graph.mouse.move(*empty_place(graph))
    graph.keyboard.press("Shift+N")
    graph.get_by_role("textbox", name="Text of the note").fill("Look here")
    after = copied(graph)
    assert after["nodes"]["save"]["title"] == "The end"
    assert after["nodes"]["save"]["mode"] == "bypass"
    assert after["layout"]["nodes"]["save"]["collapsed"] is True
    assert [each["title"] for each in after["layout"]["groups"]] == ["Results"]
    assert [each["text"] for each in after["layout"]["notes"]] == ["Look here"]
    for _ in range(8):
        graph.keyboard.press("Control+z")
    assert copied(graph) == before
    for _ in range(8):
        graph.keyboard.press("Control+Shift+z")
    assert copied(graph) == after


def test_a_group_moves_what_is_in_it(graph: Page) -> None:
    node(graph, "save").locator(".node-header").click()
    graph.keyboard.press("Control+g")
    graph.keyboard.press("Enter")
    before = copied(graph)["layout"]["nodes"]
    graph.keyboard.press("Escape")
    x, y = middle(graph.locator(".frame-title"))
    drag(graph, (x, y), (x - 60, y + 150))
    after = copied(graph)["layout"]["nodes"]
    assert after["save"]["y"] > before["save"]["y"] + 100
    assert after["decode"] == before["decode"]


def test_a_wire_is_led_around_by_a_point(graph: Page) -> None:
    start = middle(socket(graph, "output", "decode", "image"))
    end = middle(socket(graph, "input", "enlarge", "image"))
    graph.mouse.dblclick((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    point = graph.get_by_role("button", name="Point 1 of the wire into enlarge.image")
    x, y = middle(point)
    drag(graph, (x, y), (x, y + 100))
    assert len(copied(graph)["layout"]["wires"]["enlarge.image"]) == 1
    point.focus()
    graph.keyboard.press("Delete")
    expect(point).to_have_count(0)


def test_the_menu_of_a_node_works_by_keyboard(graph: Page, screenshot: Callable[[Page, str], None]) -> None:
    node(graph, "sample").locator(".node-header").click()
    graph.keyboard.press("Shift+F10")
    menu = graph.get_by_role("menu", name="What can be done with the node")
    expect(menu.get_by_role("menuitem").first).to_be_focused()
    screenshot(graph, "canvas-menu")
    menu.get_by_role("menuitem", name="violet").press("Enter")
    expect(menu).to_have_count(0)
    assert copied(graph)["layout"]["nodes"]["sample"]["colour"] == "violet"
