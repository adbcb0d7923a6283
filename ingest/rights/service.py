"""What a patient asks for, carried out in the transaction of who does it for them: looks, copy, correction.

Commands and API routes call the same; that it is allowed, and on record, is theirs to see to.
"""

from uuid import UUID, uuid4

from ingest.rights.bundle import bundle
from ingest.rights.corrections import Correction, Identity, Revision, Wanted, correct
from ingest.rights.looks import Look, overview
from ingest.rights.registrations import Require, registrations_of
from ingest.rights.resources import Resource
from ingest.rights.telephone import DEVICE, Told, upload_of
from models.access import User
from models.audit import Event
from models.db import audit, corrections, rights
from models.db.copies import Rows, load_record
from models.db.identity import identities
from models.db.pool import Connection
from models.errors import BadInput
from models.identity import Keys
from models.kinds import KIND_BY_NAME


async def looks(connection: Connection, patient_id: UUID, require: Require) -> list[Look]:
    """Who looked at a person's data, all their registrations together."""
    events = await _events(connection, await registrations_of(connection, patient_id, require))
    return overview(events, await _names(connection, events))


async def copy(
    connection: Connection, keys: Keys, patient_id: UUID, require: Require, at_us: int
) -> Resource:
    """Everything that is held of a person, as a FHIR bundle. **Units**: microseconds since 1970 UTC."""
    persons = await registrations_of(connection, patient_id, require)
    record: dict[str, Rows] = {}
    for one in persons:
        for table, rows in (await load_record(connection, one)).items():
            record.setdefault(table, []).extend(rows)
    events = sorted(await _events(connection, persons), key=lambda event: event.happened_us)
    names = await _names(connection, events)
    told = list(zip(overview(events, names), [event.action.value for event in events], strict=True))
    organisations = {
        str(row[column])
        for rows in record.values()
        for row in rows
        for column in ("organisation_id",)
        if row.get(column)
    }
    names |= await rights.names_of(connection, organisations)
    who = await identities(connection, keys, patients=persons)
    return bundle(patient_id, record, told, names, who, at_us)


async def object_to(
    connection: Connection, user: User, patient_id: UUID, organisation_id: UUID | None, reason: str
) -> None:
    """Writes down that an organisation, by default the user's own, may not look any more."""
    organisation_id = organisation_id or user.organisation_id
    await rights.object_to(connection, patient_id, organisation_id, user.person_id, reason)


async def take_objection_back(
    connection: Connection, user: User, patient_id: UUID, organisation_id: UUID | None
) -> None:
    """Ends that objection. **Raises**: BadInput when there is none."""
    await rights.take_objection_back(connection, patient_id, organisation_id or user.organisation_id)


async def correct_reading(
    connection: Connection, user: User, identity: Identity, wanted: Wanted, now_us: int
) -> Correction:
    """Leaves a correction to be told to the log. **Raises**: BadInput, as `corrections.correct`.

    **Units**: `now_us` in microseconds since 1970 UTC.
    """
    kind = KIND_BY_NAME.get(identity.kind)
    if kind is None:
        raise BadInput(where="kind", expected="one of our kinds", found="another word")
    stored = await corrections.stored_revisions(
        connection, identity.patient_id, kind.number, identity.taken_at_us, identity.device_id
    )
    upload_id = uuid4()
    revisions = [Revision(*one) for one in stored]
    correction = correct(identity, revisions, wanted, upload_id, user.organisation_id, now_us)
    await corrections.write(connection, upload_id, identity.patient_id, correction.message, user.person_id)
    return correction


async def enter_readings(
    connection: Connection, user: User, patient_id: UUID, told: Told, now_us: int
) -> UUID:
    """Leaves what a patient told by telephone to be told to the log; the id of the upload.

    **Units**: `now_us` in microseconds since 1970 UTC. **Raises**: BadInput, as `telephone.upload_of`.
    """
    stored = {
        kind: [
            Revision(*one)
            for one in await corrections.stored_revisions(
                connection, patient_id, KIND_BY_NAME[kind].number, told.taken_at_us, DEVICE
            )
        ]
        for kind in told.kinds
        if kind in KIND_BY_NAME
    }
    upload_id = uuid4()
    message = upload_of(patient_id, told, stored, upload_id, user.organisation_id, now_us)
    await corrections.write(connection, upload_id, patient_id, message, user.person_id)
    return upload_id


async def _events(connection: Connection, persons: tuple[UUID, ...]) -> list[Event]:
    found: dict[Event, None] = {}
    for one in persons:
        # A row about several registrations of the person is one look.
        found |= dict.fromkeys(await audit.looks_at(connection, one))
    return list(found)


async def _names(connection: Connection, events: list[Event]) -> dict[str, str]:
    ids = {event.user_id for event in events}
    ids |= {str(event.organisation_id) for event in events if event.organisation_id is not None}
    return await rights.names_of(connection, ids)
