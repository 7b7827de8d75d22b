"""`python -m tests.chaos`: kill worker, server or both in every phase of the work, then prove that nothing was lost.

Prints what was hit and what was found, and ends with code 1 where anything was lost, doubled or changed.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from .check import findings
from .drive import PHASES, Driver
from .server import Server
from .work import make

SETTINGS = {
    "threads": "1",
    "device": "cpu",
    "disk_cache_bytes": "900000",
    "checkpoint_seconds": "0",
    "worker_grace_seconds": "5",
}
"""A small cache, so that it evicts all the while; a checkpoint at every step."""


def main() -> int:
    """The whole test."""
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that servers end with it
    with tempfile.TemporaryDirectory(prefix="nodegraph-chaos-") as temporary:
        folder = options.folder or Path(temporary)
        chaos = folder / "chaos"
        started = time.monotonic()
        requests = make(100_000 if options.kills else 0, options.seed, options.pictures)
        driver = Driver(Server(folder / "disturbed", chaos=chaos, settings=SETTINGS), chaos, requests, options.seed)
        for phase in options.phases:
            driver.disturb(phase, options.kills)
            print(f"{phase}: {driver.hits[phase]} kills, {driver.sent} jobs sent, {time.monotonic() - started:.0f} s")
        driver.disturb_anywhere(options.anywhere)
        print(f"anywhere: {driver.hits['anywhere']} kills, {driver.sent} jobs sent, {time.monotonic() - started:.0f} s")
        jobs = driver.finish()
        kills = [json.loads(line) for line in (chaos / "kills.jsonl").read_text().splitlines()]
        report(kills, driver)

        undisturbed = Server(folder / "undisturbed", chaos=None, settings=SETTINGS)
        reference = Driver(undisturbed, chaos, requests, options.seed)
        reference.send(driver.sent)
        reference.finish()
        found = findings(driver, reference, jobs)
        for each in found:
            print(f"WRONG: {each}")
        print(
            f"{driver.sent} jobs sent, {sum(driver.hits.values())} kills, {driver.server.starts} starts of the server, "
            f"{len(found)} findings, {time.monotonic() - started:.0f} s"
        )
        return 1 if found else 0


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="in each phase")
    parser.add_argument("--anywhere", type=int, default=100, help="at random moments")
    parser.add_argument("--phases", nargs="*", choices=PHASES, default=list(PHASES))
    parser.add_argument("--pictures", type=float, default=0.4, help="share of jobs that are pictures of the model")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="keep everything here")
    return parser.parse_args()


def report(kills: list[dict[str, object]], driver: Driver) -> None:
    """Which phases were hit, of whom, and in how many places of the code."""
    for phase in [*PHASES, "anywhere"]:
        hits = [each for each in kills if each["phase"] == phase and each["victims"]]
        victims = Counter(str(each["victim"]) for each in hits)
        places = {str(each["place"]).partition(" in ")[0] for each in hits}
        inside = sum(each["place"] != "at its end" for each in hits)
        print(f"{phase:10} {len(hits):4} kills, {inside} before its end, in {len(places)} places: {dict(victims)}")


if __name__ == "__main__":
    sys.exit(main())
