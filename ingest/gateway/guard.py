"""Every route by construction: somebody is known, a policy decides, Postgres knows who acts, it is on record.

A route is declared with its action. The wrapper around its handler opens the one transaction of the request,
declares the user in it, decides, runs the handler, writes the audit row and commits, before anything is
answered. A handler that fails leaves nothing half done: its transaction is rolled back, and a row says so.
"""

from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Protocol
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from ingest.gateway.problems import NotAllowed
from models import audit
from models.access import Action, Decision, Relation, User, decide
from models.audit import Event, Kind, Outcome
from models.clock import wall_now_us
from models.db import audit as audit_rows
from models.db.declared import acting, may_act, relation_to
from models.db.pool import Connection, Pool
from models.errors import RefuseToStart

SOURCE = "thuiswacht.api"
_REFUSED = "You may not do this with this patient, or there is no such patient."


@dataclass(frozen=True, slots=True)
class Known:
    """Who a request comes from, and by which session or token (a mark that opens nothing)."""

    user: User
    session: str


class Identify(Protocol):
    """Finds out who a request comes from."""

    async def __call__(self, request: Request) -> Known:
        """**Raises**: NotLoggedIn, TooOften."""
        ...


@dataclass(slots=True)
class Acting:
    """What a handler works with: a transaction in which its user is declared, and what will be on record."""

    connection: Connection
    known: Known
    decision: Decision
    patient_id: UUID | None
    touched: list[UUID] = field(default_factory=list[UUID])
    """All patients whose data the request touched; the one in its address is there already."""
    reason: str | None = None
    details: str | None = None

    @property
    def user(self) -> User:
        """Who acts."""
        return self.known.user

    async def require(self, patient_id: UUID) -> None:
        """Decide for another patient than the one in the address. **Raises**: NotAllowed."""
        decision = decide(self.user, self.decision.action, await relation_to(self.connection, patient_id))
        if not decision.allowed:
            raise NotAllowed(_REFUSED)
        self.touched.append(patient_id)


Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class GuardedRoute(APIRoute):
    """A route with its policy; made by `Routes` alone."""

    action: Action
    kind: Kind
    patient: str | None
    check = True
    """Tests switch the application's decision off, to see that the database's alone suffices."""

    def get_route_handler(self) -> Handler:
        """The handler within its transaction, decided on and recorded."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            known = await _identify(request)
            patient_id = _patient_of(request, self.patient)
            pool: Pool = request.app.state.pool
            act: Acting | None = None
            try:
                async with acting(pool, known.user, self.action) as connection:
                    decision = await self._decide(connection, known, patient_id)
                    act = Acting(connection, known, decision, patient_id)
                    if patient_id is not None:
                        act.touched.append(patient_id)
                    self._require(decision)
                    request.state.acting = act
                    response = await handle(request)
                    await audit_rows.write(connection, self._event(act, Outcome.ALLOWED))
                return response
            except Exception as error:
                await self._record_failure(pool, known, act, patient_id, error)
                raise

        return guarded

    def _require(self, decision: Decision) -> None:
        if self.check and not decision.allowed:
            raise NotAllowed(_REFUSED)

    async def _decide(self, connection: Connection, known: Known, patient_id: UUID | None) -> Decision:
        if not await may_act(connection):
            return Decision(self.action, known.user.role, None, "nobody has this role there any more")
        relation: Relation | None = None
        if patient_id is not None:
            relation = await relation_to(connection, patient_id)
        return decide(known.user, self.action, relation)

    def _event(self, act: Acting, outcome: Outcome) -> Event:
        identifier_type, identifier = audit.of_patients(list(dict.fromkeys(act.touched)))
        return Event(
            event_code=self.action.value,
            action=self.kind,
            happened_us=wall_now_us(),
            user_id=str(act.user.person_id),
            user_role=act.user.role.value,
            identifier_type=identifier_type,
            identifier=identifier,
            authorisation_protocol=act.decision.protocol,
            source=SOURCE,
            organisation_id=act.user.organisation_id,
            patients=tuple(dict.fromkeys(act.touched)),
            ground=act.decision.ground,
            outcome=outcome,
            session=act.known.session,
            reason=act.reason,
            details=act.details,
        )

    async def _record_failure(
        self, pool: Pool, known: Known, act: Acting | None, patient_id: UUID | None, error: Exception
    ) -> None:
        if act is None:
            decision = Decision(self.action, known.user.role, None, "not decided")
            async with pool.transaction() as connection:
                act = Acting(connection, known, decision, patient_id)
                act.touched = [] if patient_id is None else [patient_id]
                await audit_rows.write(connection, self._event(act, Outcome.FAILED))
            return
        refused = isinstance(error, NotAllowed)
        event = self._event(act, Outcome.REFUSED if refused else Outcome.FAILED)
        async with pool.transaction() as connection:
            await audit_rows.write(connection, replace(event, details=type(error).__name__))


async def _identify(request: Request) -> Known:
    identify: Identify = request.app.state.identify
    return await identify(request)


def _patient_of(request: Request, parameter: str | None) -> UUID | None:
    if parameter is None:
        return None
    try:
        return UUID(request.path_params[parameter])
    except ValueError:
        raise NotAllowed(_REFUSED) from None


def _acting(request: Request) -> Acting:
    acting: Acting = request.state.acting
    return acting


Act = Annotated[Acting, Depends(_acting)]
"""What a handler asks for, to act."""


class Routes:
    """Routes that belong together; each names its action, its kind, and where its patient stands."""

    def __init__(self, prefix: str, tag: str) -> None:
        self.router = APIRouter(prefix=prefix, tags=[tag], route_class=GuardedRoute)

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
            former, self.router.route_class = self.router.route_class, Declared
            self.router.add_api_route(path, handler, methods=[method], status_code=status)
            self.router.route_class = former
            return handler

        return declare


def _each(routes: Sequence[BaseRoute]) -> Iterator[BaseRoute]:
    """Routes, also those of routers that were included as a whole."""
    for route in routes:
        inner: APIRouter | None = getattr(route, "original_router", None)
        if inner is None:
            yield route
        else:
            yield from _each(inner.routes)


def require_policies(app: FastAPI, public: Sequence[str]) -> None:
    """Everything that the app answers is guarded, or stands on the short list of what anybody may reach.

    **Raises**: RefuseToStart, naming the route that has no declared policy.
    """
    for route in _each(app.routes):
        path = getattr(route, "path", "?")
        declared = isinstance(route, GuardedRoute) and hasattr(route, "action")
        if not declared and path not in public:
            raise RefuseToStart(f"Route {path} has no declared policy: whoever finds it could use it.")
