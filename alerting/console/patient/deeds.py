"""What people do on a patient's page: ring, enter, correct, tell, change; each one unit of work on record."""

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from pydantic import AwareDatetime, Field

from alerting.console.frame import ByConsole, Frame, frame_of, happened, page, render
from alerting.console.patient.calling import noted
from alerting.worklist import patient_messages
from alerting.worklist.forms import PatientMessageForm, Text
from ingest.gateway.register import IdentityKeys
from ingest.gateway.rights import ReadingCorrection, correction_of
from ingest.gateway.routes import Act, Routes
from ingest.register import acts
from ingest.register.forms import (
    ChangeForm,
    EmergencyForm,
    EndRelationForm,
    Form,
    Number,
    RelationForm,
    Short,
)
from ingest.rights import service
from ingest.rights.telephone import Told
from models.access import Action
from models.audit import Kind
from models.clock import to_us
from models.db.calls import Call, CallOutcome, write_call
from models.errors import BadInput

routes = Routes("/console", "console")


class CallForm(Form):
    """What came of a call; `alert_id` where it was about an alert, which keeps it as a note."""

    outcome: CallOutcome
    call_back_at: AwareDatetime | None = None
    note: Text | None = None
    alert_id: UUID | None = None


class TelephoneForm(Form):
    """What a patient said that they measured, by kind; without a unit in the kind's own."""

    taken_at: AwareDatetime
    values: Annotated[dict[Short, Number], Field(max_length=40)] = Field(default_factory=dict[str, float])
    units: Annotated[dict[Short, Short], Field(max_length=40)] = Field(default_factory=dict[str, str])
    codes: Annotated[dict[Short, Short], Field(max_length=40)] = Field(default_factory=dict[str, str])


@routes.route(
    "POST", "/patients/{patient_id}/calls", action=Action.CALL_RECORD, kind=Kind.CREATE, patient="patient_id"
)
async def record_call(
    request: Request, act: Act, console: ByConsole, patient_id: UUID, form: CallForm
) -> HTMLResponse:
    """Somebody was rung: reached or not, and when to ring again."""
    frame = await frame_of(request, act)
    back_us = None if form.call_back_at is None else to_us(form.call_back_at)
    if form.outcome is CallOutcome.CALL_BACK and back_us is None:
        raise BadInput(where="call_back_at", expected="when to ring again", found="nothing")
    if back_us is not None and back_us <= frame.now_us:
        raise BadInput(where="call_back_at", expected="a moment to come", found="one that is over")
    call = Call(
        call_id=uuid4(),
        patient_id=patient_id,
        by=act.user.person_id,
        happened_at_us=frame.now_us,
        outcome=form.outcome,
        call_back_at_us=back_us,
        note=form.note,
        alert_id=form.alert_id,
    )
    if call.alert_id is not None:
        await noted(act, console.rules, call, frame)
    await write_call(act.connection, call)
    act.details = f"call: {form.outcome}"
    return _done(frame, "called")


@routes.route(
    "POST",
    "/patients/{patient_id}/readings",
    action=Action.READING_ENTER,
    kind=Kind.CREATE,
    patient="patient_id",
)
async def enter_readings(request: Request, act: Act, patient_id: UUID, form: TelephoneForm) -> HTMLResponse:
    """What a patient told by telephone: it goes through the log, and counts once it was read there."""
    frame = await frame_of(request, act)
    told = Told(to_us(form.taken_at), form.values, form.units, form.codes)
    await service.enter_readings(act.connection, act.user, patient_id, told, frame.now_us)
    act.details = "told by telephone"
    return _done(frame, "entered")


@routes.route(
    "POST",
    "/patients/{patient_id}/corrections",
    action=Action.CORRECTION_MAKE,
    kind=Kind.UPDATE,
    patient="patient_id",
)
async def correct_reading(
    request: Request, act: Act, patient_id: UUID, form: ReadingCorrection
) -> HTMLResponse:
    """A reading is corrected or taken back; it stays visible, with who did it."""
    frame = await frame_of(request, act)
    act.reason = form.reason
    identity, wanted = correction_of(patient_id, form)
    await service.correct_reading(act.connection, act.user, identity, wanted, frame.now_us)
    return _done(frame, "taken_back" if wanted.is_void else "corrected")


@routes.route(
    "POST",
    "/patients/{patient_id}/messages",
    action=Action.PATIENT_MESSAGE,
    kind=Kind.CREATE,
    patient="patient_id",
)
async def tell_patient(
    request: Request, act: Act, patient_id: UUID, form: PatientMessageForm
) -> HTMLResponse:
    """Tells the patient something through their app; 409 where there is none: ring them."""
    frame = await frame_of(request, act)
    await patient_messages.tell(act, patient_id, form, frame.now_us)
    return _done(frame, "told")


@routes.route(
    "POST",
    "/patients/{patient_id}/changes",
    action=Action.PATIENT_CHANGE,
    kind=Kind.UPDATE,
    patient="patient_id",
)
async def change(
    request: Request, act: Act, keys: IdentityKeys, patient_id: UUID, form: ChangeForm
) -> HTMLResponse:
    """Changes one thing about the patient as they were seen; 409 when somebody was faster."""
    frame = await frame_of(request, act)
    await acts.change_patient(act, keys, patient_id, form, frame.now_us)
    return _done(frame, form.change.name or "changed")


@routes.route(
    "POST",
    "/patients/{patient_id}/relations",
    action=Action.RELATION_CHANGE,
    kind=Kind.CREATE,
    patient="patient_id",
)
async def begin_treatment(request: Request, act: Act, patient_id: UUID, form: RelationForm) -> HTMLResponse:
    """An organisation begins to treat the patient."""
    frame = await frame_of(request, act)
    await acts.begin_relation(act, acts.TREATMENT, patient_id, form)
    return _done(frame, "relation")


@routes.route(
    "POST",
    "/patients/{patient_id}/relations/end",
    action=Action.RELATION_CHANGE,
    kind=Kind.UPDATE,
    patient="patient_id",
)
async def end_treatment(request: Request, act: Act, patient_id: UUID, form: EndRelationForm) -> HTMLResponse:
    """An organisation treats the patient no more."""
    frame = await frame_of(request, act)
    await acts.end_relation(act, acts.TREATMENT, patient_id, form.organisation_id)
    return _done(frame, "relation_ended")


@routes.route(
    "POST",
    "/patients/{patient_id}/consents",
    action=Action.CONSENT_RECORD,
    kind=Kind.CREATE,
    patient="patient_id",
)
async def record_consent(request: Request, act: Act, patient_id: UUID, form: RelationForm) -> HTMLResponse:
    """The patient consents that an organisation looks."""
    frame = await frame_of(request, act)
    await acts.begin_relation(act, acts.CONSENT, patient_id, form)
    return _done(frame, "consent")


@routes.route(
    "POST",
    "/patients/{patient_id}/consents/end",
    action=Action.CONSENT_RECORD,
    kind=Kind.UPDATE,
    patient="patient_id",
)
async def end_consent(request: Request, act: Act, patient_id: UUID, form: EndRelationForm) -> HTMLResponse:
    """The patient takes a consent back."""
    frame = await frame_of(request, act)
    await acts.end_relation(act, acts.CONSENT, patient_id, form.organisation_id)
    return _done(frame, "consent_ended")


@routes.route(
    "GET",
    "/patients/{patient_id}/emergency",
    action=Action.EMERGENCY_DECLARE,
    kind=Kind.READ,
    patient="patient_id",
)
async def show_emergency(request: Request, act: Act, patient_id: UUID) -> HTMLResponse:
    """Where an emergency is declared; it says nothing of the patient, not even that there is one."""
    return await page(request, act, "patient/emergency.html.j2", patient_id=patient_id)


@routes.route(
    "POST",
    "/patients/{patient_id}/emergencies",
    action=Action.EMERGENCY_DECLARE,
    kind=Kind.CREATE,
    patient="patient_id",
)
async def declare_emergency(act: Act, patient_id: UUID, form: EmergencyForm) -> Response:
    """Looks at once, for some hours, with a reason that is reviewed afterwards."""
    await acts.declare_emergency(act, patient_id, form)
    return Response(status_code=204, headers={"HX-Redirect": f"/console/patients/{patient_id}"})


def _done(frame: Frame, what: str) -> HTMLResponse:
    """Says that it is done, closes the form, and has the page look again."""
    said = {"text": frame.t(f"patient.done.{what}")}
    events = {"said": said, "changed": True, "close-dialog": True}
    return happened(render("patient/nothing.html.j2"), **events)
