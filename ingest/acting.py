"""Who acts on the command line: a person in a role, a decision, one transaction, and a row on record.

The same as `gateway/guard.py` does for requests, for commands: the person is declared in the transaction, the
policy decides, the row is written before the commit; what is refused or fails leaves nothing but a row.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import click

from models import audit
from models.access import Action, Decision, Role, User, decide
from models.audit import Event, Kind, Outcome
from models.clock import wall_now_us
from models.db import audit as audit_rows
from models.db.declared import declare, may_act, relation_to, roles_of
from models.db.pool import Connection, Pool
from models.errors import BadInput, ThuiswachtError

SOURCE = "thuiswacht.cli"


class NotAllowed(ThuiswachtError):
    """The person may not do this, or there is no such patient: the two look the same."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who a command says that acts; organisation and role where the person has several."""

    person_id: UUID
    organisation_id: UUID | None = None
    role: Role | None = None


@dataclass(slots=True)
class Deed:
    """What a command works with: a transaction in which its user is declared, and what will be on record."""

    connection: Connection
    user: User
    decision: Decision
    kind: Kind
    touched: list[UUID] = field(default_factory=list[UUID])
    """All patients whose data it touches."""
    reason: str | None = None
    details: str | None = None

    async def require(self, patient_id: UUID) -> None:
        """Decide for one more patient. **Raises**: NotAllowed."""
        self.touched.append(patient_id)
        relation = await relation_to(self.connection, patient_id)
        self.decision = decide(self.user, self.decision.action, relation)
        _require(self.decision)


def only_role(who: Who, held: Sequence[tuple[UUID, Role]]) -> User:
    """The role that is meant, of those that a person holds today.

    **Raises**: BadInput when none is left, or more than one.

    >>> only_role(Who(UUID(int=1)), [(UUID(int=2), Role.NURSE)]).role
    <Role.NURSE: 'nurse'>
    """
    meant = [
        (organisation_id, role)
        for organisation_id, role in held
        if who.organisation_id in {None, organisation_id} and who.role in {None, role}
    ]
    if len(meant) == 1:
        return User(who.person_id, *meant[0])
    if not meant:
        raise BadInput(where="--as", expected="a person who has this role there today", found="none")
    choices = "; ".join(f"--role {role} --organisation {organisation}" for organisation, role in meant)
    raise BadInput(where="--as", expected=f"one of: {choices}", found=f"{len(meant)} roles")


@asynccontextmanager
async def acting_as(
    pool: Pool,
    who: Who,
    action: Action,
    kind: Kind,
    *,
    patient_id: UUID | None = None,
    reason: str | None = None,
) -> AsyncGenerator[Deed]:
    """A transaction in which somebody does something, allowed and on record; `patient_id`: whom it is about.

    **Raises**: NotAllowed; BadInput when it is not clear as what the person acts; as `Pool.transaction`.
    """
    async with pool.connection() as connection:
        user = only_role(who, await roles_of(connection, who.person_id))
    undecided = Decision(action, user.role, None, "not decided")
    deed: Deed | None = None
    try:
        async with pool.transaction() as connection:
            await declare(connection, user, action)
            deed = Deed(connection, user, undecided, kind, reason=reason)
            if patient_id is not None:
                deed.touched.append(patient_id)
            deed.decision = await _decided(connection, user, action, patient_id)
            _require(deed.decision)
            yield deed
            await audit_rows.write(connection, event_of(deed, Outcome.ALLOWED))
    except Exception as error:
        if deed is not None:
            await _record_failure(pool, deed, error)
        raise


def event_of(deed: Deed, outcome: Outcome) -> Event:
    """The row that tells of a deed."""
    touched = tuple(dict.fromkeys(deed.touched))
    identifier_type, identifier = audit.of_patients(touched)
    return Event(
        event_code=deed.decision.action.value,
        action=deed.kind,
        happened_us=wall_now_us(),
        user_id=str(deed.user.person_id),
        user_role=deed.user.role.value,
        identifier_type=identifier_type,
        identifier=identifier,
        authorisation_protocol=deed.decision.protocol,
        source=SOURCE,
        organisation_id=deed.user.organisation_id,
        patients=touched,
        ground=deed.decision.ground,
        outcome=outcome,
        reason=deed.reason,
        details=deed.details,
    )


def acting_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say who acts, for commands: `person_id`, `organisation_id`, `role`, `postgres`."""
    options = (
        click.option("--as", "person_id", type=click.UUID, required=True, help="Who does this: their id."),
        click.option("--organisation", "organisation_id", type=click.UUID, help="Where, if at several."),
        click.option("--role", type=click.Choice([role.value for role in Role]), help="As what, if several."),
        click.option("--postgres", metavar="DSN", help="The database. Default: THUISWACHT_POSTGRES."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def who_of(person_id: UUID, organisation_id: UUID | None, role: str | None) -> Who:
    """What the options say."""
    return Who(person_id, organisation_id, None if role is None else Role(role))


async def _decided(connection: Connection, user: User, action: Action, patient_id: UUID | None) -> Decision:
    if not await may_act(connection):
        return Decision(action, user.role, None, "nobody has this role there any more")
    return decide(user, action, None if patient_id is None else await relation_to(connection, patient_id))


def _require(decision: Decision) -> None:
    if not decision.allowed:
        raise NotAllowed(f"Not allowed with this patient, or there is no such patient ({decision.why}).")


async def _record_failure(pool: Pool, deed: Deed, error: Exception) -> None:
    outcome = Outcome.REFUSED if isinstance(error, NotAllowed) else Outcome.FAILED
    event = replace(event_of(deed, outcome), details=type(error).__name__)
    async with pool.transaction() as connection:
        await audit_rows.write(connection, event)
