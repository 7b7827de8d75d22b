"""Getting in: trading the server's token for a cookie."""

from __future__ import annotations

from aiohttp import web

from ..access import COOKIE, SESSION_SECONDS
from ..http import SERVICES, Raw, Route, parse_body, read_body
from ..schemas import Session, TokenGiven

PATH = "/session"
MAX_BYTES = 1 << 16


async def start_session(request: web.Request) -> web.Response:
    """Trade the server's token for a cookie, with which a browser may ask from then on.

    Where the server asks for no token, any is taken and there is no cookie.
    """
    access = request.app[SERVICES].access
    body = parse_body(TokenGiven, await read_body(request, MAX_BYTES))
    access.check_token(request.remote or "", body.token)
    value, until = access.new_session() or ("", None)
    response = web.json_response(text=Session(until=until).model_dump_json())
    if value:
        response.set_cookie(COOKIE, value, max_age=SESSION_SECONDS, path="/", httponly=True, samesite="Strict")
    return response


ROUTES = (Route("POST", PATH, start_session, Raw(body=TokenGiven, answer=Session)),)
