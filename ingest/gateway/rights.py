"""What a patient has a right to, and the review of looks, by HTTP: who works for the patient asks for it.

Everything that needs a reason is a POST: reasons stand in no address, and so in no log of addresses.
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ingest.auditing import reviewing
from ingest.gateway.register import IdentityKeys
from ingest.gateway.routes import Act, Routes
from ingest.rights import destruction, looks, service
from ingest.rights.corrections import Identity, Wanted
from models.access import Action
from models.audit import Kind
from models.clock import DAY_US, HOUR_US, to_us, wall_now_us
from models.errors import BadInput
from models.looks import Verdict

FHIR_JSON = "application/fhir+json"

patients = Routes("/patients", "the patient's rights")
auditing = Routes("/audit", "review of looks")

Reason = Annotated[str, Field(min_length=destruction.SHORTEST_REASON, max_length=2_000)]


class Asked(BaseModel):
    """What is asked for, and why; the reason goes on record, so it names nobody."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


class Objection(Asked):
    """Which organisation may not look any more, or may again; by default one's own."""

    organisation_id: UUID | None = None
    take_back: bool = False


class ReadingCorrection(Asked):
    """Which reading is meant, and what it should have been; nothing: it is taken back."""

    kind: str
    taken_at: AwareDatetime
    device_id: Annotated[str, Field(min_length=1, max_length=200)]
    value: Annotated[float, Field(allow_inf_nan=False)] | None = None
    unit: str | None = None
    code: str | None = None
    take_back: bool = False


class DestructionAsked(Asked):
    """A destruction; `interest_of_another` refuses it, because somebody else needs the record kept."""

    interest_of_another: bool = False


class Reviewed(BaseModel):
    """What a review says of an emergency access."""

    model_config = ConfigDict(extra="forbid")

    verdict: Verdict


class Period(BaseModel):
    """How far back looks are reviewed."""

    model_config = ConfigDict(extra="forbid")

    days: Annotated[int, Field(ge=1, le=366)] = 7


def _about(act: Act) -> UUID:
    if act.patient_id is None:
        raise BadInput(where="patient_id", expected="a patient", found="none")
    return act.patient_id


def correction_of(patient_id: UUID, asked: ReadingCorrection) -> tuple[Identity, Wanted]:
    """Which reading a form means, and what it should have been. **Raises**: BadInput."""
    if sum((asked.take_back, asked.value is not None, asked.code is not None)) != 1:
        raise BadInput(
            where="value", expected="one of value with unit, code, take_back", found="none or several"
        )
    identity = Identity(patient_id, asked.kind, to_us(asked.taken_at), asked.device_id)
    return identity, Wanted(asked.value, asked.unit, asked.code)


@patients.route("POST", "/{patient_id}/looks", action=Action.LOOKS_READ, kind=Kind.READ, patient="patient_id")
async def read_looks(act: Act, asked: Asked) -> list[dict[str, object]]:
    """Who looked at the patient's data, when, what, on which ground, in plain Dutch and English."""
    act.reason = asked.reason
    return looks.structure(await service.looks(act.connection, _about(act), act.require))


@patients.route("POST", "/{patient_id}/copy", action=Action.COPY_MAKE, kind=Kind.READ, patient="patient_id")
async def make_copy(act: Act, keys: IdentityKeys, asked: Asked) -> JSONResponse:
    """Everything that is held of the patient, as one FHIR R4 bundle."""
    act.reason = asked.reason
    copied = await service.copy(act.connection, keys, _about(act), act.require, wall_now_us())
    return JSONResponse(copied, media_type=FHIR_JSON)


@patients.route(
    "POST",
    "/{patient_id}/objections",
    action=Action.OBJECTION_RECORD,
    kind=Kind.UPDATE,
    patient="patient_id",
    status=204,
)
async def record_objection(act: Act, asked: Objection) -> None:
    """An organisation may not look any more, or may again."""
    act.reason = asked.reason
    act.details = "taken back" if asked.take_back else None
    if asked.take_back:
        await service.take_objection_back(act.connection, act.user, _about(act), asked.organisation_id)
    else:
        await service.object_to(act.connection, act.user, _about(act), asked.organisation_id, asked.reason)


@patients.route(
    "POST",
    "/{patient_id}/corrections",
    action=Action.CORRECTION_MAKE,
    kind=Kind.UPDATE,
    patient="patient_id",
    status=202,
)
async def make_correction(act: Act, asked: ReadingCorrection) -> dict[str, Any]:
    """A reading is corrected or taken back: it goes through the log, and counts once it was read there.

    What the register holds is corrected in the register.
    """
    act.reason = asked.reason
    identity, wanted = correction_of(_about(act), asked)
    made = await service.correct_reading(act.connection, act.user, identity, wanted, wall_now_us())
    return {"revision": made.revision, "taken_back": made.is_void, "too_late_for_the_rules": made.is_too_late}


@patients.route(
    "GET", "/{patient_id}/destruction", action=Action.DESTRUCTION, kind=Kind.READ, patient="patient_id"
)
async def preview_destruction(act: Act) -> dict[str, object]:
    """What a destruction would delete, what stays and why, and what is in the way."""
    found = await destruction.preview(act.connection, _about(act), act.require, wall_now_us())
    return destruction.structure(found)


@patients.route(
    "POST", "/{patient_id}/destruction", action=Action.DESTRUCTION, kind=Kind.DELETE, patient="patient_id"
)
async def destroy(act: Act, asked: DestructionAsked) -> JSONResponse:
    """Destroys all that is held of the patient, or says why not: nothing can bring it back."""
    act.reason = asked.reason
    done = await destruction.destroy_on_request(
        act.connection,
        _about(act),
        act.require,
        act.decision,
        asked.reason,
        interest_of_another=asked.interest_of_another,
    )
    act.details = None if done.obstacle is None else done.obstacle.value
    return JSONResponse(destruction.structure(done), status_code=200 if done.is_done else 409)


@auditing.route("POST", "/review", action=Action.AUDIT_REVIEW, kind=Kind.READ)
async def review_looks(act: Act, period: Period) -> list[dict[str, object]]:
    """Looks of one's own organisation that are worth a second look, each with the reason in a sentence."""
    until_us = wall_now_us()
    since_us = (until_us - period.days * DAY_US) // HOUR_US * HOUR_US
    found = await reviewing.flags(act.connection, since_us, until_us)
    act.touched += reviewing.patients_of(found)
    return reviewing.structure(found, await reviewing.names(act.connection, found))


@auditing.route(
    "POST", "/emergencies/{emergency_id}/verdict", action=Action.AUDIT_REVIEW, kind=Kind.UPDATE, status=204
)
async def give_verdict(act: Act, emergency_id: UUID, reviewed: Reviewed) -> None:
    """Closes the review of an emergency access; never of one's own."""
    act.details = f"verdict: {reviewed.verdict}"
    closed = await reviewing.give_verdict(act.connection, act.user, emergency_id, reviewed.verdict)
    act.touched.append(closed.patient_id)
