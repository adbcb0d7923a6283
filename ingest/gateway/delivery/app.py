"""The front gate as one application: whoever has routes gives them here, each with its action."""

from collections.abc import Mapping, Sequence
from functools import partial
from time import perf_counter
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest.gateway.app import Answer
from ingest.gateway.delivery import described
from ingest.gateway.delivery.proxies import BehindProxies
from ingest.gateway.delivery.routes import ROUTE, DeliveryRoute, Gate, require_actions
from ingest.gateway.headers import SecurityHeaders
from ingest.gateway.problems import answer
from ingest.gateway.routes import each_route
from models import metrics
from models.errors import ThuiswachtError

PUBLIC = ("/openapi.json",)
"""What anybody may reach, beside what is given."""


def make_gate(
    gate: Gate,
    routers: Sequence[APIRouter],
    *,
    public: Mapping[str, APIRouter] | None = None,
    answer: Answer = answer,
    trusted_proxies: str | None = None,
    schemas: Sequence[Mapping[str, described.Schema]] = (described.SCHEMAS,),
) -> FastAPI:
    """The application, with the routes given and nothing else.

    `public`: what anybody may reach, with what answers there. `answer` says what became of a request
    that went wrong. `schemas`: what OpenAPI calls by name.

    **Raises**: RefuseToStart for a route without action.
    """
    app = FastAPI(
        title="Thuiswacht: the front gate",
        description="Devices, vendors and hospital systems deliver here. Not for emergencies.",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.gate = gate
    app.openapi = partial(_described, app, schemas)
    for error in (ThuiswachtError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(error, answer)
    for router in (*routers, *(public or {}).values()):
        app.include_router(router)
    # The last one comes first.
    app.add_middleware(_Direct, routes=_fixed(app), answer=answer)
    app.add_middleware(gate.entrance.around)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(_Counted)
    app.add_middleware(BehindProxies, trusted=trusted_proxies)
    require_actions(app, (*PUBLIC, *(public or {})))
    return app


def _described(app: FastAPI, schemas: Sequence[Mapping[str, described.Schema]]) -> dict[str, Any]:
    """The whole of it for OpenAPI: FastAPI knows the routes, we what is sent and answered."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        made["components"] = {
            "schemas": {name: schema for those in schemas for name, schema in those.items()},
            "securitySchemes": described.SECURITY,
        }
        app.openapi_schema = made
    return app.openapi_schema


def _fixed(app: FastAPI) -> dict[tuple[str, str], DeliveryRoute]:
    """The routes whose address is always the same, by method and path."""
    return {
        (method, route.path): route
        for route in each_route(app.routes)
        if isinstance(route, DeliveryRoute) and "{" not in route.path
        for method in route.methods or ()
    }


class _Direct:
    """Leads a request straight to its handler where one look tells which.

    What a framework asks on the way there (parameters, dependencies, routers within routers) takes about as
    long as taking in a reading.
    """

    def __init__(self, app: ASGIApp, routes: Mapping[tuple[str, str], DeliveryRoute], answer: Answer) -> None:
        self._app = app
        self._handlers = {key: route.get_route_handler() for key, route in routes.items()}
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handle = self._handlers.get((scope.get("method", ""), scope.get("path", "")))
        if handle is None:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive, send)
        try:
            response = await handle(request)
        except (ThuiswachtError, HTTPException) as error:
            response = await self._answer(request, error)
        await response(scope, receive, send)


class _Counted:
    """Counts what is answered, by route."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s = perf_counter()
        status = 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            route = getattr(scope.get(ROUTE), "path", "other")
            metrics.GATEWAY_REQUESTS.labels(route, str(status)).inc()
            metrics.GATEWAY_DURATION.labels(route).observe(perf_counter() - began_s)
