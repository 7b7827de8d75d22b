"""The nodes that there are."""

from __future__ import annotations

import asyncio

from aiohttp import web

from ..http import SERVICES, Raw, Route
from ..negotiation import is_known, takes_gzip
from ..schemas_definitions import DefinitionList


async def get_definitions(request: web.Request) -> web.StreamResponse:
    """The definitions of all nodes; 304 where the sender has them already."""
    ready = await asyncio.to_thread(request.app[SERVICES].nodes.ready)
    headers = {"ETag": f'"{ready.code}"', "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if is_known(request, ready.code):
        return web.Response(status=304, headers=headers)
    if takes_gzip(request):
        headers["Content-Encoding"] = "gzip"
        return web.Response(body=ready.packed, headers=headers, content_type="application/json")
    return web.Response(body=ready.plain, headers=headers, content_type="application/json")


ROUTES = (Route("GET", "/definitions", get_definitions, Raw(answer=DefinitionList, statuses=(200, 304))),)
