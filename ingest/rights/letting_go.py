"""Retention carried out: records 20 years after their last change, the audit log after 5 years."""

from dataclasses import dataclass, replace
from uuid import UUID

from ingest.auditing.verifying import by_nobody
from ingest.on_command import Who, acting_as
from ingest.rights.destruction import destroy_all, to_let_go
from ingest.rights.registrations import registrations_of
from models.access import Action
from models.audit import LET_GO, Kind
from models.clock import wall_now_us
from models.db import audit
from models.db.pool import connected
from models.db.rights import Warrant
from models.retention import Ground, Obstacle

REASON = "kept for as long as the law wants"


@dataclass(frozen=True, slots=True)
class LetGo:
    """Records that are old enough, each with what is in the way of letting go; how many rows of the log."""

    records: dict[UUID, Obstacle | None]
    audit_rows: int


async def let_go(dsn: str, who: Who, at_us: int, *, really: bool) -> LetGo:
    """Lets go of what is old enough at a moment, or only says of what. **Units**: microseconds since 1970."""
    kind = Kind.DELETE if really else Kind.READ
    async with (
        connected(dsn, role="thuiswacht_people", application="thuiswacht-rights") as people,
        connected(dsn, role="thuiswacht_audit", application="thuiswacht-rights") as auditor,
    ):
        async with acting_as(people, who, Action.DESTRUCTION, kind, reason=REASON) as deed:
            records = await to_let_go(deed.connection, at_us)
            deed.touched += records
            if really:
                warrant = Warrant(
                    Ground.RETENTION,
                    at_us,
                    wall_now_us(),
                    deed.decision.protocol,
                    deed.decision.ground,
                    REASON,
                )
                free = [patient_id for patient_id, obstacle in records.items() if obstacle is None]
                # Those first that were merged into another.
                persons = [await registrations_of(deed.connection, one, deed.require) for one in free]
                await destroy_all(deed.connection, [one for person in persons for one in person], warrant)
            organisation_id = deed.user.organisation_id
        event = replace(
            by_nobody(LET_GO, Kind.DELETE, organisation_id), user_id=str(who.person_id), reason=REASON
        )
        async with auditor.transaction() as connection:
            if really:
                rows = await audit.let_go(connection, at_us, event)
            else:
                rows = await audit.to_let_go(connection, at_us)
    return LetGo(records, sum(rows.values()))
