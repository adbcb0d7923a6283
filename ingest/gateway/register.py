"""Routes of the register: including a patient, changing one, relations, search; no number in any address."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request

from ingest.gateway.routes import Act, Routes
from ingest.register import acts
from ingest.register.forms import (
    ChangeForm,
    EmergencyForm,
    EndRelationForm,
    InclusionForm,
    MergeForm,
    RelationForm,
    SearchForm,
)
from models.access import Action
from models.audit import Kind
from models.clock import wall_now_us
from models.identity import Keys

routes = Routes("/patients", "register")


def _keys(request: Request) -> Keys:
    keys: Keys = request.app.state.identity_keys
    return keys


IdentityKeys = Annotated[Keys, Depends(_keys)]
"""With which identities are sealed; whoever makes the app puts them into `app.state.identity_keys`."""


@routes.route("POST", "", action=Action.PATIENT_INCLUDE, kind=Kind.CREATE, status=201)
async def include(act: Act, keys: IdentityKeys, form: InclusionForm) -> dict[str, Any]:
    """Include a patient: registration, identity, programmes, relations, in one request."""
    included = await acts.include_patient(act, keys, form, wall_now_us())
    return {"patient_id": included.patient_id, "version": 1}


@routes.route("POST", "/search", action=Action.PATIENT_SEARCH, kind=Kind.READ)
async def search(act: Act, keys: IdentityKeys, form: SearchForm) -> dict[str, Any]:
    """Find patients by number, or by family name and birth date, among those whom one may see."""
    return {"patients": await acts.search(act, keys, form)}


@routes.route("GET", "/{patient_id}", action=Action.PATIENT_READ, kind=Kind.READ, patient="patient_id")
async def show(act: Act, patient_id: UUID) -> dict[str, Any]:
    """What the register knows of a patient, but who they are."""
    return await acts.show(act, patient_id, wall_now_us())


@routes.route(
    "GET", "/{patient_id}/identity", action=Action.IDENTITY_READ, kind=Kind.READ, patient="patient_id"
)
async def who_is(act: Act, keys: IdentityKeys, patient_id: UUID) -> dict[str, Any]:
    """Name, birth date, number, contacts."""
    return (await acts.who_is(act, keys, patient_id)).model_dump(mode="json")


@routes.route(
    "POST", "/{patient_id}/changes", action=Action.PATIENT_CHANGE, kind=Kind.UPDATE, patient="patient_id"
)
async def change(act: Act, keys: IdentityKeys, patient_id: UUID, form: ChangeForm) -> dict[str, Any]:
    """Change one thing about a patient as they were seen in a version; 409 when somebody was faster."""
    return {"version": await acts.change_patient(act, keys, patient_id, form, wall_now_us())}


@routes.route(
    "POST", "/{patient_id}/merge", action=Action.PATIENT_MERGE, kind=Kind.UPDATE, patient="patient_id"
)
async def merge(act: Act, keys: IdentityKeys, patient_id: UUID, form: MergeForm) -> dict[str, Any]:
    """End a double registration, pointing to the one that stays."""
    return {"version": await acts.merge_patients(act, keys, patient_id, form, wall_now_us())}


@routes.route(
    "POST",
    "/{patient_id}/relations",
    action=Action.RELATION_CHANGE,
    kind=Kind.CREATE,
    status=204,
    patient="patient_id",
)
async def begin_treatment(act: Act, patient_id: UUID, form: RelationForm) -> None:
    """An organisation begins to treat the patient."""
    await acts.begin_relation(act, acts.TREATMENT, patient_id, form)


@routes.route(
    "POST",
    "/{patient_id}/relations/end",
    action=Action.RELATION_CHANGE,
    kind=Kind.UPDATE,
    status=204,
    patient="patient_id",
)
async def end_treatment(act: Act, patient_id: UUID, form: EndRelationForm) -> None:
    """An organisation treats the patient no more."""
    await acts.end_relation(act, acts.TREATMENT, patient_id, form.organisation_id)


@routes.route(
    "POST",
    "/{patient_id}/consents",
    action=Action.CONSENT_RECORD,
    kind=Kind.CREATE,
    status=204,
    patient="patient_id",
)
async def record_consent(act: Act, patient_id: UUID, form: RelationForm) -> None:
    """The patient consents that an organisation looks, without being treated there."""
    await acts.begin_relation(act, acts.CONSENT, patient_id, form)


@routes.route(
    "POST",
    "/{patient_id}/consents/end",
    action=Action.CONSENT_RECORD,
    kind=Kind.UPDATE,
    status=204,
    patient="patient_id",
)
async def end_consent(act: Act, patient_id: UUID, form: EndRelationForm) -> None:
    """The patient takes a consent back."""
    await acts.end_relation(act, acts.CONSENT, patient_id, form.organisation_id)


@routes.route(
    "POST",
    "/{patient_id}/emergencies",
    action=Action.EMERGENCY_DECLARE,
    kind=Kind.CREATE,
    status=201,
    patient="patient_id",
)
async def declare_emergency(act: Act, patient_id: UUID, form: EmergencyForm) -> dict[str, Any]:
    """Look at once, for some hours, with a reason that is reviewed afterwards."""
    return {"emergency_id": await acts.declare_emergency(act, patient_id, form)}
