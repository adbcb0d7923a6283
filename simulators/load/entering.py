"""The patients of a load come in: by the log, as the register would tell it, or by the register itself."""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import islice
from uuid import UUID

from alerting.engine.programme import Programme
from ingest.acting import Deed, Known, doing
from ingest.log import Writer
from ingest.on_command import Who, acting_as
from ingest.register import acts, directory
from ingest.register.forms import InclusionForm, filled_in
from models.access import Action, Role
from models.audit import Kind
from models.clock import to_datetime
from models.db import directory as stored
from models.db.pool import connected
from models.identity import Keys
from models.messages import Origin
from models.register import Organisation, OrganisationKind
from models.settings import Settings, identity_key
from simulators.load.homes import Homes, enrolments, registrations

ORGANISATION = UUID("00000000-0000-4000-8000-0000000000c1")
AT_ONCE = 500
_MESSAGES_AT_ONCE = 3_000
_SESSION = "load"


async def enter_by_log(
    settings: Settings,
    homes: Homes,
    rows: Sequence[int],
    programmes: Mapping[str, Programme],
    valid_from_us: int,
) -> None:
    """Registers and enrols these patients by messages. **Raises**: TryAgain, RefuseToStart."""
    messages = registrations(homes, rows, programmes, ORGANISATION, valid_from_us)
    async with Writer(settings, idempotent=True, batch_bytes=256 * 1024) as writer:
        while some := list(islice(messages, _MESSAGES_AT_ONCE)):
            await writer.write_many(some)


async def enter_by_register(
    settings: Settings,
    homes: Homes,
    rows: Sequence[int],
    programmes: Mapping[str, Programme],
    who: Who,
    valid_from_us: int,
) -> None:
    """Includes these patients with their devices on loan, at the organisation of who does so.

    **Raises**: NotAllowed, BadInput, RefuseToStart.
    """
    keys = Keys(identity_key(settings))
    async with connected(settings.postgres_dsn, role="thuiswacht_people", application="load") as pool:
        for first in range(0, len(rows), AT_ONCE):
            forms = [
                (UUID(homes.texts[row]), _form_of(homes, row, programmes, valid_from_us))
                for row in rows[first : first + AT_ONCE]
            ]
            async with acting_as(pool, who, Action.PATIENT_INCLUDE, Kind.CREATE) as act:
                await acts.include_patients(act, keys, forms, valid_from_us)


async def enter_engineer(settings: Settings) -> Who:
    """Enters a hospital and somebody who may include patients there, in a database without people."""
    async with connected(
        settings.postgres_dsn, role="thuiswacht_people", application="load", max_size=1
    ) as pool:
        administrator = await directory.begin(
            pool,
            directory.OrganisationForm(name="Load", kind=OrganisationKind.MONITORING_CENTRE),
            directory.PersonForm(name="Load"),
            _SESSION,
        )
        known = Known(administrator, _SESSION)
        hospital = Organisation(ORGANISATION, "Load hospital", OrganisationKind.HOSPITAL, Origin.SIMULATED)
        async with doing(pool, known, Deed(Action.ORGANISATION_CHANGE, Kind.CREATE, _SESSION)) as act:
            await stored.add_organisations(act.connection, [hospital])
        async with doing(pool, known, Deed(Action.PEOPLE_CHANGE, Kind.CREATE, _SESSION)) as act:
            form = directory.PersonForm(name="Load engineer", is_system=True)
            person_id = await directory.add_person(act, form)
            role = directory.RoleForm(organisation_id=ORGANISATION, role=Role.ENGINEER)
            await directory.give_role(act, person_id, role)
    return Who(person_id, ORGANISATION, Role.ENGINEER)


def _form_of(
    homes: Homes, row: int, programmes: Mapping[str, Programme], valid_from_us: int
) -> InclusionForm:
    fields = {
        # A made-up number might be somebody's.
        "identity": {
            "family_name": f"Simulant {row}",
            "birth_date": date(1940, 1, 1),
            "without_bsn": "does not exist",
        },
        "origin": Origin.SIMULATED,
        "programmes": enrolments(row, programmes),
        "watch_devices": False,
        "devices": [{"device_id": homes.devices[row], "kind": "monitor"}],
        "starts_at": to_datetime(valid_from_us),
    }
    return filled_in(InclusionForm, fields)
