"""The forms of a patient's page, each with what holds now filled in."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request
from fastapi.responses import HTMLResponse

from alerting.console.frame import ByConsole, frame_of, render
from alerting.console.patient import shown
from alerting.console.patient.content import about as about_patient
from alerting.console.patient.record import Record, load_record
from alerting.engine.expressions import comparisons
from alerting.engine.programme import kinds_of
from alerting.notify.to_patient import ABOUT_A_MEASUREMENT, PatientText
from ingest.gateway.register import IdentityKeys
from ingest.gateway.routes import Act, Routes
from models.access import Action
from models.audit import Kind
from models.db.directory import organisations
from models.errors import NotThere
from models.kinds import KIND_BY_NAME, KINDS
from models.units import UNITS

routes = Routes("/console", "console")

FORMS: dict[str, Action] = {
    "call": Action.CALL_RECORD,
    "reading": Action.READING_ENTER,
    "correction": Action.CORRECTION_MAKE,
    "message": Action.PATIENT_MESSAGE,
    "limits": Action.PATIENT_CHANGE,
    "schedule": Action.PATIENT_CHANGE,
    "enrol": Action.PATIENT_CHANGE,
    "move": Action.PATIENT_CHANGE,
    "withdraw": Action.PATIENT_CHANGE,
    "pause": Action.PATIENT_CHANGE,
    "care": Action.PATIENT_CHANGE,
    "end": Action.PATIENT_CHANGE,
    "relation": Action.RELATION_CHANGE,
    "consent": Action.CONSENT_RECORD,
}
"""Each with what one must be allowed to do."""

_ALWAYS_TOLD = ("body_weight", "systolic", "diastolic", "heart_rate", "spo2", "temperature")
_NEVER_TOLD = frozenset({"battery", "device_state", "score_news2", "glucose_cgm", "pulse", "mean_arterial"})
UNITS_OF: dict[str, tuple[str, ...]] = {
    "glucose": ("mmol/L", "mg/dL"), "temperature": ("Cel", "[degF]"), "body_weight": ("kg", "[lb_av]"),
}  # fmt: skip
"""Kinds that people say in more than one unit."""


@routes.route(
    "GET",
    "/patients/{patient_id}/forms/{form}",
    action=Action.PATIENT_READ,
    kind=Kind.READ,
    patient="patient_id",
)
async def show_form(
    request: Request, act: Act, keys: IdentityKeys, console: ByConsole, patient_id: UUID, form: str,
    about: Annotated[str, Query(max_length=60, pattern=r"^[a-z0-9_-]*$")] = "",
) -> HTMLResponse:  # fmt: skip
    """A form; `about` names the programme or the alert that it is about."""
    frame = await frame_of(request, act)
    if form not in FORMS or not frame.may(FORMS[form]):
        raise NotThere("There is no such form.")
    record = await load_record(act, keys, console.rules, patient_id, frame.now_us)
    return render(
        "patient/form.html.j2",
        form=form,
        about=about,
        told=told_by_telephone(record),
        kinds=KIND_BY_NAME,
        units_of=UNITS_OF,
        units=UNITS,
        organisations=list((await organisations(act.connection)).values()),
        newest=shown.newest_versions(record.programmes),
        titles=_titles(record, frame.language),
        texts=[text for text in PatientText if text is not PatientText.MEASURE_AGAIN],
        about_measurement=ABOUT_A_MEASUREMENT,
        **about_patient(record, frame),
    )


def told_by_telephone(record: Record) -> list[str]:
    """What is asked for: what the patient's programmes look at, and what everybody can measure."""
    looked_at = {
        kind
        for own in record.own
        for rule in own.programme.rules.values()
        for _, condition in rule.conditions()
        for comparison in comparisons(condition)
        for kind in kinds_of(comparison.feature.subject)
    }
    wanted = {*_ALWAYS_TOLD, *looked_at} - _NEVER_TOLD
    return [kind.name for kind in KINDS if kind.name in wanted]


def _titles(record: Record, language: shown.Language) -> dict[str, str]:
    return {name: shown.title_of(one, language) for (name, _), one in sorted(record.programmes.items())}
