"""Workflows are run from the page, which tells how far they are, also when the server or a worker is lost meanwhile."""

from __future__ import annotations

import os
import re
import signal
import uuid
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from .editing import Editor
from .serving import Server

DISCONNECTED = ["ERR_CONNECTION_REFUSED", "WebSocket connection", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET"]
"""What a browser writes into its console while the server is away."""


def open_text_to_image(page: Page) -> None:
    """The template, with a prompt and so a result that nobody asked for before."""
    page.get_by_role("main").get_by_role("button", name="Text to image").click()
    prompt = node(page, "prompt").get_by_role("textbox", name="text")
    prompt.fill(f"a fox {uuid.uuid4()}")
    expect(node(page, "sample")).to_be_visible()


def run_for_seconds(page: Page) -> None:
    """Run it with so many steps that there is time to see it work."""
    Editor(page).write_number("sigmas", "steps", "60")
    page.keyboard.press("Control+Enter")


def node(page: Page, name: str) -> Locator:
    """A node on the canvas."""
    return page.get_by_role("region", name=f"({name})")


def finished(page: Page) -> Locator:
    """The finished jobs in the queue panel."""
    return page.get_by_role("region", name="Finished").locator(".job-done")


def test_a_run_shows_progress_preview_and_picture(page: Page, screenshot: Callable[[Page, str], None]) -> None:
    open_text_to_image(page)
    run_for_seconds(page)
    expect(node(page, "sample").get_by_role("progressbar")).to_be_visible()
    expect(node(page, "sample").get_by_alt_text("Preview of sample")).to_be_visible()
    expect(page).to_have_title(re.compile(r"^\d+% · "))
    screenshot(page, "running")
    expect(node(page, "sample").get_by_text("done")).to_be_attached()
    expect(node(page, "save").get_by_role("button", name="Show the picture").locator("img")).to_be_visible()
    expect(page).not_to_have_title(re.compile("%"))
    screenshot(page, "finished")

    page.keyboard.press("Control+Enter")
    expect(node(page, "sample").get_by_text("cached")).to_be_visible()


def test_a_reload_in_the_middle_of_a_run_shows_everything_again(page: Page) -> None:
    open_text_to_image(page)
    run_for_seconds(page)
    expect(node(page, "sample").get_by_alt_text("Preview of sample")).to_be_visible()
    page.wait_for_function("() => indexedDB.databases().then((found) => found.length > 0)")
    page.reload()
    expect(node(page, "model").locator(".status-done, .status-cached")).to_be_visible()
    expect(node(page, "save").get_by_role("button", name="Show the picture")).to_be_visible()


def test_a_killed_server_comes_back_and_the_job_finishes(server: Server, page: Page, allowed_errors: list[str]) -> None:
    allowed_errors += DISCONNECTED
    open_text_to_image(page)
    run_for_seconds(page)
    expect(node(page, "sample").get_by_role("progressbar")).to_be_visible()
    server.kill()
    expect(page.get_by_text("Reconnecting…")).to_be_visible()
    server.start_again()
    expect(page.get_by_text("Reconnecting…")).to_be_hidden(timeout=40_000)
    expect(node(page, "save").get_by_role("button", name="Show the picture")).to_be_visible(timeout=60_000)


def test_a_killed_worker_is_told_and_the_job_finishes(server: Server, page: Page) -> None:
    open_text_to_image(page)
    run_for_seconds(page)
    expect(node(page, "sample").get_by_role("progressbar")).to_be_visible()
    os.kill(server.worker(), signal.SIGKILL)
    expect(page.get_by_text("worker lost, started again")).to_be_visible()
    expect(node(page, "save").get_by_role("button", name="Show the picture")).to_be_visible(timeout=60_000)


def test_the_queue_is_paused_ordered_and_the_same_in_two_pages(page: Page, open_page: Callable[..., Page]) -> None:
    open_text_to_image(page)
    page.get_by_role("button", name="Pause the queue", exact=True).first.click()
    for _ in range(2):
        node(page, "prompt").get_by_role("textbox", name="text").fill(f"a fox {uuid.uuid4()}")
        page.get_by_role("group", name="Run").get_by_role("button", name="Run", exact=True).click()
    waiting = page.get_by_role("region", name="Waiting").get_by_role("listitem")
    expect(waiting).to_have_count(2)
    other = open_page()
    expect(other.get_by_role("region", name="Waiting").get_by_role("listitem")).to_have_count(2)
    order = other.locator(".job-texts")
    last = order.nth(1).get_attribute("id")
    waiting.nth(1).hover()
    waiting.nth(1).get_by_role("button", name="Run next").click()
    expect(order.first).to_have_attribute("id", last or "")
    for _ in range(2):
        waiting.first.hover()
        count = waiting.count()
        waiting.first.get_by_role("button", name="Cancel this job").click()
        expect(waiting).to_have_count(count - 1)
    other.get_by_role("button", name="Resume the queue").first.click()
    expect(page.get_by_text("The queue is paused")).to_be_hidden()


def test_a_problem_is_shown_on_its_node_and_input_before_a_run(page: Page) -> None:
    open_text_to_image(page)
    page.get_by_role("button", name="Problems").click()
    page.get_by_role("button", name="What would a run do?").click()
    expect(page.get_by_role("region", name="Before the run").get_by_text("nodes run")).to_be_visible()
    node(page, "sigmas").get_by_text("Flow sigmas").click()
    page.keyboard.press("Delete")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Nothing was queued")).to_be_visible()
    expect(node(page, "sample").get_by_label("has problems")).to_be_visible()
    expect(node(page, "sample").get_by_role("img", name="sigmas: it needs Sigmas")).to_be_visible()
    expect(page.get_by_role("list", name="Problems").get_by_role("button")).to_have_count(1)


def test_two_pictures_are_compared_and_one_brings_its_graph_back(
    server: Server, page: Page, screenshot: Callable[[Page, str], None]
) -> None:
    open_text_to_image(page)
    for _ in range(2):
        node(page, "prompt").get_by_role("textbox", name="text").fill(f"a fox {uuid.uuid4()}")
        before = finished(page).count()
        page.keyboard.press("Control+Enter")
        expect(finished(page)).to_have_count(before + 1, timeout=60_000)
    page.get_by_role("button", name="Pictures", exact=True).click()
    page.get_by_role("list", name="Pictures").get_by_role("button").first.click()
    viewer = page.get_by_role("group", name="Picture", exact=True)
    viewer.get_by_role("button", name="Compare with another picture").click()
    expect(viewer.get_by_role("slider", name="Where the second picture begins")).to_be_visible()
    screenshot(page, "compare")
    page.keyboard.press("Escape")
    [*_, picture] = sorted((server.folder / "output").rglob("*.png"), key=lambda each: each.stat().st_mtime)
    drop(page, picture)
    expect(page.get_by_role("tab")).to_have_count(2)
    expect(node(page, "sample")).to_be_visible()


def test_results_are_looked_into(page: Page, screenshot: Callable[[Page, str], None]) -> None:
    open_text_to_image(page)
    page.keyboard.press("Control+Enter")
    expect(node(page, "save").get_by_role("button", name="Show the picture")).to_be_visible(timeout=60_000)
    node(page, "sigmas").get_by_text("Flow sigmas").click()
    page.get_by_role("button", name="Look", exact=True).click()
    look = page.get_by_role("region", name="Results of sigmas")
    expect(look.get_by_role("img")).to_be_visible()
    screenshot(page, "look")


def drop(page: Page, file: Path) -> None:
    """Drop a file of the computer on the canvas."""
    content = list(file.read_bytes())
    page.evaluate(
        """([name, bytes]) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
          const target = document.querySelector("main");
          for (const kind of ["dragover", "drop"]) {
            const at = { clientX: 500, clientY: 300, bubbles: true, cancelable: true, dataTransfer: transfer };
            target.dispatchEvent(new DragEvent(kind, at));
          }
        }""",
        [file.name, content],
    )
