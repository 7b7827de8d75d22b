"""What people do on the canvas, in their words; by mouse and keyboard alone."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Locator, Page, expect


class Editor:
    """The editor in a page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def begin(self) -> None:
        """An empty canvas."""
        self.page.get_by_role("button", name="Empty canvas").click()
        expect(self.page.get_by_role("heading", name="What do you want to make?")).to_be_hidden()

    def open_template(self, title: str) -> None:
        """A workflow that comes with the nodes."""
        self.page.get_by_role("button", name=title).first.click()
        expect(self.page.get_by_role("tab", name=title)).to_have_attribute("aria-selected", "true")
        expect(self.page.locator(".react-flow__node").first).to_be_visible()
        self.settle()

    def settle(self) -> None:
        """Wait until nothing moves any more: what moves cannot be hit."""
        self.page.evaluate(
            """async () => {
                const places = () => [...document.querySelectorAll(".react-flow__viewport, .react-flow__node")]
                    .map((each) => each.style.transform).join();
                for (let still = 0, last = ""; still < 12; still = places() === last ? still + 1 : 0) {
                    last = places();
                    await new Promise(requestAnimationFrame);
                }
            }"""
        )

    def node(self, name: str) -> Locator:
        """A node by its name in the file."""
        return self.page.locator(f'section[aria-label$="({name})"]')

    def nodes(self) -> Locator:
        """All nodes."""
        return self.page.locator("section.node")

    def wires(self) -> Locator:
        """All wires."""
        return self.page.locator(".react-flow__edge")

    def socket(self, name: str, side: str, port: str) -> Locator:
        """A socket of a node."""
        return self.node(name).locator(f'.socket[aria-label^="{side} {port}:"]')

    def add(self, text: str, x: float, y: float) -> None:
        """Double-click the canvas, write, Enter."""
        before = self.nodes().count()
        pane = self.page.locator(".react-flow__pane").bounding_box()
        assert pane is not None
        self.page.mouse.dblclick(pane["x"] + x, pane["y"] + y)
        self.choose(text)
        expect(self.nodes()).to_have_count(before + 1)

    def choose(self, text: str) -> None:
        """Find a node in the palette that is open, and take the first."""
        field = self.page.get_by_role("combobox", name="Find a node")
        field.fill(text)
        expect(self.page.get_by_role("listbox", name="Nodes").get_by_role("option").first).to_be_visible()
        field.press("Enter")
        expect(field).to_be_hidden()

    def arrange(self) -> None:
        """Lay everything out and show it."""
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("Shift+L")
        self.settle()
        self.page.keyboard.press(".")
        self.settle()

    def pull(self, name: str, port: str) -> tuple[float, float]:
        """Take hold of an output; gives where the mouse is."""
        x, y = middle(self.socket(name, "output", port))
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + 12, y + 4, steps=3)
        return x, y

    def connect(self, name: str, port: str, other: str, other_port: str) -> None:
        """Draw a wire with the mouse."""
        self.pull(name, port)
        self.page.mouse.move(*middle(self.socket(other, "input", other_port)), steps=5)
        self.page.mouse.up()

    def write_number(self, name: str, port: str, text: str) -> None:
        """Write into a number of a node."""
        field = self.node(name).get_by_role("spinbutton", name=port)
        field.click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")

    def title(self, name: str) -> Locator:
        """Where a node is taken hold of."""
        return self.node(name).locator("header").first

    def document(self) -> dict[str, Any]:
        """The workflow as copying everything gives it."""
        self.title_of_canvas().focus()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.press("Control+c")
        found = json.loads(self.page.evaluate("navigator.clipboard.readText()"))
        assert isinstance(found, dict)
        return found

    def title_of_canvas(self) -> Locator:
        """The canvas, as what keys go to."""
        return self.page.locator(".react-flow__pane")


def middle(place: Locator) -> tuple[float, float]:
    """The middle of an element on the page."""
    expect(place).to_be_visible()
    box = place.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
