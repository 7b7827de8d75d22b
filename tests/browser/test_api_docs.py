"""The page that describes the API."""

from __future__ import annotations

from playwright.sync_api import expect

from .conftest import OpenPage


def test_operations_are_listed_and_can_be_tried(open_page: OpenPage) -> None:
    page = open_page("/api/docs")
    page.locator("#get_system summary").click()
    page.locator("#get_system").get_by_role("button", name="Ask").click()
    expect(page.locator("#get_system pre")).to_contain_text('"name": "nodegraph"')
    expect(page.get_by_role("navigation", name="Resources").get_by_role("link", name="jobs")).to_be_visible()


def test_names_of_schemas_lead_to_them(open_page: OpenPage) -> None:
    page = open_page("/api/docs")
    page.locator("#list_jobs summary").click()
    page.locator("#list_jobs").get_by_role("link", name="JobPage").click()
    expect(page.locator("#schema-JobPage code", has_text="jobs")).to_be_visible()


def test_what_is_looked_for_is_left(open_page: OpenPage) -> None:
    page = open_page("/api/docs")
    page.get_by_label("Find").fill("prune history")
    expect(page.locator("#operations details:visible")).to_have_count(1)
