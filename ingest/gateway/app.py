"""The API as one application: whoever has routes gives them here, each with its policy."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from ingest.gateway.headers import SecurityHeaders
from ingest.gateway.problems import answer
from ingest.gateway.routes import Identify, require_policies
from models.access import decide
from models.db.pool import Pool
from models.errors import ThuiswachtError
from models.identity import Keys

PUBLIC = (
    "/openapi.json",
    "/login",
    "/login/login.css",
    "/login/start",
    "/login/callback",
    "/login/local",
    "/login/role",
    "/logout",
    "/logout/everywhere",
    "/logout/provider",
    "/token",
)
"""What is there without a policy: the ways in, and the ways out, which look at a session themselves."""


Answer = Callable[[Request, Exception], Awaitable[Response]]
Around = Callable[[ASGIApp], ASGIApp]


@dataclass(frozen=True, slots=True)
class Pools:
    """Connections as two roles: who has the one cannot do what the other may."""

    people: Pool
    """As thuiswacht_people, for everything about patients."""
    login: Pool
    """As thuiswacht_login, for sessions."""


def make_app(
    pools: Pools,
    identify: Identify,
    keys: Keys,
    routers: Sequence[APIRouter],
    *,
    answer: Answer = answer,
    public: Sequence[str] = (),
    around: Sequence[Around] = (),
) -> FastAPI:
    """The application, with the routes given and nothing else; `keys` seal identities.

    `answer` says what became of a request that went wrong; `public`: more addresses that anybody may reach;
    `around`: what each request goes through first.

    **Raises**: RefuseToStart for a route without policy.
    """
    app = FastAPI(
        title="Thuiswacht",
        description="Telemonitoring at home. Not for emergencies; not a medical device.",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.pool = pools.people
    app.state.identify = identify
    app.state.decide = decide
    app.state.identity_keys = keys
    for error in (ThuiswachtError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(error, answer)
    for router in routers:
        app.include_router(router)
    for one in around:
        app.add_middleware(one)
    app.add_middleware(SecurityHeaders)
    require_policies(app, (*PUBLIC, *public))
    return app
