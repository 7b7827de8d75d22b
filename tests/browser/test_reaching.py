"""A server that other machines reach: the token lets a browser in, and the editor works without HTTPS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from nodegraph.catalog import Catalog

from .serving import Server


@pytest.fixture(scope="module")
def reached(tmp_path_factory: pytest.TempPathFactory, definitions_cache: Path, catalog: Catalog) -> Iterator[Server]:
    """A server that listens at all addresses of this machine."""
    folder = tmp_path_factory.mktemp("reached")
    started = Server(folder, definitions_cache / "definitions", "--host", "0.0.0.0")
    yield started
    started.stop()


def token_of(server: Server) -> str:
    return (server.folder / "state" / "token").read_text().strip()


def heading(page: Page) -> None:
    expect(page.get_by_role("heading", name="What do you want to make?")).to_be_visible()


def test_the_printed_link_lets_a_browser_in(reached: Server, context: BrowserContext) -> None:
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{reached.address}/#token={token_of(reached)}")
    heading(page)
    assert not page.evaluate("isSecureContext"), "the address is one that browsers trust; the test shows nothing"
    assert page.url == f"{reached.address}/"
    assert token_of(reached) not in " ".join(asked)
    (cookie,) = context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], token_of(reached) in cookie["value"]) == (True, "Strict", False)
    page.get_by_role("button", name="Text to image").click()
    expect(page.get_by_role("tab", name="Text to image")).to_have_attribute("aria-selected", "true")
    assert errors == []


def test_without_the_link_the_page_asks_for_the_token(reached: Server, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(reached.address)
    page.get_by_label("Token").fill("not the token of this server")
    page.get_by_role("button", name="Enter").click()
    expect(page.get_by_role("alert")).to_contain_text("this is not the server's token")
    page.get_by_label("Token").fill(token_of(reached))
    page.get_by_role("button", name="Enter").click()
    heading(page)


def test_the_description_of_the_api_asks_for_it_too(reached: Server, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{reached.address}/api/docs")
    page.get_by_label("Token").fill(token_of(reached))
    page.get_by_role("button", name="Let me in").click()
    expect(page.locator("#get_system")).to_be_visible()
