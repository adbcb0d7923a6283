"""Whose log may be recorded: nobody asks about patients who do not exist; for all others somebody answers."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from ingest.acting import Acting
from ingest.on_command import Who, acting_as
from ingest.rights.destruction import require_reason
from models.access import Action, User
from models.audit import Kind
from models.db.declared import acting
from models.db.installation import Purpose, purpose
from models.db.pool import Connection, Pool, connected
from models.db.recorded import recordable, simulated
from models.errors import NotAllowed, RefuseToStart
from models.messages import Origin
from models.settings import Settings

APPLICATION = "thuiswacht-record"


@dataclass(frozen=True, slots=True)
class Permission:
    """Whose messages may be taken: `allowed` None where nobody in the database exists."""

    patients: Literal["real", "simulated"]
    canaries: frozenset[UUID]
    allowed: frozenset[UUID] | None = None
    user: User | None = None


async def permitted(settings: Settings, who: Who | None, reason: str | None, details: str) -> Permission:
    """Decides, and puts on record before anything is read, whose patients are recorded, by whom and why.

    **Raises**: RefuseToStart without a database, or without a person and a reason where patients exist;
    BadInput; NotAllowed.
    """
    if settings.postgres is None:
        raise RefuseToStart(
            "Which database reads this log? Name it with --postgres or THUISWACHT_POSTGRES: it says whether "
            "the patients in it exist."
        )
    if await _purpose(settings) == "trial":
        async with _reading(settings) as connection:
            found = await simulated(connection)
        return Permission("simulated", _canaries(found))
    if who is None or reason is None:
        raise RefuseToStart(
            "This is a live database, with real patients. Recording them takes a person who may, and why: "
            "--as ID --reason TEXT. It is put on record."
        )
    require_reason(reason)
    async with (
        connected(settings.postgres_dsn, role="thuiswacht_people", application=APPLICATION) as pool,
        acting_as(pool, who, Action.RECORDING_MAKE, Kind.READ, reason=reason) as act,
    ):
        return await _of_real_patients(act, details)


async def _of_real_patients(act: Acting, details: str) -> Permission:
    found = await recordable(act.connection, act.user.organisation_id)
    allowed = frozenset(patient_id for patient_id, origin in found.items() if origin is Origin.REAL)
    if not allowed:
        raise NotAllowed("There are no patients whom you may record.")
    first, *others = sorted(allowed)
    # The ground on which it is done is that of the patients; the database has asked the same table for each.
    await act.require(first)
    act.touched += others
    act.details = details
    return Permission("real", _canaries(found), allowed, act.user)


def _canaries(found: dict[UUID, Origin]) -> frozenset[UUID]:
    return frozenset(patient_id for patient_id, origin in found.items() if origin is Origin.CANARY)


@asynccontextmanager
async def looking(settings: Settings, permission: Permission) -> AsyncGenerator[Connection]:
    """A transaction in which the stored history of those who may be recorded is seen, and nobody else's."""
    if permission.user is None:
        async with _reading(settings) as connection:
            yield connection
        return
    async with (
        connected(settings.postgres_dsn, role="thuiswacht_people", application=APPLICATION) as pool,
        acting(pool, permission.user, Action.RECORDING_MAKE) as connection,
    ):
        yield connection


async def _purpose(settings: Settings) -> Purpose:
    async with _reading(settings) as connection:
        return await purpose(connection)


@asynccontextmanager
async def _reading(settings: Settings) -> AsyncGenerator[Connection]:
    pool: Pool
    async with (
        connected(settings.postgres_dsn, role="thuiswacht_read", application=APPLICATION, max_size=1) as pool,
        pool.transaction() as connection,
    ):
        yield connection
