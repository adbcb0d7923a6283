"""Every route by construction: somebody is known, a policy decides, Postgres knows who acts, it is on record.

A route is declared with its action. The wrapper around its handler makes the request one unit of work of its
user (`ingest/acting.py`), which is committed before anything is answered.
"""

from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from typing import Annotated, Any, Protocol
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from ingest.acting import Acting, Deed, Known, doing
from models.access import Action
from models.audit import Kind
from models.db.declared import REFUSED
from models.errors import NotAllowed, RefuseToStart

SOURCE = "thuiswacht.api"


class Identify(Protocol):
    """Finds out who a request comes from."""

    async def __call__(self, request: Request) -> Known:
        """**Raises**: NotLoggedIn, TooOften."""
        ...


Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class GuardedRoute(APIRoute):
    """A route with its policy; made by `Routes` alone."""

    action: Action
    kind: Kind
    patient: str | None

    def get_route_handler(self) -> Handler:
        """The handler within its transaction, decided on and recorded."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            known = await _identify(request)
            patient_id = _patient_of(request, self.patient)
            deed = Deed(self.action, self.kind, SOURCE, patient_id, request.app.state.decide)
            async with doing(request.app.state.pool, known, deed) as act:
                request.state.acting = act
                return await handle(request)

        return guarded


async def _identify(request: Request) -> Known:
    identify: Identify = request.app.state.identify
    return await identify(request)


def _patient_of(request: Request, parameter: str | None) -> UUID | None:
    if parameter is None:
        return None
    try:
        return UUID(request.path_params[parameter])
    except ValueError:
        raise NotAllowed(REFUSED) from None


def _acting(request: Request) -> Acting:
    acting: Acting = request.state.acting
    return acting


Act = Annotated[Acting, Depends(_acting)]
"""What a handler asks for, to act."""


class Routes:
    """Routes that belong together; each names its action, its kind, and where its patient stands."""

    def __init__(self, prefix: str, tag: str) -> None:
        self.router = APIRouter(prefix=prefix, tags=[tag])

    def route(
        self,
        method: str,
        path: str,
        *,
        action: Action,
        kind: Kind,
        status: int = 200,
        patient: str | None = None,
    ) -> Callable[[Callable[..., Awaitable[Any]]], Callable[..., Awaitable[Any]]]:
        """Declares the decorated handler. `patient` is the path parameter with the patient it is about."""
        if patient is not None and f"{{{patient}}}" not in path:
            raise RefuseToStart(f"Route {method} {path} has no {{{patient}}} for its policy to decide on.")

        class Declared(GuardedRoute):
            pass

        Declared.action, Declared.kind, Declared.patient = action, kind, patient

        def declare(handler: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
            self.router.add_api_route(
                path, handler, methods=[method], status_code=status, route_class_override=Declared
            )
            return handler

        return declare


def each_route(routes: Sequence[BaseRoute]) -> Iterator[BaseRoute]:
    """Routes, also those of routers that were included as a whole."""
    for route in routes:
        inner: APIRouter | None = getattr(route, "original_router", None)
        if inner is None:
            yield route
        else:
            yield from each_route(inner.routes)


def require_policies(app: FastAPI, public: Sequence[str]) -> None:
    """Everything that the app answers is guarded, or stands on the short list of what anybody may reach.

    **Raises**: RefuseToStart, naming the route that has no declared policy.
    """
    for route in each_route(app.routes):
        path = getattr(route, "path", "?")
        declared = isinstance(route, GuardedRoute) and hasattr(route, "action")
        if not declared and path not in public:
            raise RefuseToStart(f"Route {path} has no declared policy: whoever finds it could use it.")
