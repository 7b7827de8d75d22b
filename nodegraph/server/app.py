"""The server's application: all routes, and what every request goes through."""

from __future__ import annotations

from aiohttp import web

from .guard import add_headers, only_from_here
from .http import PREFIX, SERVICES, TABLE, telling_errors
from .routes import (
    batches,
    checking,
    definitions,
    description,
    events,
    files,
    history,
    jobs,
    models,
    pictures,
    queue,
    system,
    templates,
    workflows,
)
from .services import Services

ROUTES = (
    *definitions.ROUTES,
    *checking.ROUTES,
    *workflows.ROUTES,
    *templates.ROUTES,
    *pictures.ROUTES,
    *models.ROUTES,
    *jobs.ROUTES,
    *files.ROUTES,
    *batches.ROUTES,
    *queue.ROUTES,
    *history.ROUTES,
    *events.ROUTES,
    *system.ROUTES,
    *description.ROUTES,
)


def make_app(services: Services) -> web.Application:
    """The application that answers for these services."""
    app = web.Application(middlewares=[telling_errors, only_from_here])
    app[SERVICES] = services
    app[TABLE] = ROUTES
    app[events.SOCKETS] = events.Sockets()
    for route in ROUTES:
        app.router.add_route(route.method, PREFIX + route.path, route.handler())
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(events.close_all)
    return app
