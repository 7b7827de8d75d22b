"""The files that jobs wrote."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path
from typing import BinaryIO

from aiohttp import web

from ...jobs.model import JobFile
from ..defects import NoSuchFile
from ..http import SERVICES, Raw, Route
from ..sending import CHUNK, PICTURES, safe_headers


async def get_file(request: web.Request) -> web.StreamResponse:
    """The content of a file that a job wrote: pictures to be shown, everything else to be saved."""
    services = request.app[SERVICES]
    number = int(request.match_info["number"])
    job = await asyncio.to_thread(services.table.job, request.match_info["id"])
    if number >= len(job.files):
        raise NoSuchFile(f"the job has {len(job.files)} files; there is no file {number}")
    file, size = await asyncio.to_thread(open_inside, services.settings.output, job.files[number])
    with file:
        head = await asyncio.to_thread(file.read, CHUNK)
        response = web.StreamResponse(
            headers={**safe_headers(head, Path(job.files[number].path).name), "Cache-Control": "private, no-cache"}
        )
        response.content_length = size
        await response.prepare(request)
        while head and size > 0:
            await response.write(head[:size])
            size -= len(head)
            head = await asyncio.to_thread(file.read, CHUNK)
        await response.write_eof()
    return response


def open_inside(folder: Path, written: JobFile) -> tuple[BinaryIO, int]:
    """A file of the output folder, open, with its size. Raises NoSuchFile.

    What lies elsewhere, also through a link, is none, whatever the table says.
    """
    gone = NoSuchFile(f"the file {Path(written.path).name!r} is not in the output folder any more")
    try:
        root, path = folder.resolve(strict=True), Path(written.path).resolve(strict=True)
        if not path.is_relative_to(root):
            raise gone
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError, RuntimeError) as error:
        raise gone from error
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise gone
    return os.fdopen(descriptor, "rb"), found.st_size


CONTENT = Raw(gives=("application/octet-stream", *(kind for _, _, kind in PICTURES)))

ROUTES = (Route("GET", "/jobs/{id}/files/{number:[0-9]{1,6}}", get_file, CONTENT),)
