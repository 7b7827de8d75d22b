"""The files that jobs wrote."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from aiohttp import web

from ...errors import shorten
from ...jobs.model import Job, JobFile
from ..defects import NoSuchFile
from ..http import SERVICES, Raw, Route, parse_query
from ..inside import open_inside
from ..recipes import recipe_in
from ..schemas_pictures import FoundRecipe, ThumbnailQuery
from ..schemas_values import FileQuery
from ..sending import PICTURES, send_picture
from ..sending_files import ASK_AGAIN, FOR_EVER, FileToSend, send_file
from ..services import Services


async def get_file(request: web.Request) -> web.StreamResponse:
    """The content of a file that a job wrote, or a part of it: pictures to be shown, everything else to be saved."""
    query = parse_query(FileQuery, request)
    sent = await asyncio.to_thread(_open, request.app[SERVICES], *_named(request))
    with sent.file:
        return await send_file(request, sent, download=query.download)


async def get_thumbnail(request: web.Request) -> web.StreamResponse:
    """A small WebP of a picture that a job wrote."""
    query = parse_query(ThumbnailQuery, request)
    services = request.app[SERVICES]
    sent = await asyncio.to_thread(_open, services, *_named(request))
    with sent.file:
        content = await asyncio.to_thread(services.thumbnails.get, sent.tag, query.size, sent.file)
    return send_picture(request, content, "image/webp", tag=f"{sent.tag}-{query.size}")


def get_recipe(services: Services, id: str, number: int) -> FoundRecipe:
    """The workflow that made a picture which a job wrote, from the picture itself."""
    with _open(services, id, number).file as file:
        return recipe_in(file)


def _named(request: web.Request) -> tuple[str, int]:
    return request.match_info["id"], int(request.match_info["number"])


def _open(services: Services, id: str, number: int) -> FileToSend:
    """A file of the output folder. Raises NoSuchFile.

    What lies elsewhere, also through a link, is none, whatever the table says.
    """
    job = services.table.job(id)
    if number >= len(job.files):
        raise NoSuchFile(f"the job has {len(job.files)} files; there is no file {number}")
    written = job.files[number]
    path = Path(written.path)
    file = open_inside(services.settings.output, path)
    if file is None:
        raise NoSuchFile(f"the file {shorten(path.name)} is not in the output folder any more")
    found = os.fstat(file.fileno())
    if _is_as_written(found, job, written):
        return FileToSend(file, found.st_size, path.name, written.sha256, found.st_mtime, FOR_EVER)
    tag = f"{found.st_size:x}-{found.st_mtime_ns:x}-{found.st_ino:x}"
    return FileToSend(file, found.st_size, path.name, tag, found.st_mtime, ASK_AGAIN)


def _is_as_written(found: os.stat_result, job: Job, written: JobFile) -> bool:
    """Whether a file is what the job left there, as far as can be seen without reading it."""
    ended = job.finished
    return ended is not None and found.st_size == written.bytes and found.st_mtime <= ended.timestamp()


CONTENT = Raw(
    query=FileQuery,
    gives=("application/octet-stream", *(kind for _, _, kind in PICTURES)),
    statuses=(200, 206, 304),
)

_FILE = "/jobs/{id}/files/{number:[0-9]{1,6}}"

ROUTES = (
    Route("GET", _FILE, get_file, CONTENT),
    Route(
        "GET",
        f"{_FILE}/thumbnail",
        get_thumbnail,
        Raw(query=ThumbnailQuery, gives=("image/webp",), statuses=(200, 304)),
    ),
    Route("GET", f"{_FILE}/workflow", get_recipe),
)
