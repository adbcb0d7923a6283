"""One unit of work of somebody: who they are is declared, a policy decides, it is done, it is on record.

Routes and commands do everything through this: one transaction in which the user is declared, the decision,
the work, and the audit row, committed together. Work that fails leaves nothing half done: its transaction is
rolled back, and a row of its own says so.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID

from models import audit
from models.access import Action, Decision, Relation, User, decide
from models.audit import Event, Kind, Outcome
from models.clock import wall_now_us
from models.db import audit as audit_rows
from models.db.declared import REFUSED, acting, fenced, may_act, relation_to
from models.db.pool import Connection, Pool
from models.errors import NotAllowed

Decide = Callable[[User, Action, Relation | None], Decision]
"""The policy: always `models.access.decide`, but in tests of what the database refuses by itself."""


@dataclass(frozen=True, slots=True)
class Known:
    """Who acts, and by which session or token (a mark that opens nothing)."""

    user: User
    session: str


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody is about to do, to which patient, through which of our systems, and who decides on it."""

    action: Action
    kind: Kind
    source: str
    patient_id: UUID | None = None
    decide: Decide = decide


@dataclass(slots=True)
class Acting:
    """What the work is done with: a transaction in which its user is declared, and what will be on record."""

    connection: Connection
    known: Known
    decision: Decision
    patient_id: UUID | None
    decide: Decide = decide
    touched: list[UUID] = field(default_factory=list[UUID])
    """All patients whose data the work touched; the one it is about is there already."""
    reason: str | None = None
    details: str | None = None

    @property
    def user(self) -> User:
        """Who acts."""
        return self.known.user

    async def require(self, patient_id: UUID) -> None:
        """Decide for another patient than the one it is about, or for the first, where there was none yet.

        **Raises**: NotAllowed.
        """
        relation = await relation_to(self.connection, patient_id)
        decision = self.decide(self.user, self.decision.action, relation)
        if not decision.allowed:
            raise NotAllowed(REFUSED)
        if self.patient_id is None and not self.touched:
            # The ground on which it is done is that of its patient.
            self.decision = decision
        self.touched.append(patient_id)


@asynccontextmanager
async def doing(pool: Pool, known: Known, deed: Deed) -> AsyncGenerator[Acting]:
    """Within the block the work is done; at its end, it and its audit row are committed.

    **Raises**: NotAllowed, what the work raises, and as `Pool.transaction`.
    """
    act: Acting | None = None
    try:
        with fenced():
            async with acting(pool, known.user, deed.action) as connection:
                act = await _begin(connection, known, deed)
                _require(act)
                yield act
                await audit_rows.write(connection, _event(deed, act, Outcome.ALLOWED))
    except Exception as error:
        # Whatever went wrong, that it did is on record; it is not handled here and goes on.
        await _record_failure(pool, known, deed, act, error)
        raise


async def _begin(connection: Connection, known: Known, deed: Deed) -> Acting:
    act = Acting(connection, known, await _decide(connection, known, deed), deed.patient_id, deed.decide)
    if deed.patient_id is not None:
        act.touched.append(deed.patient_id)
    return act


def _require(act: Acting) -> None:
    if not act.decision.allowed:
        raise NotAllowed(REFUSED)


async def _decide(connection: Connection, known: Known, deed: Deed) -> Decision:
    if not await may_act(connection):
        return Decision(deed.action, known.user.role, None, "nobody has this role there any more")
    relation: Relation | None = None
    if deed.patient_id is not None:
        relation = await relation_to(connection, deed.patient_id)
    return deed.decide(known.user, deed.action, relation)


def _event(deed: Deed, act: Acting, outcome: Outcome) -> Event:
    patients = list(dict.fromkeys(act.touched))
    identifier_type, identifier = audit.of_patients(patients)
    return Event(
        event_code=deed.action.value,
        action=deed.kind,
        happened_us=wall_now_us(),
        user_id=str(act.user.person_id),
        user_role=act.user.role.value,
        identifier_type=identifier_type,
        identifier=identifier,
        authorisation_protocol=act.decision.protocol,
        source=deed.source,
        organisation_id=act.user.organisation_id,
        patients=tuple(patients),
        ground=act.decision.ground,
        outcome=outcome,
        session=act.known.session,
        reason=act.reason,
        details=act.details,
    )


async def _record_failure(pool: Pool, known: Known, deed: Deed, act: Acting | None, error: Exception) -> None:
    async with pool.transaction() as connection:
        if act is None:
            decision = Decision(deed.action, known.user.role, None, "not decided")
            touched = [] if deed.patient_id is None else [deed.patient_id]
            act = Acting(connection, known, decision, deed.patient_id, touched=touched)
            await audit_rows.write(connection, _event(deed, act, Outcome.FAILED))
            return
        outcome = Outcome.REFUSED if isinstance(error, NotAllowed) else Outcome.FAILED
        event = replace(_event(deed, act, outcome), details=type(error).__name__)
        await audit_rows.write(connection, event)
