"""Routes of messages to patients, and of the apps through which they travel."""

from typing import Any
from uuid import UUID

from alerting.gateway.rules import ByRules
from alerting.worklist import patient_messages
from alerting.worklist.forms import PatientAppForm, PatientMessageForm
from ingest.gateway.routes import Act, Routes
from models.access import Action
from models.audit import Kind
from models.db.positions import dispatch_now_us

patients = Routes("/patients", "messages to patients")
apps = Routes("/directory/patient-apps", "directory")


@patients.route(
    "POST",
    "/{patient_id}/messages",
    action=Action.PATIENT_MESSAGE,
    kind=Kind.CREATE,
    patient="patient_id",
    status=202,
)
async def tell_patient(
    act: Act, rules: ByRules, patient_id: UUID, form: PatientMessageForm
) -> dict[str, Any]:
    """Tell a patient something through their app; 409 where there is none: ring them."""
    now_us = await dispatch_now_us(act.connection, rules.settings)
    return {"message_id": await patient_messages.tell(act, patient_id, form, now_us)}


@apps.route("GET", "", action=Action.DIRECTORY_READ, kind=Kind.READ)
async def list_apps(act: Act) -> dict[str, Any]:
    """The apps through which patients are told, by the source of their readings."""
    return {"patient_apps": await patient_messages.list_apps(act)}


@apps.route("POST", "", action=Action.ORGANISATION_CHANGE, kind=Kind.CREATE, status=201)
async def add_app(act: Act, form: PatientAppForm) -> dict[str, Any]:
    """From now on patients of this source are told through it."""
    return {"address_id": await patient_messages.add_app(act, form)}


@apps.route("POST", "/{address_id}/end", action=Action.ORGANISATION_CHANGE, kind=Kind.UPDATE, status=204)
async def end_app(act: Act, address_id: UUID) -> None:
    """From now on nobody is told through it."""
    await patient_messages.end_app(act, address_id)
