"""A workflow is run on its page by somebody who wants no graph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"

OpenPage = Callable[..., Page]


def test_a_picture_is_made_from_a_form(open_page: OpenPage, screenshot: Callable[[Page, str], None]) -> None:
    page = open_page("/run/text_to_image")
    expect(page.get_by_role("heading", name="Text to image")).to_be_visible()
    page.get_by_role("textbox", name="Prompt").fill("a green apple")
    steps = page.get_by_role("spinbutton", name="Steps")
    steps.click()
    page.keyboard.type("4")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+Enter")
    download = page.get_by_role("link", name="Download")
    expect(download).to_be_visible(timeout=60_000)
    screenshot(page, "run_page")

    with page.expect_download() as saved:
        download.click()
    assert Path(saved.value.path()).read_bytes().startswith(b"\x89PNG")

    page.reload()
    expect(page.get_by_role("link", name="Download")).to_be_visible()
    expect(page.get_by_role("textbox", name="Prompt")).to_have_value("a green apple")


def test_what_is_wrong_stands_at_its_field(open_page: OpenPage) -> None:
    page = open_page("/run/text_to_image")
    guidance = page.get_by_role("spinbutton", name="Guidance")
    guidance.click()
    page.keyboard.type("fox")
    expect(page.get_by_role("alert")).to_contain_text("write a number")
    expect(page.get_by_role("textbox", name="Guidance")).to_have_attribute("aria-invalid", "true")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it_on_a_small_screen(open_page: OpenPage, scheme: Any) -> None:
    page = open_page("/run/text_to_image")
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    serious = [each for each in found["violations"] if each["impact"] in ("serious", "critical")]
    assert not serious, [(each["id"], [node["html"] for node in each["nodes"]]) for each in serious]
