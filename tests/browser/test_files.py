"""Workflows on the server, as two people who save the same one find them."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from .conftest import OpenPage
from .editing import Editor
from .serving import Server


def write_steps(page: Page, steps: str) -> None:
    Editor(page).write_number("sigmas", "steps", steps)


def opened(page: Page, name: str) -> None:
    expect(page.get_by_role("button", name="Text to image").first).to_be_visible()
    page.keyboard.press("Control+o")
    page.get_by_role("dialog").get_by_role("button", name=name).first.click()
    expect(Editor(page).node("sigmas")).to_be_visible()


def test_who_saves_second_is_asked_and_nothing_is_lost(
    page: Page, open_page: OpenPage, server: Server, allowed_errors: list[str]
) -> None:
    allowed_errors.append("409 (Conflict)")
    Editor(page).open_template("Text to image")
    page.keyboard.press("Control+s")
    page.get_by_role("dialog").get_by_label("Name").fill("browser/shared")
    page.keyboard.press("Enter")
    expect(page.get_by_role("tab", name="shared")).to_be_visible()

    other = open_page()
    opened(other, "browser/shared")
    write_steps(other, "7")
    other.keyboard.press("Control+s")
    expect(other.get_by_text("Saved “browser/shared”")).to_be_visible()

    page.bring_to_front()
    write_steps(page, "9")
    page.keyboard.press("Control+s")
    dialog = page.get_by_role("dialog", name="Saved by somebody else")
    dialog.get_by_role("button", name="Save mine as the newest version").click()
    expect(page.get_by_role("tab", name="shared")).to_have_attribute("title", "browser/shared, version 3")

    with server.client() as client:
        versions = [each.version for each in client.workflow_versions("browser/shared")]
        steps = [
            client.workflow("browser/shared", each).workflow["nodes"]["sigmas"]["inputs"]["steps"] for each in versions
        ]
    assert steps == [9, 7, 20]
