"""Pictures that workflows read: sending them, looking at them, and the recipes in pictures that were made here."""

from __future__ import annotations

import asyncio
from io import BytesIO

from aiohttp import web

from ..http import SERVICES, Raw, Route, parse_query, read_body
from ..recipes import recipe_in
from ..schemas_pictures import FoundRecipe, InputList, ThumbnailQuery, Upload, UploadQuery
from ..sending import send_picture
from ..sending_files import FileToSend, send_file
from ..services import Services
from ..uploads import MOST_BYTES


async def upload(request: web.Request) -> web.StreamResponse:
    """Keep a picture that workflows can read; its content alone decides what it is."""
    query = parse_query(UploadQuery, request)
    content = await read_body(request, MOST_BYTES)
    kept = await asyncio.to_thread(request.app[SERVICES].uploads.add, content, query.name, query.kind)
    return web.Response(body=kept.model_dump_json().encode(), content_type="application/json")


def list_inputs(services: Services) -> InputList:
    """The pictures that workflows may read, the newest first."""
    return InputList(files=services.inputs.entries())


async def get_input(request: web.Request) -> web.StreamResponse:
    """The content of a picture that workflows may read."""
    opened = await asyncio.to_thread(request.app[SERVICES].inputs.open, request.match_info["file"])
    with opened.file:
        sent = FileToSend(opened.file, opened.bytes, opened.name, opened.tag, opened.modified)
        return await send_file(request, sent)


async def get_thumbnail(request: web.Request) -> web.StreamResponse:
    """A small WebP of a picture that workflows may read."""
    query = parse_query(ThumbnailQuery, request)
    name = request.match_info["file"]
    content, tag = await asyncio.to_thread(request.app[SERVICES].inputs.thumbnail, name, query.size)
    return send_picture(request, content, "image/webp", tag=tag)


async def find_recipe(request: web.Request) -> web.StreamResponse:
    """The workflow that made a picture, which is sent as it is."""
    content = await read_body(request, MOST_BYTES)
    found = await asyncio.to_thread(recipe_in, BytesIO(content))
    return web.Response(body=found.model_dump_json().encode(), content_type="application/json")


_PICTURE = Raw(gives=("image/*",), statuses=(200, 304))

ROUTES = (
    Route("POST", "/uploads", upload, Raw(query=UploadQuery, takes="image/*", answer=Upload)),
    Route("GET", "/inputs", list_inputs),
    Route("GET", "/inputs/{file}", get_input, _PICTURE),
    Route(
        "GET",
        "/inputs/{file}/thumbnail",
        get_thumbnail,
        Raw(query=ThumbnailQuery, gives=("image/webp",), statuses=(200, 304)),
    ),
    Route("POST", "/recipes", find_recipe, Raw(takes="image/*", answer=FoundRecipe)),
)
