"""What is wrong after the kills: jobs lost or doubled, files changed, doubled or left behind, results damaged."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

from nodegraph.execution.store import DiskTier

from .drive import Driver


def findings(disturbed: Driver, undisturbed: Driver, jobs: list[dict[str, Any]]) -> list[str]:
    """All of it, in words; nothing where all is well."""
    folder = disturbed.server.folder
    return [
        *wrong_jobs(disturbed, jobs),
        *wrong_events(disturbed, jobs),
        *wrong_files(folder / "output", undisturbed.server.folder / "output"),
        *wrong_records(folder / "output", jobs),
        *wrong_results(folder / "cache" / "results"),
        *left_behind(folder),
    ]


def wrong_jobs(driver: Driver, jobs: list[dict[str, Any]]) -> list[str]:
    """Jobs that are not there, there twice, or not done."""
    found = []
    keys = Counter(job["client_key"] for job in jobs)
    for request in driver.requests[: driver.sent]:
        if keys[request["client_key"]] != 1:
            found.append(f"{request['client_key']}: {keys[request['client_key']]} jobs")
    if len(jobs) != driver.sent:
        found.append(f"{driver.sent} jobs were accepted, there are {len(jobs)}")
    for job in jobs:
        if job["state"] != "done":
            found.append(f"{job['label']}: {job['state']}: {job['error']}")
        if driver.accepted.get(job["client_key"]) != job["id"]:
            found.append(f"{job['label']}: it was accepted as {driver.accepted.get(job['client_key'])}")
    return found


def wrong_events(driver: Driver, jobs: list[dict[str, Any]]) -> list[str]:
    """Histories that do not begin once, end once, or are out of order."""
    found = []
    for job in jobs:
        events = driver.ask("GET", f"/jobs/{job['id']}/events?after=0")["events"]
        kinds = Counter(event["kind"] for event in events)
        sequences = [event["sequence"] for event in events]
        if kinds["queued"] != 1 or kinds["done"] != 1 or events[-1]["kind"] != "done":
            found.append(f"{job['label']}: its history holds {dict(kinds)}")
        if sequences != sorted(set(sequences)):
            found.append(f"{job['label']}: its history is out of order")
    return found


def wrong_files(written: Path, wanted: Path) -> list[str]:
    """Files that differ from those of an undisturbed run."""
    here, there = contents(written), contents(wanted)
    found = [f"{name}: not written" for name in there.keys() - here.keys()]
    found += [f"{name}: written, but not by an undisturbed run" for name in here.keys() - there.keys()]
    return found + [f"{name}: other bytes" for name in here.keys() & there.keys() if here[name] != there[name]]


def wrong_records(output: Path, jobs: list[dict[str, Any]]) -> list[str]:
    """Files that are not what the history says."""
    return [
        f"{job['label']}: {file['path']} is not what its history says"
        for job in jobs
        for file in job["files"]
        if hashlib.sha256((output / file["path"]).read_bytes()).hexdigest() != file["sha256"]
    ]


def wrong_results(folder: Path) -> list[str]:
    """Stored results that are damaged."""
    with sqlite3.connect(folder / "v1" / "index.sqlite") as connection:
        keys = [key for (key,) in connection.execute("SELECT key FROM entries")]
    connection.close()
    with DiskTier(folder, 10**12) as tier:
        for key in keys:
            tier.get(key)
        damaged = tier.info().damaged
    return [f"{damaged} of {len(keys)} stored results are damaged"] if damaged else []


def left_behind(folder: Path) -> list[str]:
    """Checkpoints of jobs that are over."""
    left = list((folder / "state" / "checkpoints").glob("*"))
    return [f"{len(left)} checkpoints are left behind"] if left else []


def contents(folder: Path) -> dict[str, str]:
    """The digests of all files below a folder, by name."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
