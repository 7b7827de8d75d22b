"""Nodes that misbehave, and some that do not. They note each call in the file that ROGUE_LOG names. No torch."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image

from nodegraph import Context, node, wire
from nodegraph.files import write_atomically
from nodegraph.ports.glimpse import Glimpse

Crime = Literal["segfault", "exit", "kill", "hang", "spin", "hog", "raise", "system exit", "corrupt channel"]


def note(text: str) -> None:
    """Add a line to the log that tests read; one write, so that processes may share it."""
    path = os.environ.get("ROGUE_LOG")
    if path:
        with Path(path).open("a") as file:
            file.write(text + "\n")


@node(category="test")
def good(number: int = 0) -> int:
    """Give a number back."""
    note(f"good {number}")
    return number


@node(category="test")
def add_all(numbers: list[int]) -> int:
    """Add numbers."""
    note(f"add_all {numbers}")
    return sum(numbers)


@node(category="test", cache="never")
def bad(number: int = 0, crime: Crime = "segfault", times: int = 1_000_000) -> int:
    """Misbehave the first few times that it is called, by the log."""
    log = Path(os.environ["ROGUE_LOG"])
    before = log.read_text().splitlines().count(f"bad {number}") if log.exists() else 0
    note(f"bad {number}")
    if before < times:
        print(f"about to {crime}", flush=True)
        commit(crime)
    return number


def commit(crime: Crime) -> None:
    """Do it."""
    match crime:
        case "segfault":
            ctypes.string_at(0)
        case "exit":
            os._exit(7)
        case "kill":
            os.kill(os.getpid(), 9)
        case "hang":  # in C, holding the interpreter's lock
            ctypes.PyDLL(None).sleep(1000)
        case "spin":
            while True:
                pass
        case "hog":
            held = [bytearray(b"x" * (32 << 20)) for _ in range(100)]
            time.sleep(1000)
            del held
        case "raise":
            raise RuntimeError("on purpose")
        case "system exit":
            sys.exit(3)
        case "corrupt channel":
            for descriptor in range(3, 64):
                try:
                    if str(Path(f"/proc/self/fd/{descriptor}").readlink()).startswith("socket:"):
                        os.write(descriptor, b"\xff" * 64)
                except OSError:
                    continue
            time.sleep(1000)


@node(category="test", cache="never")
def leak(what: Literal["threads", "files", "memory"], count: int = 1) -> int:
    """Leave things behind."""
    kept = sys.modules.setdefault("rogue_kept", type(sys)("rogue_kept")).__dict__.setdefault("kept", [])
    for _ in range(count):
        if what == "threads":
            threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
        elif what == "files":
            kept.append(Path(os.devnull).open())  # noqa: SIM115
        else:
            kept.append(bytearray(b"x" * (1 << 20)))
    return os.getpid()


@node(category="test", cache="never")
def who(after: int = 0) -> int:
    """Tell which process runs it."""
    return os.getpid()


@node(category="test")
def patient(ctx: Context, steps: int = 1000, number: int = 0) -> int:
    """Take many steps of ten milliseconds, looking for a wish to stop at each."""
    note(f"patient {number}")
    for step in range(steps):
        ctx.progress(step, steps)
        time.sleep(0.01)
    return steps


class Square:
    """Shows itself as a grey square."""

    def __init__(self, side: int, level: int) -> None:
        self.side, self.level = side, level

    def picture(self, item: int) -> Image.Image:
        """The square."""
        note(f"picture {self.level}")
        return Image.new("RGB", (self.side, self.side // 2), (self.level, self.level, self.level))


@wire(portable=True)
@dataclass(frozen=True)
class Oddity:
    """Shows itself in a way of its own, also after it came back from the disk."""

    way: str

    def glimpse(self) -> Glimpse:
        """In its way."""
        note(f"glimpse {self.way}")
        match self.way:
            case "raise":
                raise RuntimeError("on purpose")
            case "kill":
                os.kill(os.getpid(), 9)
            case "wait":
                time.sleep(1000)
        return Glimpse(type="Oddity", text=self.way, pictures=1)

    def picture(self, item: int) -> Image.Image:
        """A square."""
        return Image.new("RGB", (40, 20), (255, 0, 0))


@node(category="test")
def odd(way: str = "well") -> Oddity:
    """Make something odd."""
    return Oddity(way)


@node(category="test", cache="never")
def shows(ctx: Context, steps: int = 3, side: int = 600, seconds: float = 0.3) -> int:
    """Show a square at every step; one that cannot be shown at the last."""
    for step in range(steps):
        ctx.progress(step + 1, steps)
        ctx.preview(Square(side, step))
        time.sleep(seconds)
    ctx.preview(Square(-1, 0))
    return steps


@node(category="test", cache="never")
def deaf(seconds: float = 1000.0) -> int:
    """Wait without looking for a wish to stop, as foreign code does."""
    note("deaf")
    time.sleep(seconds)
    return 0


@node(category="test", cache="never")
def children() -> int:
    """Start a process that would outlive the worker."""
    process = subprocess.Popen(["sleep", "1000"])
    note(f"child {process.pid}")
    time.sleep(1000)
    return process.pid


@node(category="test", effect=True, lane="io")
def write_text(text: str, ctx: Context, name: str = "text") -> str:
    """Write a text into the output folder."""
    path = ctx.output_file(name, ".txt")
    write_atomically(path, text.encode())
    note(f"wrote {path.name}")
    return str(path)


@node(category="test", effect=True)
def write_then_die(text: str, ctx: Context, times: int = 1) -> str:
    """Write a text, then end the worker, the first few times."""
    log = Path(os.environ["ROGUE_LOG"])
    before = log.read_text().splitlines().count("dying") if log.exists() else 0
    path = ctx.output_file("fatal", ".txt")
    write_atomically(path, text.encode())
    if before < times:
        note("dying")
        os._exit(9)
    return str(path)


@node(category="test", cache="never")
def chance() -> str:
    """Something else each time."""
    found = os.urandom(8).hex()
    note(f"chance {found}")
    return found


@node(category="test")
def long_text(text: str, length: int = 100_000) -> str:
    """A text repeated, long enough to be stored in a file of its own."""
    note("long_text")
    return (text * (length // max(1, len(text)) + 1))[:length]
