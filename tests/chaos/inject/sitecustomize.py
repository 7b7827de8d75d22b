"""Imported by every Python process of the disturbed server: it ends processes inside the phases of the work.

`CHAOS_FOLDER` names the folder that the driver shares with it. `armed.json` there asks for one kill: `phase`, `after`
(lines of Python, or seconds where the phase is `run`), and `victim`. Whoever enters that phase first takes it. Each
kill is written to `kills.jsonl` before it is done, with the place in the code. Without `CHAOS_FOLDER` nothing happens.
"""

import functools
import importlib.abc
import importlib.util
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

PHASES = {
    "nodegraph.jobs.table": [("JobTable.submit", "submit")],
    "nodegraph.execution.executor": [("Executor.run", "run")],
    "nodegraph.execution.store.disk": [
        ("DiskTier._write_file", "write"),
        ("DiskTier._evict", "evict"),
        ("DiskTier._remove_evicted", "evict"),
    ],
    "nodegraph.files": [("write_atomically", "write")],
    "nodegraph.execution.checkpoints": [("Checkpoint._write", "checkpoint")],
}
FOLDER = Path(os.environ.get("CHAOS_FOLDER", ""))


def take(phase):
    """The kill that is asked for, if it is for this phase; nobody else gets it."""
    armed = FOLDER / "armed.json"
    try:
        plan = json.loads(armed.read_text())
        if plan["phase"] != phase:
            return None
        armed.rename(FOLDER / f"taken-{os.getpid()}-{time.monotonic_ns()}.json")
    except (OSError, ValueError):
        return None
    return plan


def kill(plan, place):
    """Write the kill down, then do it."""
    from tests.chaos.processes import children  # not in every Python process, but in those that are disturbed

    is_worker = any("jobs.worker" in each for each in Path("/proc/self/cmdline").read_text().split("\0"))
    server = os.getppid() if is_worker else os.getpid()
    workers = [os.getpid()] if is_worker else children(server)
    if not workers:  # there is none just now
        plan = {**plan, "victim": "server"}
    victims = {"worker": workers, "server": [server], "both": [*workers, server]}[plan["victim"]]
    line = json.dumps({**plan, "place": place, "process": os.getpid(), "victims": victims}) + "\n"
    descriptor = os.open(FOLDER / "kills.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, line.encode())
    os.close(descriptor)
    for victim in sorted(victims, key=lambda each: each == os.getpid()):
        os.kill(victim, signal.SIGKILL)


class Counting:
    """A trace function that kills at a line after the phase began."""

    def __init__(self, plan):
        self.plan, self.left = plan, plan["after"]

    def __call__(self, frame, event, _):
        if event == "line":
            self.left -= 1
            if self.left == 0:  # once: this process goes on where another one is the victim
                place = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno} in {frame.f_code.co_name}"
                kill(self.plan, place)
        return self


def disturbed(function, phase):
    """The function, in which a kill that is asked for is done."""

    @functools.wraps(function)
    def call(*given, **named):
        plan = take(phase)
        if plan is None:
            return function(*given, **named)
        if phase == "run":
            timer = threading.Timer(plan["after"], kill, [plan, f"{plan['after']:.3f} s into it"])
            timer.start()
            try:
                return function(*given, **named)
            finally:
                if timer.is_alive():  # it was over sooner
                    timer.cancel()
                    kill(plan, "at its end")
        before, trace = sys.gettrace(), Counting(plan)
        sys.settrace(trace)
        try:
            return function(*given, **named)
        finally:
            sys.settrace(before)
            if trace.left > 0:
                kill(plan, "at its end")

    return call


class Finder(importlib.abc.MetaPathFinder):
    """Changes modules right after they were imported."""

    def find_spec(self, name, path, target=None):
        if name not in PHASES:
            return None
        sys.meta_path.remove(self)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            sys.meta_path.insert(0, self)
        load = spec.loader.exec_module

        def exec_module(module):
            load(module)
            for place, phase in PHASES[name]:
                owner, _, attribute = place.rpartition(".")
                holder = getattr(module, owner) if owner else module
                setattr(holder, attribute, disturbed(getattr(holder, attribute), phase))

        spec.loader.exec_module = exec_module
        return spec


if FOLDER.name:
    sys.meta_path.insert(0, Finder())
