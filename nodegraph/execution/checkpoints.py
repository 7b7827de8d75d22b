"""States of long nodes on disk, from which the next call of the same recipe goes on.

A checkpoint is a safetensors file named after the node's key. It holds the key and a digest of the value: one that is
damaged or another node's counts as none. Nothing that goes wrong here ends a run.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ..files import remove_leftovers, replacing
from ..ports.codec import CodecError, Encoded, Undecodable, content_hash, decode, encode
from ..ports.codec.container import chunks, read

FORMAT = "nodegraph-checkpoint/1"
SUFFIX = ".safetensors"
OLDEST_SECONDS = 14 * 24 * 3600.0
"""Checkpoints that nobody went on from for so long are removed."""
SHARE = 0.05
"""The part of a node's time that writing may take."""


class Checkpoints:
    """The checkpoints in one folder. Threads and processes may share it.

    seconds: between two of a node; 0 writes at every offer. clock: for intervals. now: the age of files is told by.
    """

    def __init__(
        self,
        folder: Path,
        seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.folder, self.seconds, self.clock = folder, seconds, clock
        self._now = now
        self._swept = False

    def of(self, key: str, tell: Callable[[str], None]) -> Checkpoint:
        """The checkpoint of the node with a key. tell: is given what the user should know."""
        if not self._swept:
            self._swept = True
            self.sweep()
        return Checkpoint(self, key, tell)

    def path(self, key: str) -> Path:
        """Where the checkpoint of a key lies."""
        return self.folder / f"{key}{SUFFIX}"

    def sweep(self) -> int:
        """Remove checkpoints that are too old, and what killed writers left; how many files."""
        removed = 0
        with suppress(OSError):
            for path in list(self.folder.iterdir()):
                with suppress(OSError):
                    if path.name.startswith("."):
                        removed += remove_leftovers(path.with_name(path.name[1:].rpartition("-")[0] or path.name))
                    elif path.suffix == SUFFIX and self._now() - path.stat().st_mtime > OLDEST_SECONDS:
                        path.unlink()
                        removed += 1
        return removed


class Checkpoint:
    """The checkpoint of one call of a node."""

    def __init__(self, place: Checkpoints, key: str, tell: Callable[[str], None]) -> None:
        self._place, self._key, self._tell = place, key, tell
        self._path = place.path(key)
        self._since = place.clock()
        self._cost = 0.0

    def resumed(self) -> object | None:
        """What was offered last and written; None where there is nothing, or nothing of use."""
        try:
            with self._path.open("rb") as file:
                found = decode(read(file, os.fstat(file.fileno()).st_size))
            return self._checked(found)
        except FileNotFoundError:
            return None
        except (OSError, CodecError) as error:
            self._tell(f"the checkpoint {self._path} is of no use, so this begins anew: {error}")
            return None

    def _checked(self, found: object) -> object:
        match found:
            case ((str() as written_as, key, value) as content, digest) if written_as == FORMAT:
                if content_hash(content) != digest:
                    raise Undecodable("the digest differs")
                if key != self._key:
                    raise Undecodable("it belongs to another recipe")
                return value
            case _:
                raise Undecodable("it is no checkpoint")

    def offer(self, make: Callable[[], object], *, at_once: bool = False) -> None:
        """Write what `make` gives, if it is time: rarely enough that writing takes no more than its share.

        at_once: now, because the node is about to be stopped.
        """
        begun = self._place.clock()
        rest = self._cost * (1.0 / SHARE - 1.0) if self._place.seconds > 0.0 else 0.0
        if begun - self._since < max(self._place.seconds, rest) and not at_once:
            return
        self._write(make())
        self._since = self._place.clock()
        self._cost = self._since - begun

    def _write(self, value: object) -> None:
        try:
            content = encode((FORMAT, self._key, value))
            document = ["tuple", content.document, content_hash(decode(content))]
            with replacing(self._path) as file:
                for part in chunks(Encoded(document=document, tensors=content.tensors)):
                    file.write(part)
        except (OSError, CodecError) as error:
            reason = getattr(error, "strerror", None) or error
            what = f"no checkpoint could be written to {self._place.folder}"
            self._tell(f"{what}, so a run that is stopped cannot go on from there: {reason}")

    def exists(self) -> bool:
        """Whether there is one."""
        return self._path.exists()

    def remove(self) -> None:
        """The node has finished: nobody needs it any more."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
