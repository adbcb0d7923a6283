"""Who I am, and as what I may go on: for the pages, which need the CSRF token from here."""

from typing import Any

from fastapi import APIRouter, Request

from ingest.gateway.login.door import COOKIE, Door
from ingest.gateway.login.forgery import csrf_token
from ingest.gateway.routes import Act, Routes
from models.access import Action
from models.audit import Kind
from models.db.roles import roles_of


def make_me(door: Door) -> APIRouter:
    """The route of this module."""
    routes = Routes("", "login")

    @routes.route("GET", "/me", action=Action.OWN_SESSION, kind=Kind.READ)
    async def me(request: Request, act: Act) -> dict[str, Any]:
        """The user of this session, their other roles, and the token for changes."""
        async with door.pool.connection() as connection:
            held = await roles_of(connection, act.user.person_id, door.now_us())
        cookie = request.cookies.get(COOKIE)
        return {
            "person_id": act.user.person_id,
            "organisation_id": act.user.organisation_id,
            "role": act.user.role,
            "roles": [{"organisation_id": one.organisation_id, "role": one.role} for one in held],
            "csrf_token": None if cookie is None else csrf_token(cookie),
        }

    return routes.router
