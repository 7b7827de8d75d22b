"""Workflows that come with node packs."""

from __future__ import annotations

import asyncio

from aiohttp import web

from ..http import SERVICES, Raw, Route
from ..schemas_workflows import TemplateList, TemplateWorkflow
from ..sending import send_picture
from ..services import Services


def list_templates(services: Services) -> TemplateList:
    """All of them, with the files that each needs and that are missing."""
    return TemplateList(templates=services.templates.entries())


def get_template(services: Services, name: str) -> TemplateWorkflow:
    """The workflow of a template."""
    return services.templates.load(name)


async def get_picture(request: web.Request) -> web.StreamResponse:
    """A picture of what a template makes."""
    templates = request.app[SERVICES].templates
    path = await asyncio.to_thread(templates.picture, request.match_info["name"])
    return send_picture(request, await asyncio.to_thread(path.read_bytes), "image/webp")


ROUTES = (
    Route("GET", "/templates", list_templates),
    Route("GET", "/templates/{name}", get_template),
    Route("GET", "/templates/{name}/picture", get_picture, Raw(gives=("image/webp",), statuses=(200, 304))),
)
