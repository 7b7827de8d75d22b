"""The server's application: all routes, and what every request goes through."""

from __future__ import annotations

from aiohttp import web

from .guard import PUBLIC, add_headers, only_for_us, only_invited
from .http import PREFIX, SERVICES, TABLE, telling_errors
from .pages import add_pages
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
    session,
    system,
    templates,
    values,
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
    *values.ROUTES,
    *events.ROUTES,
    *system.ROUTES,
    *session.ROUTES,
    *description.ROUTES,
)


def make_app(services: Services) -> web.Application:
    """The application that answers for these services."""
    app = web.Application(middlewares=[telling_errors, only_for_us, only_invited])
    app[SERVICES] = services
    app[TABLE] = ROUTES
    app[events.SOCKETS] = events.Sockets()
    for route in ROUTES:
        app.router.add_route(route.method, PREFIX + route.path, route.handler())
        if route.method == "GET" and route.raw is not None and route.raw.gives:  # files
            app.router.add_route("HEAD", PREFIX + route.path, route.handler())
    app[PUBLIC] = frozenset({*add_pages(app), PREFIX + session.PATH})
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(events.close_all)
    return app
