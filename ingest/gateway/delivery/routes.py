"""Routes of the front gate: each with its action, so that no way in is open by mistake.

No transaction and no audit row each, as the API's routes have: what is delivered is on record in the log
itself, with the client that delivered it, and what is refused is counted and logged: see the README of
`ingest/delivery`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.routing import APIRoute

from ingest.delivery.content import Caller
from ingest.delivery.desk import DEADLINE_S, Desk
from ingest.delivery.status import Became, Marks, Part
from ingest.gateway.delivery.entrance import Entrance
from ingest.gateway.routes import each_route
from models.access import Action
from models.audit import Kind
from models.clock import wall_now_us
from models.errors import RefuseToStart, TryAgain

ROUTE = "thuiswacht.route"
Handler = Callable[[Request], Coroutine[Any, Any, Response]]
Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class Gate:
    """What the handlers work with; in `app.state.gate`."""

    entrance: Entrance
    desk: Desk
    marks: Marks
    became: Callable[[Part], Awaitable[Became | None]]
    now_us: Callable[[], int] = wall_now_us


class DeliveryRoute(APIRoute):
    """A route with its action; made by `DeliveryRoutes` alone."""

    action: Action
    kind: Kind
    patient: str | None = None
    """Whom a request is about stands in it, not in its address."""

    def get_route_handler(self) -> Handler:
        """The handler itself: it reads the request, and nothing is looked for in it before."""
        handle: Handler = self.endpoint

        async def declared(request: Request) -> Response:
            request.scope[ROUTE] = self
            return await handle(request)

        return declared


class DeliveryRoutes:
    """Routes that belong together. A handler takes the request and gives the response."""

    def __init__(self, prefix: str, tag: str) -> None:
        self.router = APIRouter(prefix=prefix, tags=[tag])

    def route(
        self,
        method: str,
        path: str,
        *,
        action: Action,
        kind: Kind = Kind.CREATE,
        openapi: Mapping[str, Any] | None = None,
        responses: Mapping[int | str, dict[str, Any]] | None = None,
        status: int = 200,
    ) -> Callable[[Handler], Handler]:
        """Declares the decorated handler; `openapi` and `responses` say what it takes and answers."""

        class Declared(DeliveryRoute):
            pass

        Declared.action, Declared.kind = action, kind

        def declare(handler: Handler) -> Handler:
            self.router.add_api_route(
                path,
                handler,
                methods=[method],
                status_code=status,
                response_class=Response,
                route_class_override=Declared,
                openapi_extra=dict(openapi or {}),
                responses=dict(responses or {}),
            )
            return handler

        return declare


def gate_of(request: Request) -> Gate:
    """What the handler works with."""
    gate: Gate = request.app.state.gate
    return gate


async def caller_of(request: Request) -> Caller:
    """Who a request comes from, allowed to do what its route is for. **Raises**: as `Entrance.__call__`."""
    route: DeliveryRoute = request.scope[ROUTE]
    return await gate_of(request).entrance(request, action=route.action)


async def in_time(work: Awaitable[Done]) -> Done:
    """Work that waits for what the gate needs. **Raises**: TryAgain when that does not answer in time."""
    try:
        async with asyncio.timeout(DEADLINE_S):
            return await work
    except TimeoutError:
        raise TryAgain("Something that the front gate needs does not answer in time.") from None


def require_actions(app: FastAPI, public: Sequence[str]) -> None:
    """Everything that the gate answers has an action, or is on the short list of what anybody may reach.

    **Raises**: RefuseToStart, naming the route that has none.
    """
    for route in each_route(app.routes):
        path = getattr(route, "path", "?")
        declared = isinstance(route, DeliveryRoute) and hasattr(route, "action")
        if not declared and path not in public:
            raise RefuseToStart(f"Route {path} has no declared action: whoever finds it could use it.")
