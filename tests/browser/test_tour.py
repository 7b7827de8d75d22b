"""The tour of docs/tour.md, step by step; its pictures are made here, see `make tour-pictures`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from .conftest import OpenPage
from .editing import Editor, middle
from .serving import Server

SEEN = Callable[[Page, str], None]
"""Keeps a picture of a page."""


@pytest.fixture
def server(tmp_path: Path, definitions_cache: Path) -> Iterator[Server]:
    """A server nobody else uses, so that its history shows the tour alone."""
    started = Server(tmp_path / "server", definitions_cache / "definitions")
    yield started
    started.stop()


@pytest.fixture
def tour(context: BrowserContext, open_page: OpenPage) -> Page:
    """A page as large as the tour's pictures."""
    page = open_page()
    page.set_viewport_size({"width": 1280, "height": 800})
    return page


def panel(page: Page, name: str) -> None:
    """Open a panel on the right."""
    page.get_by_role("navigation", name="right panels").get_by_role("button", name=name, exact=True).click()


def test_the_tour(tour: Page, server: Server, open_page: OpenPage, screenshot: SEEN) -> None:
    editor = Editor(tour)
    expect(tour.get_by_role("button", name="Text to image").locator("img")).to_be_visible()
    tour.wait_for_load_state("networkidle")
    screenshot(tour, "tour-welcome")

    editor.open_template("Text to image")
    editor.node("prompt").get_by_role("textbox").fill("a cat face")
    tour.keyboard.press("Control+Enter")
    tour.wait_for_function("() => document.querySelector('img[alt=\"Preview of sample\"]')")  # looks at every frame
    screenshot(tour, "tour-running")
    expect(editor.node("save").get_by_role("button", name="Show the picture").locator("img")).to_be_visible()
    screenshot(tour, "tour-finished")

    editor.node("sample").get_by_role("button", name="seed: Fixed").click()
    tour.get_by_role("radio", name="Random").click()
    tour.keyboard.press("Escape")
    tour.get_by_role("spinbutton", name="Number of runs").fill("5")
    tour.keyboard.press("Control+Enter")
    panel(tour, "Pictures")
    pictures = tour.get_by_role("list", name="Pictures").get_by_role("button").filter(has=tour.locator("img"))
    expect(pictures).to_have_count(6, timeout=60_000)
    screenshot(tour, "tour-pictures")
    pictures.first.click()
    viewer = tour.get_by_role("group", name="Picture", exact=True)
    viewer.get_by_role("button", name="Compare with another picture").click()
    expect(viewer.get_by_role("slider", name="Where the second picture begins")).to_be_visible()
    screenshot(tour, "tour-compare")
    tour.keyboard.press("Escape")

    editor.title("sigmas").click()
    panel(tour, "Look")
    expect(tour.get_by_role("region", name="Results of sigmas").get_by_role("img")).to_be_visible()
    screenshot(tour, "tour-look")

    editor.pull("decode", "image")
    tour.mouse.move(700, 640, steps=4)
    tour.mouse.up()
    tour.get_by_role("combobox", name="Find a node").fill("blur")
    expect(tour.get_by_role("listbox", name="Nodes").get_by_role("option").first).to_be_visible()
    screenshot(tour, "tour-palette")
    tour.keyboard.press("Enter")
    expect(editor.node("blur_image")).to_be_visible()

    tour.keyboard.press("Control+s")
    tour.get_by_role("dialog").get_by_label("Name").fill("faces")
    tour.get_by_role("button", name="Save", exact=True).click()
    expect(tour.get_by_role("tab", name="faces")).to_be_visible()

    form = open_page("/run/faces")
    form.set_viewport_size({"width": 1000, "height": 700})
    form.get_by_role("button", name="Run", exact=True).click()
    expect(form.locator(".run-pictures img").first).to_be_visible(timeout=60_000)
    screenshot(form, "tour-form")
    form.close()

    tour.get_by_role("button", name="New workflow").click()
    editor.open_template("Contact sheet")
    region = editor.node("each")
    region.get_by_role("button", name="Open in place").click()
    panel(tour, "Look")  # closes it
    tour.mouse.move(*middle(tour.locator('.react-flow__node[data-id="each"]')))
    tour.mouse.wheel(0, -180)
    editor.settle()
    screenshot(tour, "tour-loop")


def test_the_tour_in_the_dark(tour: Page, screenshot: SEEN) -> None:
    tour.emulate_media(color_scheme="dark")
    editor = Editor(tour)
    editor.open_template("Image to image")
    tour.keyboard.press("Control+Enter")
    expect(editor.node("save").get_by_role("button", name="Show the picture").locator("img")).to_be_visible(
        timeout=60_000
    )
    tour.keyboard.press(".")
    editor.settle()
    screenshot(tour, "tour-dark")


def test_what_the_tour_says_of_files_holds(tour: Page, server: Server) -> None:
    editor = Editor(tour)
    editor.open_template("Text to image")
    with tour.expect_download() as download:
        tour.keyboard.press("Control+e")
    document = json.loads(Path(download.value.path()).read_text("utf-8"))
    assert document["format"] == "nodegraph/1"
    assert set(document["nodes"]) >= {"model", "prompt", "sample", "save"}
