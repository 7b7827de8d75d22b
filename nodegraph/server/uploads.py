"""Pictures that people send: kept in the input folder under their content's digest, where workflows can name them."""

from __future__ import annotations

import hashlib
import re
import threading
from pathlib import Path

from ..files import remove_leftovers, write_atomically
from .defects import not_written
from .picture_checks import Checked, check_picture
from .schemas_pictures import Upload, UploadKind

FOLDER = "uploads"
MOST_BYTES = 64 * 2**20
LONGEST_NAME = 60
DIGITS = 12
"""Of the digest, in a file's name."""


class Uploads:
    """The folder of uploads in the input folder. The same picture sent twice is one file."""

    def __init__(self, inputs: Path) -> None:
        self._folder = inputs / FOLDER
        self._lock = threading.Lock()

    def add(self, content: bytes, name: str, kind: UploadKind) -> Upload:
        """Keep a picture. name: what its sender calls it. Raises NotAPicture, PictureTooLarge or NotWritten."""
        with self._lock:  # one at a time: a decoded picture may take a quarter of a gigabyte
            picture = check_picture(content)
            digest = hashlib.sha256(picture.content).hexdigest()
            try:
                path = self._same(picture, digest) or self._write(picture, digest, plain_name(name) or kind)
            except OSError as error:
                raise not_written("the picture", "of inputs", error) from error
        return Upload(
            file=f"{FOLDER}/{path.name}",
            width=picture.width,
            height=picture.height,
            bytes=len(picture.content),
            sha256=digest,
        )

    def _same(self, picture: Checked, digest: str) -> Path | None:
        """The file that holds this picture already."""
        for path in sorted(self._folder.glob(f"{digest[:DIGITS]}-*")):
            if path.is_file() and path.stat().st_size == len(picture.content) and path.read_bytes() == picture.content:
                return path
        return None

    def _write(self, picture: Checked, digest: str, name: str) -> Path:
        path = self._folder / f"{digest[:DIGITS]}-{name}.{picture.ending}"
        if path.exists():  # other content with as much of its digest, or somebody changed the file
            path = self._folder / f"{digest[:DIGITS]}-{digest}.{picture.ending}"
        write_atomically(path, picture.content)
        remove_leftovers(path)
        return path


def plain_name(name: str) -> str:
    """What remains of a name when folders, ending and everything unusual is left out."""
    last = re.split(r"[/\\]", name)[-1]
    stem = last.rpartition(".")[0] or last
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", stem)
    return plain.strip("_-")[:LONGEST_NAME].rstrip("_-")
