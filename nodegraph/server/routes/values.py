"""Looking into stored results: what they are, and what there is to see of them."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from ... import __version__
from ..http import SERVICES, Raw, Route, parse_query
from ..negotiation import is_known
from ..schemas_values import PictureQuery, ValueGlimpses
from ..sending import SANDBOX

FOR_EVER = "private, max-age=31536000, immutable"
"""A key stands for one value and no other."""

FOR_A_DAY = "private, max-age=86400"
"""How a value is told may change with the program."""


async def get_value(request: web.Request) -> web.StreamResponse:
    """What is told of a result: of each output a line, numbers, charts, and how many pictures there are."""
    services, key = request.app[SERVICES], request.match_info["key"]
    tag = f"{key}-{__version__}"
    headers = {"ETag": f'"{tag}"', "Cache-Control": FOR_A_DAY}
    if is_known(request, tag):
        return web.Response(status=304, headers=headers)
    found = await services.workforce.looks.look(key)
    document: Any = ValueGlimpses(key=key, outputs=found.glimpses).model_dump(mode="json")
    told = ValueGlimpses.model_validate(services.veil.json(document))
    return web.Response(body=told.model_dump_json().encode(), headers=headers, content_type="application/json")


async def get_picture(request: web.Request) -> web.StreamResponse:
    """A picture of an output: WebP of a wanted size, or PNG as it is."""
    key, output = request.match_info["key"], request.match_info["output"]
    query = parse_query(PictureQuery, request)
    tag = f"{key}-{query.item}-{query.size or 'full'}"
    headers = {**SANDBOX, "ETag": f'"{tag}"', "Cache-Control": FOR_EVER}
    if is_known(request, tag):
        return web.Response(status=304, headers=headers)
    found = await request.app[SERVICES].workforce.looks.look(key, output, query.item, query.size)
    return web.Response(body=found.picture, headers=headers, content_type=found.type)


_KEY = "{key:[0-9a-f]{64}}"

ROUTES = (
    Route("GET", f"/values/{_KEY}", get_value, Raw(answer=ValueGlimpses, statuses=(200, 304))),
    Route(
        "GET",
        f"/values/{_KEY}/{{output}}/picture",
        get_picture,
        Raw(query=PictureQuery, gives=("image/webp", "image/png"), statuses=(200, 304)),
    ),
)
