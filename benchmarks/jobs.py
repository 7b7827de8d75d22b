"""What it costs to run a workflow as a job: overhead against in-process execution, with a warm worker.

`python benchmarks/jobs.py`: each graph runs here in one process and, by turns, as a job of a server of its own: from
the request until the event "done" has come back. Prints medians, their difference, and its ratio to the limit of 20 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp

sys.path.insert(0, str(Path(__file__).parent.parent))
os.environ.setdefault("GOMP_SPINCOUNT", "2000")  # as the command line does, before torch is there

from nodegraph import Workflow
from nodegraph.execution.run import Runner
from nodegraph.settings import Settings
from tests.chaos.server import ROGUES, Server
from tests.chaos.work import FLOW, fast

LIMIT = 0.020


def picture(number: int) -> dict[str, Any]:
    """A picture of the bundled model in four steps, another one for each number."""
    return {"workflow": json.loads(FLOW.read_text()), "inputs": {"prompt": "a cat", "steps": 4, "seed": number}}


def chain(number: int) -> dict[str, Any]:
    """Two hundred nodes one after the other, none of them cached."""
    nodes: dict[str, Any] = {"n000": {"type": "rogue.good", "inputs": {"number": number}}}
    for index in range(1, 200):
        previous = {"from": f"n{index - 1:03d}.value"}
        nodes[f"n{index:03d}"] = {"type": "rogue.add_all", "inputs": {"numbers": [previous, previous]}}
    return {"workflow": {"format": "nodegraph/1", "nodes": nodes, "outputs": {"out": {"from": "n199.value"}}}}


class Session:
    """A client of a server: sends a job and hears when it is done."""

    def __init__(self, http: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse, url: str) -> None:
        self._http, self._socket, self._url = http, socket, url

    async def run(self, request: dict[str, Any]) -> float:
        """Seconds from the request to its end."""
        started = time.perf_counter()
        async with self._http.post(f"{self._url}/api/v1/jobs", json=request) as answer:
            job = (await answer.json())["id"]
        while True:
            event = json.loads((await self._socket.receive()).data)
            if event.get("job") == job and event["kind"] in ("done", "failed"):
                assert event["kind"] == "done", event
                return time.perf_counter() - started


async def compare(kinds: dict[str, Callable[[int], dict[str, Any]]], count: int, folder: Path) -> None:
    """Run everything and print it."""
    server = Server(folder / "server", chaos=None, settings={"device": "cpu"})
    while server.ensure():
        pass
    url = json.loads((folder / "server" / "state" / "server.json").read_text())["url"]
    here = folder / "here"
    settings = Settings(
        cache=here / "cache", state=here / "state", output=here / "output", input=here / "input", plugins=[ROGUES],
        device="cpu",
    )  # fmt: skip
    try:
        async with aiohttp.ClientSession() as http, http.ws_connect(f"{url}/api/v1/events?after=0") as socket:
            session = Session(http, socket, url)
            with Runner(settings) as runner:
                for name, make in kinds.items():
                    await measure(name, make, count, session, runner)
    finally:
        server.stop()


async def measure(
    name: str, make: Callable[[int], dict[str, Any]], count: int, session: Session, runner: Runner
) -> None:
    """One kind of graph."""
    inside: list[float] = []
    jobs: list[float] = []
    for number in range(count + 3):
        request = make(number)
        started = time.perf_counter()
        runner.run(Workflow.from_document(request["workflow"]), request.get("inputs", {}))
        inside.append(time.perf_counter() - started)
        jobs.append(await session.run({key: request[key] for key in ("workflow", "inputs") if key in request}))
    here, there = (statistics.median(each[3:]) for each in (inside, jobs))  # the first ones warm up
    overhead = there - here
    print(
        f"{name:28} in process {here * 1000:7.1f} ms, as a job {there * 1000:7.1f} ms, "
        f"overhead {overhead * 1000:5.1f} ms, {overhead / LIMIT:.2f} of the limit"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=60)
    with tempfile.TemporaryDirectory(prefix="nodegraph-jobs-") as temporary:
        asyncio.run(
            compare(
                {
                    "six nodes, two files": fast,
                    "200 nodes": chain,
                    "picture, 4 steps": picture,
                },
                parser.parse_args().count,
                Path(temporary),
            )
        )
