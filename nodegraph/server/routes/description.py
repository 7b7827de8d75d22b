"""The API about itself."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from ..http import TABLE, Raw, Route


async def get_openapi(request: web.Request) -> web.Response:
    """This document, which describes all routes: OpenAPI 3.1."""
    from ..openapi import openapi

    return web.json_response(await asyncio.to_thread(openapi, request.app[TABLE]))


ROUTES = (Route("GET", "/openapi.json", get_openapi, Raw(answer=dict[str, Any])),)
