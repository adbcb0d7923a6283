"""What people do with the register, each in a unit of work: read, decide, write; for routes and commands."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID, uuid4

from ingest.acting import Acting
from ingest.register.decisions import decide, merge
from ingest.register.forms import (
    ChangeForm,
    EmergencyForm,
    InclusionForm,
    MergeForm,
    RelationForm,
    SearchForm,
)
from ingest.register.inclusions import Given, include, origins_of
from ingest.register.state import fold
from models.bsn import bsn_of
from models.clock import to_datetime
from models.db import register
from models.db.directory import organisations
from models.db.identity import identities
from models.db.installation import purpose
from models.db.programmes import catalogue
from models.errors import BadInput, NotThere
from models.identity import Identity, Keys
from models.register import Inclusion, content_of

TREATMENT, CONSENT = "treatment_relation", "consent"


async def given(act: Acting, now_us: int) -> Given:
    """What decisions rest on beside the form."""
    return Given(
        catalogue=await catalogue(act.connection),
        organisations=await organisations(act.connection),
        origins=origins_of(await purpose(act.connection)),
        person_id=act.user.person_id,
        organisation_id=act.user.organisation_id,
        now_us=now_us,
        set_by=act.user.role.value,
    )


async def include_patient(act: Acting, keys: Keys, form: InclusionForm, now_us: int) -> Inclusion:
    """Includes one patient. **Raises**: BadInput, NotAllowed."""
    (inclusion,) = await include_patients(act, keys, [(uuid4(), form)], now_us)
    return inclusion


async def include_patients(
    act: Acting, keys: Keys, forms: Sequence[tuple[UUID, InclusionForm]], now_us: int
) -> list[Inclusion]:
    """Includes patients under the given ids, all or none. **Raises**: BadInput, NotAllowed."""
    rests_on = await given(act, now_us)
    inclusions = [include(form, rests_on, patient_id) for patient_id, form in forms]
    await register.include(act.connection, keys, inclusions, act.user.person_id)
    act.touched.extend(one.patient_id for one in inclusions)
    return inclusions


async def change_patient(act: Acting, keys: Keys, patient_id: UUID, form: ChangeForm, now_us: int) -> int:
    """Changes one thing about a patient; their new version. **Raises**: BadInput, NotAllowed, Outdated."""
    await register.move_version(act.connection, patient_id, form.version)
    who = await register.registered(act.connection, patient_id)
    decided = decide(who, form, await given(act, now_us))
    await register.change(act.connection, keys, who, decided, act.user.person_id)
    act.details = form.change.name
    return who.version


async def merge_patients(act: Acting, keys: Keys, patient_id: UUID, form: MergeForm, now_us: int) -> int:
    """Ends a double registration; its new version. **Raises**: BadInput, NotAllowed, Outdated."""
    await act.require(form.into)
    # Always in the same order, so that two merges never wait for each other.
    seen = sorted([(patient_id, form.version), (form.into, form.into_version)])
    for one, version in dict(seen).items():
        await register.move_version(act.connection, one, version)
    double = await register.registered(act.connection, patient_id)
    stays = await register.registered(act.connection, form.into)
    decided = merge(double, stays, await given(act, now_us))
    await register.change(act.connection, keys, double, decided, act.user.person_id)
    return double.version


async def search(act: Acting, keys: Keys, form: SearchForm) -> list[dict[str, Any]]:
    """Who is found, of those whom the user may see; each is on record. **Raises**: BadInput."""
    if form.bsn is not None:
        found = await identities(act.connection, keys, bsn=bsn_of(form.bsn))
    elif form.family_name is not None and form.birth_date is not None:
        found = await identities(act.connection, keys, name=(form.family_name, form.birth_date))
    else:
        raise BadInput(where="search", expected="bsn, or family_name and birth_date", found="neither")
    act.touched.extend(found)
    ended = await register.ended_among(act.connection, list(found))
    return [
        {
            "patient_id": str(patient_id),
            "family_name": identity.family_name,
            "given_names": identity.given_names,
            "birth_date": identity.birth_date.isoformat(),
            "ended": patient_id in ended,
            "merged_into": ended.get(patient_id),
        }
        for patient_id, identity in found.items()
    ]


async def show(act: Acting, patient_id: UUID, now_us: int) -> dict[str, Any]:
    """What the register knows of a patient, but who they are. **Raises**: NotAllowed."""
    who = await register.registered(act.connection, patient_id)
    state = fold(who.changes, now_us)
    devices = await register.devices_of(act.connection, patient_id)
    return {
        "patient_id": patient_id,
        "organisation_id": who.organisation_id,
        "origin": who.origin,
        "version": who.version,
        "care": asdict(who.care),
        "programmes": {
            name: {
                "version": one.version,
                "limits": {n: limit.model_dump() for n, limit in one.limits_at(now_us).items()},
                "schedule": {n: schedule.model_dump() for n, schedule in one.schedule.items()},
            }
            for name, one in state.enrolments.items()
        },
        "paused": state.is_paused(now_us),
        "admitted": state.admitted,
        "to_come": [
            {"from": to_datetime(from_us), **content_of(one)}
            for from_us, one in who.changes
            if from_us > now_us
        ],
        "ended": None if state.end is None else state.end.reason,
        "treated_by": [
            asdict(one) for one in await register.relations_of(act.connection, TREATMENT, patient_id)
        ],
        "consents": [asdict(one) for one in await register.relations_of(act.connection, CONSENT, patient_id)],
        "devices": [
            {**asdict(device), "handed_out_at": out, "returned_at": back} for device, out, back in devices
        ],
    }


async def who_is(act: Acting, keys: Keys, patient_id: UUID) -> Identity:
    """Name, birth date, number, contacts. **Raises**: NotThere when nothing is known, or may be seen."""
    found = await identities(act.connection, keys, patients=[patient_id])
    if patient_id not in found:
        raise NotThere("Nothing is known of who this patient is.")
    return found[patient_id]


async def begin_relation(act: Acting, table: str, patient_id: UUID, form: RelationForm) -> None:
    """An organisation begins to treat, or may look. **Raises**: BadInput."""
    if not await organisations(act.connection, [form.organisation_id]):
        raise BadInput(where="organisation_id", expected="an organisation in the register", found="another")
    await register.begin_relation(
        act.connection, table, patient_id, form.organisation_id, act.user.person_id, form.until
    )
    act.details = f"{table} begins"


async def end_relation(act: Acting, table: str, patient_id: UUID, organisation_id: UUID) -> None:
    """An organisation treats, or may look, no more. **Raises**: NotThere."""
    if not await register.end_relation(act.connection, table, patient_id, organisation_id):
        raise NotThere("That organisation has no such relation to this patient.")
    act.details = f"{table} ends"


async def declare_emergency(act: Acting, patient_id: UUID, form: EmergencyForm) -> UUID:
    """Lets the user look at once, for some hours, under review. **Raises**: NotAllowed."""
    act.reason = form.reason
    user = act.user
    return await register.declare_emergency(
        act.connection, patient_id, user.person_id, user.organisation_id, form.hours, form.reason
    )
