"""How soon the editor can be used, how large it is, and what a frame costs, beside a stock React Flow page.

Both run in one Chromium, one after the other, with as many nodes at the same places: a chain of `calculate` nodes with
their widgets in the editor, React Flow's own nodes on the stock page. Panning and dragging are mouse moves, one for
each frame; what they cost is the browser's own account of script, style and layout (CDP `Performance.getMetrics`)
divided by the moves; frames in which nothing moved do not count. `near` shows some of the nodes at their full size,
`all` the whole graph.

Lines print the figure, the stated limit or the stock page's figure, and their ratio. Needs `make web` and Debian's
chromium.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import gzip
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

ROOT = Path(__file__).parent.parent
EDITOR = ROOT / "nodegraph" / "server" / "editor"
INTERACTIVE_SECONDS = 1.5
BUNDLE_KILOBYTES = 500.0
FRAME_MILLISECONDS = 8.0
COLUMNS, DX, DY = 40, 320, 260
METRICS = ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration")
MOVES = 90


@dataclass(frozen=True)
class Cost:
    """Milliseconds a frame of script, style and layout while something moves."""

    pan: float
    drag: float


def chain(count: int) -> dict[str, Any]:
    """A workflow of so many nodes in a grid, each wired to the next."""
    nodes: dict[str, Any] = {}
    layout: dict[str, Any] = {}
    for index in range(count):
        before = {"from": f"n{index - 1}.value"} if index else 1
        nodes[f"n{index}"] = {"type": "calculate", "version": "1", "inputs": {"a": before, "b": 2}}
        layout[f"n{index}"] = {"x": index % COLUMNS * DX, "y": index // COLUMNS * DY}
    return {"format": "nodegraph/1", "title": f"{count} nodes", "nodes": nodes, "layout": {"nodes": layout}}


@contextlib.contextmanager
def editor_server(folder: Path) -> Iterator[str]:
    """The URL of a server with workflows of 100 and 1,000 nodes."""
    workflows = folder / "workflows"
    workflows.mkdir()
    for count in (100, 1000):
        (workflows / f"chain{count}.json").write_text(json.dumps(chain(count)))
    environment = {**os.environ, "NODEGRAPH_STATE": str(folder / "state"), "NODEGRAPH_WORKFLOWS": str(workflows)}
    command = [sys.executable, "-m", "nodegraph", "serve", "--json", "--port", "0", "--output", str(folder / "output")]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@contextlib.contextmanager
def stock_server(folder: Path) -> Iterator[str]:
    """The URL of the stock page, built by the editor's own tools."""
    source = ROOT / "web" / "stock-for-benchmark"  # inside, so that it finds the editor's packages
    shutil.copytree(Path(__file__).parent / "stock_editor", source)
    try:
        built = folder / "stock"
        vite = ROOT / "web" / "node_modules" / ".bin" / "vite"
        options = ["--outDir", str(built), "--emptyOutDir", "--logLevel", "error"]
        subprocess.run([str(vite), "build", str(source), "--configLoader", "runner", *options], cwd=source, check=True)
    finally:
        shutil.rmtree(source)
    handler = functools.partial(Quiet, directory=str(built))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def seconds_to_interactive(browser: Browser, url: str) -> float:
    """From the request of the page until its first button takes a click; the best of three fresh profiles."""
    found = []
    for _ in range(3):
        page = browser.new_page()
        page.goto(url, wait_until="commit")
        page.get_by_role("button", name="Empty canvas").click()
        page.locator(".react-flow__pane").wait_for()
        found.append(float(page.evaluate("performance.now()")) / 1000)
        page.close()
    return min(found)


def bundle_kilobytes(url: str, browser: Browser) -> float:
    """What the page and all that it loads to begin with has, gzipped."""
    page = browser.new_page()
    loaded: list[str] = []
    page.on("response", lambda response: loaded.append(response.url))
    page.goto(url)
    page.get_by_role("button", name="Empty canvas").wait_for()
    page.close()
    files = [
        EDITOR / "index.html",
        *(EDITOR / "assets" / each.rpartition("/")[2] for each in loaded if "/assets/" in each),
    ]
    return sum(len(gzip.compress(each.read_bytes())) for each in set(files)) / 1000


def frame_costs(page: Page, session: CDPSession) -> Cost:
    """What panning the canvas and dragging a node cost."""
    pane = page.locator(".react-flow__pane").bounding_box()
    assert pane is not None
    empty = page.evaluate(
        """({x, y, width, height}) => {
            for (let top = y + 60; top < y + height - 60; top += 7)
                for (let left = x + 60; left < x + width - 260; left += 7)
                    if (document.elementFromPoint(left, top)?.matches(".react-flow__pane")) return [left, top];
        }""",
        pane,
    )
    node = page.evaluate(
        """({x, y, width, height}) => {
            for (const each of document.querySelectorAll(".react-flow__node")) {
                const box = each.getBoundingClientRect();
                const left = box.x + box.width / 3, top = box.y + Math.min(10, box.height / 2);
                if (left > x + 80 && top > y + 80 && left < x + width - 280 && top < y + height - 120
                    && each.contains(document.elementFromPoint(left, top))) return [left, top];
            }
        }""",
        pane,
    )
    assert empty and node, "nothing to move is in sight"
    return Cost(pan=moving(page, session, empty), drag=moving(page, session, node))


def moving(page: Page, session: CDPSession, start: tuple[float, float]) -> float:
    """Milliseconds of script, style and layout for each frame while the mouse drags from a place."""
    x, y = start
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 4, y + 4)
    before = metrics(session)
    for index in range(MOVES):
        page.mouse.move(x + 4 + (index % 30) * 2, y + 4 + (index % 15) * 2)
        page.evaluate("() => new Promise(requestAnimationFrame)")
    after = metrics(session)
    page.mouse.up()
    return (after - before) * 1000 / MOVES


def metrics(session: CDPSession) -> float:
    """Seconds of script, style and layout since the page began."""
    found = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    return float(sum(found[name] for name in METRICS))


@contextlib.contextmanager
def opened(browser: Browser, url: str) -> Iterator[tuple[Page, CDPSession]]:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    page.goto(url)
    yield page, session
    page.close()


def editor_costs(browser: Browser, url: str, count: int) -> dict[str, Cost]:
    with opened(browser, url) as (page, session):
        page.get_by_role("button", name="Open a saved workflow").click()
        page.get_by_role("button", name=f"{count} nodes", exact=False).filter(
            has_text=f"chain{count}{count} nodes"
        ).click()
        page.locator(".react-flow__node").first.wait_for()
        return at_both_zooms(page, session)


def stock_costs(browser: Browser, url: str, count: int) -> dict[str, Cost]:
    with opened(browser, f"{url}/?nodes={count}&columns={COLUMNS}&dx={DX}&dy={DY}") as (page, session):
        page.locator(".react-flow__node").first.wait_for()
        return at_both_zooms(page, session)


def at_both_zooms(page: Page, session: CDPSession) -> dict[str, Cost]:
    page.wait_for_timeout(1500)
    found = {"all": frame_costs(page, session)}
    nodes = page.locator(".react-flow__node")
    box = nodes.nth(nodes.count() // 2).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    while zoom(page) < 0.7:
        page.mouse.wheel(0, -300)
        page.wait_for_timeout(60)
    page.wait_for_timeout(800)
    return {"near": frame_costs(page, session), **found}


def zoom(page: Page) -> float:
    return float(
        page.evaluate("new DOMMatrix(getComputedStyle(document.querySelector('.react-flow__viewport')).transform).a")
    )


def report(name: str, value: float, limit: float, unit: str, against: str = "limit") -> None:
    print(f"{name:44} {value:8.2f} {unit:3} {against} {limit:8.2f}  ratio {value / limit:5.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs="+", choices=(100, 1000), default=[100, 1000])
    counts = parser.parse_args().counts
    chromium = shutil.which("chromium")
    assert chromium, "Debian's package chromium is needed"
    arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with (
        tempfile.TemporaryDirectory() as name,
        editor_server(Path(name)) as url,
        stock_server(Path(name)) as stock,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        report("interactive", seconds_to_interactive(browser, url), INTERACTIVE_SECONDS, "s")
        report("bundle, gzipped", bundle_kilobytes(url, browser), BUNDLE_KILOBYTES, "kB")
        for count in counts:
            ours, theirs = editor_costs(browser, url, count), stock_costs(browser, stock, count)
            for where in ours:
                for what in ("pan", "drag"):
                    label = f"{what}, {count} nodes, {where}"
                    value, other = getattr(ours[where], what), getattr(theirs[where], what)
                    report(f"{label}, a frame", value, FRAME_MILLISECONDS, "ms")
                    report(f"{label}, beside the stock page", value, other, "ms", "stock")
        browser.close()


if __name__ == "__main__":
    main()
