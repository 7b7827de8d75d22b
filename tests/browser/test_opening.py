"""The page as somebody finds it who opens it for the first time."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect


def test_a_new_user_is_asked_what_to_make(page: Page, screenshot: Callable[[Page, str], None]) -> None:
    expect(page.get_by_role("heading", name="What do you want to make?")).to_be_visible()
    expect(page.get_by_role("button", name="Text to image")).to_be_visible()
    screenshot(page, "welcome")


def test_a_template_opens_as_a_graph(page: Page) -> None:
    page.get_by_role("button", name="Text to image").click()
    expect(page.get_by_role("tab", name="Text to image")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("region", name="(sample)")).to_be_visible()


def test_every_command_with_keys_is_listed(page: Page) -> None:
    expect(page.get_by_role("button", name="Text to image").first).to_be_visible()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys and gestures")
    expect(dialog.get_by_text("Undo")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
