"""Ctrl-C: a run stops within a step, keeps what finished, and says so."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nodegraph.catalog import load_catalog
from nodegraph.cli.common import ExitCode
from nodegraph.settings import Settings

from ..flows import flow, link
from ..packs import write_pack
from .conftest import PACKS, Cli

LOCKSTEP = """
import os
from nodegraph import Context, node

@node(category="test")
def lockstep(value: int, ctx: Context) -> int:
    "Takes a step whenever it is told to."
    with open(os.environ["STEPS"], "w") as done, open(os.environ["ORDERS"]) as orders:
        for index in range(100):
            ctx.progress(index, 100)
            print("waiting", file=done, flush=True)
            if not orders.readline():
                return value
            print("stepped", file=done, flush=True)
    return value
"""


class Run:
    """A `nodegraph run` whose node takes a step only when told to."""

    def __init__(self, arguments: list[str], folder: Path, environment: dict[str, str]) -> None:
        names = {"STEPS": folder / "steps", "ORDERS": folder / "orders"}
        for path in names.values():
            os.mkfifo(path)
        extra = {name: str(path) for name, path in names.items()}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "nodegraph", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**environment, **extra},
        )
        self._heard = ""
        self._steps, self._orders = (os.open(path, os.O_RDWR) for path in names.values())

    def expect(self, word: str) -> None:
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([self._steps], [], [], 60)
            assert ready, f"the node said nothing more after {line!r}"
            line += os.read(self._steps, 1)
        assert line.decode() == f"{word}\n"

    def step(self) -> None:
        os.write(self._orders, b"go\n")

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def interrupt_until(self, words: str, *, or_ended: bool = False) -> None:
        """Ctrl-C until it is heard: Python may overlook one that comes just before it waits for a lock.

        On a machine so busy that the answer takes very long, it may be heard twice. or_ended: that may have ended it.
        """
        assert self.process.stderr is not None
        for _ in range(5):
            if words in self._heard:
                return
            self.interrupt()
            while words not in self._heard and select.select([self.process.stderr], [], [], 15)[0]:
                more = os.read(self.process.stderr.fileno(), 1000).decode()
                if not more and or_ended:
                    return
                assert more, f"it ended without {words!r}: {self._heard}"
                self._heard += more
        raise AssertionError(self._heard)

    def read_errors_until(self, words: str) -> str:
        assert self.process.stderr is not None
        found = ""
        while words not in found:
            line = self.process.stderr.readline()
            assert line, found
            found += line
        return found

    def end(self) -> tuple[int, str, str]:
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        os.close(self._steps)
        os.close(self._orders)


@pytest.fixture
def start(
    tmp_path: Path, environment: dict[str, str], definitions_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Run]]:
    """Starts runs in which a node in lockstep follows two that are ready at once."""
    write_pack(tmp_path / "plugins", "slow", LOCKSTEP)
    plugins = [PACKS, tmp_path / "plugins"]
    assert load_catalog(Settings(cache=definitions_cache, plugins=plugins)).failures == []
    monkeypatch.setenv("NODEGRAPH_PLUGINS", os.pathsep.join(map(str, plugins)))
    nodes: dict[str, Any] = {
        "whole": ("rounded", {"number": link("n.number")}),
        "n": ("number", {"value": 3}),
        "slow": ("slow.lockstep", {"value": link("whole.value")}),
        "after": ("scaled", {"value": link("slow.value")}),
    }
    flow(nodes, {"r": "after.value"}).save("flow.json")
    started: list[Run] = []

    def begin(*arguments: str) -> Run:
        started.append(Run(["run", "flow.json", *arguments], tmp_path, dict(os.environ)))
        return started[-1]

    yield begin
    for each in started:
        each.close()


def test_the_first_ctrl_c_stops_after_the_step_and_keeps_what_finished(start: Callable[..., Run], cli: Cli) -> None:
    run = start()
    for _ in range(2):
        run.expect("waiting")
        run.step()
        run.expect("stepped")
    run.expect("waiting")
    run.interrupt()
    run.read_errors_until("stopping after this step; once more to stop at once")
    run.step()
    run.expect("stepped")
    code, out, err = run.end()
    assert (code, out) == (ExitCode.CANCELLED, "")
    assert "cancelled; the results of the 2 finished nodes are kept, the same command goes on from there" in err
    assert "nodegraph: the run was cancelled" in err
    assert "Traceback" not in err
    assert cli("run", "flow.json", "--up-to", "whole", "--json").json()["ran"] == []


def test_the_second_ctrl_c_stops_at_once(start: Callable[..., Run], cli: Cli) -> None:
    run = start()
    run.expect("waiting")
    run.interrupt()
    run.read_errors_until("once more to stop at once")
    run.interrupt()
    code, out, err = run.end()
    assert (code, out) == (ExitCode.CANCELLED, "")
    assert "the results of the 2 finished nodes are kept" in err
    assert "Traceback" not in err
    assert cli("run", "flow.json", "--up-to", "whole", "--json").json()["ran"] == []


def test_a_cancelled_run_is_json_too(start: Callable[..., Run]) -> None:
    run = start("--json")
    run.expect("waiting")
    run.interrupt()
    run.read_errors_until("once more to stop at once")
    run.step()
    code, out, err = run.end()
    assert code == ExitCode.CANCELLED
    assert '"status": "cancelled"' in out
    assert err == ""


HANGING = """
import asyncio
import os
import threading
from nodegraph import node

FOREVER = threading.Event()

def begun():
    with open(os.environ["STEPS"], "w") as done:
        print("waiting", file=done, flush=True)

@node(category="test")
def spins(value: int) -> int:
    "Never returns."
    begun()
    while True:
        pass

@node(category="test", lane="io")
def blocks(value: int) -> int:
    "Never returns."
    begun()
    FOREVER.wait()
    return value

@node(category="test")
async def blocks_async(value: int) -> int:
    "Never returns, nor does the thread that it began."
    begun()
    await asyncio.to_thread(FOREVER.wait)
    return value

@node(category="test")
def catches(value: int) -> int:
    "Never returns, and catches whatever is raised."
    while True:
        try:
            begun()
            while True:
                pass
        except BaseException as error:
            print("caught", type(error).__name__, flush=True)
"""


@pytest.mark.parametrize("kind", ["spins", "blocks", "blocks_async", "catches"])
def test_nodes_that_hang_are_left(
    kind: str, tmp_path: Path, environment: dict[str, str], definitions_cache: Path
) -> None:
    plugins = [PACKS, tmp_path / "plugins"]
    write_pack(plugins[1], "hanging", HANGING)
    assert load_catalog(Settings(cache=definitions_cache, plugins=plugins)).failures == []
    nodes: dict[str, Any] = {
        "n": ("number", {}),
        "whole": ("rounded", {"number": link("n.number")}),
        "hangs": (f"hanging.{kind}", {"value": link("whole.value")}),
    }
    flow(nodes).save("flow.json")
    run = Run(["run", "flow.json"], tmp_path, {**environment, "NODEGRAPH_PLUGINS": os.pathsep.join(map(str, plugins))})
    try:
        run.expect("waiting")
        run.interrupt_until("once more to stop at once")
        if kind == "catches":
            run.interrupt_until("caught KeyboardInterrupt", or_ended=True)
            run.interrupt()
        else:
            run.interrupt_until("cancelled; the results of the")
        assert run.end()[0] == ExitCode.CANCELLED
    finally:
        run.close()


@pytest.mark.parametrize("command", [["run", "flow.json"], ["validate", "flow.json"], ["nodes"], ["models"]])
def test_ctrl_c_before_anything_runs(cli: Cli, monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    flow({"n": ("number", {})}).save("flow.json")
    monkeypatch.setattr("nodegraph.catalog.load_catalog", interrupted)
    answer = cli(*command)
    assert (answer.code, answer.out) == (ExitCode.CANCELLED, "")
