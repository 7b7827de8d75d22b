"""Drives the editor in Debian's Chromium; a test in whose page anything is written to the console as an error fails."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from nodegraph.catalog import Catalog

from .serving import Server

SCREENSHOTS = Path(__file__).parents[2] / "output" / "screenshots"
"""Pictures of the main views, a product of the build."""

expect.set_options(timeout=20_000)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for all tests; each has a profile of its own in it."""
    found = shutil.which("chromium")
    assert found, "the browser tests need Chromium; install Debian's package chromium"
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=options)
        yield started
        started.close()


@pytest.fixture(scope="package")
def shared_server(
    tmp_path_factory: pytest.TempPathFactory, definitions_cache: Path, catalog: Catalog
) -> Iterator[Server]:
    """A server with a warm worker that tests share; see `server`."""
    started = Server(tmp_path_factory.mktemp("server"), definitions_cache / "definitions")
    yield started
    started.stop()


@pytest.fixture
def server(shared_server: Server) -> Server:
    """A server; what other tests did stays in its history. Who kills it starts it again."""
    return shared_server


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A profile without a past; its pages may read and write the clipboard."""
    made = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    made.grant_permissions(["clipboard-read", "clipboard-write"])
    made.set_default_timeout(20_000)
    yield made
    made.close()


@pytest.fixture
def allowed_errors() -> list[str]:
    """Parts of console errors that a test provokes; add to it."""
    return []


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(server: Server, context: BrowserContext, allowed_errors: list[str]) -> Iterator[OpenPage]:
    """Opens pages of the server, by default the editor; errors in their consoles fail the test at its end."""
    errors: list[str] = []

    def open_one(path: str = "/") -> Page:
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(f"{error}"))
        page.on("console", lambda message: _keep_error(message, errors))
        page.goto(server.url + path)
        return page

    yield open_one
    left = [each for each in errors if not any(part in each for part in allowed_errors)]
    assert not left, "\n".join(left)


def _keep_error(message: ConsoleMessage, errors: list[str]) -> None:
    if message.type == "error":
        errors.append(f"{message.text} ({message.location.get('url', '')})")


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """The editor."""
    return open_page()


@pytest.fixture
def screenshot() -> Callable[[Page, str], None]:
    """Keeps a picture of a page under a name."""

    def take(page: Page, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}.png")

    return take
