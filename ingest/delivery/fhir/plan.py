"""What is to be done with what is asked for: readings, changes of the register, or an answer already. Pure.

Of one reading a bundle has one value: what says the same again is answered like the first, what says
something else is refused, for nobody could say which came first.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeAlias
from uuid import UUID

from ingest.delivery.content import Code, Correction, Fault, Outcome, Result
from ingest.delivery.fhir.bundle import Entry, Supporting
from ingest.delivery.fhir.capability import TOLD, Interaction
from ingest.delivery.fhir.elements import Element, objects_in, shown
from ingest.delivery.fhir.frames import Frames
from ingest.delivery.fhir.ids import observation_id
from ingest.delivery.fhir.interaction import STATUSES, Asked, Refused, object_of
from ingest.delivery.fhir.observation import Mapped, holds_no_reading, map_observation
from ingest.delivery.fhir.questionnaire import map_questionnaire_response
from ingest.delivery.fhir.references import BSN, BSN_OID, OUR_PATIENT, Bundled, device_of
from ingest.delivery.fhir.responses import (
    ACCEPTED,
    DUPLICATE,
    SUPPORTING,
    UNDONE,
    Response,
    Version,
    refusal,
    response_of,
)
from models.messages import WireReading

STRANGER = (
    "Whose it is is known from the device: the patient in the message has no number that is known here."
)
_CONTENT = ("value", "unit", "code", "text", "absent", "void", "revision")


class Planned(NamedTuple):
    """Readings to be delivered."""

    asked: Asked
    mapped: Mapped
    note: str | None = None
    """What else is to be said of it."""


class Again(NamedTuple):
    """The same as an earlier entry, by its number."""

    of: int


Step: TypeAlias = Planned | Asked | Again | Response
"""`Asked`: to be told to the register. `Response`: nothing is left to be done."""


def plan(
    entries: Sequence[Entry], *, is_bundle: bool, together: bool = False, is_trial: bool = False
) -> list[Step]:
    """What is to be done with each entry, in their order. `is_trial`: nobody here exists."""
    steps: list[Step] = []
    frames: Frames = {}
    known: dict[Hashable, tuple[int, tuple[object, ...]]] = {}
    for entry in entries:
        step = _step(entry, frames, is_bundle=is_bundle, together=together, is_trial=is_trial)
        if is_bundle and isinstance(step, Planned):
            step = _once(step, len(steps), steps, known)
        steps.append(step)
    return steps


def _step(entry: Entry, frames: Frames, *, is_bundle: bool, together: bool, is_trial: bool) -> Step:
    match entry:
        case Refused():
            return response_of(entry)
        case Supporting():
            return Response(200, SUPPORTING)
        case Asked(type=type_, place=place) if type_ in TOLD:
            if together:
                expected = "readings in a transaction; changes go in a batch, or by themselves"
                return refusal(422, Fault(place, expected, type_, Code.NOT_SUPPORTED))
            return entry
        case Asked():
            return _map(entry, frames, is_bundle=is_bundle, is_trial=is_trial)


def _map(asked: Asked, frames: Frames, *, is_bundle: bool, is_trial: bool) -> Step:
    resource = asked.resource
    if asked.interaction is Interaction.UPDATE:
        resource = _without_version(resource)
    note = None
    if _names_a_stranger(resource, asked.bundled):
        resource, note = {name: value for name, value in resource.items() if name != "subject"}, STRANGER
    where, bundled = asked.place, asked.bundled
    if asked.type == "Observation":
        shared = frames if is_bundle else None
        mapped = map_observation(resource, where=where, bundled=bundled, trial=is_trial, frames=shared)
    else:
        mapped = map_questionnaire_response(resource, where=where, bundled=bundled, trial=is_trial)
    if isinstance(mapped, Mapped):
        return Planned(asked, mapped, note)
    if is_bundle and asked.type == "Observation" and (why := holds_no_reading(asked.resource)):
        return Response(200, f"It holds no reading and none is lost: {why}.")
    return refusal(422, *mapped)


def _names_a_stranger(resource: Element, bundled: Bundled) -> bool:
    """Whether its patient stands in the message under numbers of the sender's own, beside a device.

    The guide for personal health devices has it so. Such numbers say nothing here: the device does.
    """
    subject = object_of(resource.get("subject"))
    if subject is None or "device" not in resource or "identifier" in subject:
        return False
    patient = device_of(resource, subject.get("reference"), bundled)
    if patient is None or patient.get("resourceType") != "Patient":
        return False
    systems = [one.get("system") for one in objects_in(patient, "identifier", "", [])]
    return not any(system in systems for system in (OUR_PATIENT, BSN, BSN_OID))


def _without_version(resource: Element) -> Element:
    """What is put here has the version that it gets here, whatever it was where it comes from.

    Who changes what we answered sends our last version back with it: that is no revision of theirs.
    """
    meta = object_of(resource.get("meta"))
    if meta is None or "versionId" not in meta:
        return resource
    return {**resource, "meta": {name: value for name, value in meta.items() if name != "versionId"}}


def _once(
    step: Planned, number: int, steps: Sequence[Step], known: dict[Hashable, tuple[int, tuple[object, ...]]]
) -> Step:
    """The step, unless an earlier entry is about one of its readings."""
    found = dict(_readings(step.mapped))
    before = [known[identity] for identity in found if identity in known]
    if not before:
        known |= {identity: (number, content) for identity, content in found.items()}
        return step
    first = before[0][0]
    other = steps[first]
    if (
        isinstance(other, Planned)
        and dict(_readings(other.mapped)) == found
        and other.mapped.delivered.correction is step.mapped.delivered.correction
    ):
        return Again(first)
    expected = f"a reading once in a bundle; entry {first} has the same one"
    return refusal(409, Fault(step.asked.place, expected, "it with something else", Code.CONFLICT))


def _readings(mapped: Mapped) -> Iterator[tuple[Hashable, tuple[object, ...]]]:
    """What makes each reading the same as another, and what it says."""
    delivered = mapped.delivered
    who = delivered.device_id or delivered.patient
    for reading in delivered.readings:
        yield (who, reading["kind"], reading["taken_at_us"]), _content(reading)


def _content(reading: WireReading) -> tuple[object, ...]:
    return tuple([reading.get(name) for name in _CONTENT])


def id_of(step: Planned, patient_id: UUID, device_id: str) -> UUID:
    """The id that the resource has here."""
    return observation_id(patient_id, step.mapped.about, step.mapped.taken_at_us, device_id)


def refuse_address(step: Planned, id_: UUID) -> Response | None:
    """A refusal for what is put to another id than its own, which the answer names."""
    if step.asked.to is None or step.asked.to == str(id_):
        return None
    expected = f"{id_}: the id follows from patient, what is measured, time and device"
    return refusal(422, Fault(f"{step.asked.place}.id", expected, shown(step.asked.to), Code.RULE))


def refuse_version(step: Planned, stored: int | None) -> Response | None:
    """A refusal where another revision is stored than the one that is meant; None: nothing is stored yet."""
    wanted = step.asked.if_match
    if wanted is None or wanted == stored:
        return None
    found = "none that is stored yet" if stored is None else f'W/"{stored}"'
    entry, in_bundle, _ = step.asked.place.rpartition(".resource")
    where = f"{entry}.request.ifMatch" if in_bundle else "http.If-Match"
    return refusal(412, Fault(where, f'the version W/"{wanted}"', found, Code.CONFLICT))


def refuse_others(steps: Mapping[int, Planned], patients: Mapping[int, UUID]) -> Mapping[int, Response]:
    """Refusals for a transaction about several patients: of each entry that is of another than the first."""
    numbers = sorted(steps)
    if not numbers:
        return {}
    first = numbers[0]
    expected = f"the patient of entry {first}: a transaction is of one patient, a batch may be of several"
    return {
        number: refusal(422, Fault(steps[number].asked.place, expected, "another", Code.RULE))
        for number in numbers
        if number in patients and patients[number] != patients.get(first)
    }


_PLACES: Mapping[str, str] = {"device_id": "device", "patient": "subject", "patient_id": "subject"}
"""Where FHIR has what the desk asks for."""


def answer(step: Planned, outcome: Outcome, device_id: str, at_us: int) -> Response:
    """What became of readings that were delivered as this device. **Units**: microseconds since 1970 UTC."""
    faults = tuple(_placed(fault, step.asked.place) for fault in outcome.faults)
    if outcome.result is Result.REFUSED or outcome.patient_id is None:
        status = STATUSES[faults[0].code] if faults else UNDONE
        return Response(status, faults=faults, address=outcome.status)
    is_new = outcome.result is Result.ACCEPTED
    version = Version(
        step.asked.type,
        id_of(step, outcome.patient_id, device_id),
        outcome.revision,
        at_us if is_new else None,
        step.asked.resource,
    )
    is_first = step.mapped.delivered.correction is Correction.NONE
    status = 201 if is_new and is_first else 200
    said = ACCEPTED if is_new else DUPLICATE
    return Response(status, f"{said} {step.note}" if step.note else said, faults, version, outcome.status)


def _placed(fault: Fault, place: str) -> Fault:
    if fault.where.startswith(place):
        return fault
    name = _PLACES.get(fault.where)
    return replace(fault, where=place if name is None else f"{place}.{name}")


def moved(response: Response, of: int, to: int) -> Response:
    """What was answered to one entry, for another that says the same."""
    places = f"Bundle.entry[{of}]", f"Bundle.entry[{to}]"
    faults = [replace(fault, where=fault.where.replace(*places, 1)) for fault in response.faults]
    return response._replace(faults=tuple(faults))
