"""Destroying a record on the patient's request, and those that were kept for as long as the law wants."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from ingest.rights.registrations import Require, registrations_of
from models.access import Decision
from models.clock import wall_now_us
from models.db import rights
from models.db.pool import Connection
from models.db.rights import Warrant
from models.errors import BadInput
from models.retention import OBSTACLES, STAYS, Ground, Obstacle, may_be_let_go

SHORTEST_REASON = 10


@dataclass(frozen=True, slots=True)
class Destruction:
    """What is, or would be, destroyed of a person: rows by table, over all their registrations.

    `obstacle` says why it cannot be done now; None: it can, or was.
    """

    registrations: tuple[UUID, ...]
    rows: dict[str, int]
    obstacle: Obstacle | None
    is_done: bool = False


async def preview(connection: Connection, patient_id: UUID, require: Require, at_us: int) -> Destruction:
    """What a destruction on request would delete, and what stands in its way."""
    persons = await registrations_of(connection, patient_id, require)
    rows: dict[str, int] = {}
    obstacle: Obstacle | None = None
    for one in persons:
        for table, count in (await rights.record_of(connection, one)).items():
            rows[table] = rows.get(table, 0) + count
        obstacle = obstacle or await rights.obstacle_of(connection, one, Ground.REQUEST, at_us)
    return Destruction(persons, rows, obstacle)


async def destroy_on_request(
    connection: Connection,
    patient_id: UUID,
    require: Require,
    decision: Decision,
    reason: str,
    *,
    interest_of_another: bool = False,
) -> Destruction:
    """Destroys all that is held of a person, or says why not; then nothing is destroyed.

    `interest_of_another`: the person who decides says that somebody else needs it kept (article 7:455 BW).
    **Raises**: BadInput without a reason, or when something came in between.
    """
    require_reason(reason)
    now_us = wall_now_us()
    found = await preview(connection, patient_id, require, now_us)
    if interest_of_another:
        return Destruction(found.registrations, found.rows, Obstacle.INTEREST_OF_ANOTHER)
    if found.obstacle is not None:
        return found
    warrant = Warrant(Ground.REQUEST, now_us, now_us, decision.protocol, decision.ground, reason)
    await destroy_all(connection, found.registrations, warrant)
    return Destruction(found.registrations, found.rows, None, is_done=True)


async def to_let_go(connection: Connection, at_us: int) -> dict[UUID, Obstacle | None]:
    """The records of which the declared user may let go at a moment, each with what is in the way."""
    old = await rights.old_records(connection, at_us)
    return {
        patient_id: await rights.obstacle_of(connection, patient_id, Ground.RETENTION, at_us)
        for patient_id, changed_us in old.items()
        if may_be_let_go(changed_us, at_us)
    }


async def destroy_all(connection: Connection, registrations: Sequence[UUID], warrant: Warrant) -> None:
    """Destroys these registrations, all or none. **Raises**: BadInput when one of them may not be."""
    for one in dict.fromkeys(registrations):
        obstacle = await rights.destroy(connection, one, warrant)
        if obstacle is not None:
            raise BadInput(
                where="patient", expected="a record that may be destroyed", found=OBSTACLES[obstacle].en
            )


def require_reason(reason: str) -> None:
    """Lets no right be carried out without saying why. **Raises**: BadInput."""
    length = len(reason.strip())
    if length < SHORTEST_REASON:
        raise BadInput(where="reason", expected=f"at least {SHORTEST_REASON} letters", found=f"{length}")


def structure(destruction: Destruction) -> dict[str, object]:
    """As it is answered to an API call and printed for scripts."""
    obstacle = destruction.obstacle
    return {
        "done": destruction.is_done,
        "registrations": len(destruction.registrations),
        "rows": destruction.rows,
        "obstacle": None
        if obstacle is None
        else {"code": obstacle.value, "nl": OBSTACLES[obstacle].nl, "en": OBSTACLES[obstacle].en},
        "stays": [
            {"what": {"nl": kept.what.nl, "en": kept.what.en}, "why": {"nl": kept.why.nl, "en": kept.why.en}}
            for kept in STAYS
        ],
    }
