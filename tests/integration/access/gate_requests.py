"""What the access matrix delivers at each route of the front gate: the only reason to refuse is for whom."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ingest.delivery.fhir.ids import observation_id
from ingest.delivery.fhir.observation import Mapped, map_observation
from ingest.delivery.fhir.questionnaire import map_questionnaire_response
from models.clock import MINUTE_US, to_datetime, wall_now_us
from tests.integration.access.world import Subject
from tests.unit.delivery.fhir.samples import observation
from tests.unit.delivery.hospital.resources import by_id, encounter, episode, patient, without

CLIENT = "hospital"
"""Which delivers; it may name patients."""
FHIR = "application/fhir+json"
ADAPTER = "sensor_series"
"""Which reads its webhooks."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request."""

    path: str
    body: object
    content_type: str = "application/json"


Ask = Callable[[Subject], Delivery]


def _taken_us() -> int:
    # Whole minutes, and some time ago: a clock that is ahead would be another reason.
    return wall_now_us() // MINUTE_US * MINUTE_US - MINUTE_US


def _upload(subject: Subject) -> Delivery:
    taken_at = to_datetime(_taken_us()).isoformat()
    reading = {"kind": "body_weight", "value": 81.4, "unit": "kg", "taken_at": taken_at}
    return Delivery("/v1/uploads", {"device_id": subject.word, "readings": [reading]})


def _observation(subject: Subject) -> dict[str, Any]:
    return observation(
        subject=by_id(subject.patient_id),
        effectiveDateTime=to_datetime(_taken_us()).isoformat(),
        device={"identifier": {"system": "urn:thuiswacht:device", "value": subject.word}},
    )


def _response(subject: Subject) -> dict[str, Any]:
    return {
        "resourceType": "QuestionnaireResponse",
        "id": f"r-{subject.word}",
        "questionnaire": "urn:thuiswacht:questionnaire:copd|1",
        "status": "completed",
        "subject": by_id(subject.patient_id),
        "authored": to_datetime(_taken_us()).isoformat(),
        "item": [{"linkId": "symptom_fever", "answer": [{"valueBoolean": True}]}],
    }


def _bundle(subject: Subject) -> Delivery:
    entry = {"resource": _observation(subject), "request": {"method": "POST", "url": "Observation"}}
    return Delivery("/fhir", {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}, FHIR)


def _with_derived_id(subject: Subject, resource: dict[str, Any]) -> Delivery:
    type_ = resource["resourceType"]
    mapped = map_observation(resource) if type_ == "Observation" else map_questionnaire_response(resource)
    assert isinstance(mapped, Mapped), mapped
    device = mapped.delivered.device_id or CLIENT
    made = observation_id(subject.patient_id, mapped.about, mapped.taken_at_us, device)
    return Delivery(f"/fhir/{type_}/{made}", {**resource, "id": str(made)}, FHIR)


def _told(subject: Subject, type_: str) -> dict[str, Any]:
    number = f"O-{subject.word}"
    match type_:
        case "Patient":
            it = patient(deceasedBoolean=True, birthDate="1950-03-01", id=str(subject.patient_id))
            return without(it, "identifier", "name")
        case "Encounter":
            start_us = wall_now_us() - MINUTE_US
            return encounter(number=number, subject=by_id(subject.patient_id), start_us=start_us, id=number)
        case _:
            known_by = [{"system": "https://hospital.example/episodes", "value": number}]
            return episode(
                "finished", "heart_failure", patient=by_id(subject.patient_id), id=number, identifier=known_by
            )


def _post(type_: str) -> Ask:
    return lambda subject: Delivery(f"/fhir/{type_}", without(_told(subject, type_), "id"), FHIR)


def _put(type_: str) -> Ask:
    def ask(subject: Subject) -> Delivery:
        it = _told(subject, type_)
        return Delivery(f"/fhir/{type_}/{it['id']}", it, FHIR)

    return ask


def _webhook(subject: Subject) -> Delivery:
    record = {
        "systemTime": to_datetime(_taken_us()).isoformat(), "transmitterId": subject.word, "value": 96,
        "unit": "%",
    }  # fmt: skip
    return Delivery(f"/webhooks/{CLIENT}", {"recordType": "spo2", "records": [record]})


GATE_REQUESTS: Mapping[str, Ask] = {
    "POST /v1/uploads": _upload,
    "POST /fhir": _bundle,
    "POST /fhir/Observation": lambda it: Delivery("/fhir/Observation", _observation(it), FHIR),
    "PUT /fhir/Observation/{id}": lambda it: _with_derived_id(it, _observation(it)),
    "POST /fhir/QuestionnaireResponse": lambda it: Delivery(
        "/fhir/QuestionnaireResponse", _response(it), FHIR
    ),
    "PUT /fhir/QuestionnaireResponse/{id}": lambda it: _with_derived_id(it, _response(it)),
    "POST /fhir/Patient": lambda it: Delivery("/fhir/Patient", _told(it, "Patient"), FHIR),
    "PUT /fhir/Patient/{id}": _put("Patient"),
    "POST /fhir/Encounter": _post("Encounter"),
    "PUT /fhir/Encounter/{id}": _put("Encounter"),
    "POST /fhir/EpisodeOfCare": _post("EpisodeOfCare"),
    "PUT /fhir/EpisodeOfCare/{id}": _put("EpisodeOfCare"),
    "POST /webhooks/{client_id}": _webhook,
}
"""Routes about somebody."""

ABOUT_NOBODY = ("GET /v1/uploads/{mark}",)
"""What became of one's own upload: sealed for who delivered it."""
