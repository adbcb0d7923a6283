"""What the access matrix asks of each route: an address and a body that would be granted if the user may.

Bodies name the patient's own treating organisations, or another patient in the same relation, so that the
only reason to refuse is who asks.
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from models.access import Role
from models.clock import to_datetime, wall_now_us
from tests.integration.access.world import CENTRE, NEIGHBOURS, OURS, PRACTICE, THEIRS, Subject

Body = dict[str, Any] | list[dict[str, Any]] | None
Ask = Callable[[Subject, Subject], Body]
"""From the patient that it is about, and another in the same relation, to a body."""

REASON = "asked by the patient on paper"


def _inclusion(_subject: Subject, _other: Subject) -> Body:
    return {
        "identity": {"family_name": "Nieuw", "birth_date": "1950-03-01", "without_bsn": "test"},
        "programmes": [{"programme": "heart_failure"}],
        "origin": "simulated",
        "huisarts": str(PRACTICE),
        "monitoring_centre": str(CENTRE),
    }


def _search(subject: Subject, _other: Subject) -> Body:
    return {"family_name": subject.word, "birth_date": "1950-03-01"}


def _merge(_subject: Subject, other: Subject) -> Body:
    return {"version": 1, "into": str(other.patient_id), "into_version": 1}


def _correction(subject: Subject, _other: Subject) -> Body:
    return {
        "reason": REASON,
        "kind": "body_weight",
        "taken_at": "2026-11-20T00:00:00Z",
        "device_id": subject.word,
        "take_back": True,
    }


def _told(_subject: Subject, _other: Subject) -> Body:
    taken_at = to_datetime(wall_now_us()).isoformat()
    return {"taken_at": taken_at, "values": {"body_weight": 81.4}}


def _several(subject: Subject, other: Subject) -> Body:
    return {"alerts": _alerts(subject, other)}


def _alerts(subject: Subject, other: Subject) -> list[dict[str, Any]]:
    alerts = (subject.alert_id, other.alert_id)
    return [{"alert_id": str(alert_id), "version": 1} for alert_id in alerts]


def _several_with(**fields: Any) -> Ask:
    return lambda subject, other: {"alerts": _alerts(subject, other), **fields}


def _moving(subject: Subject, _other: Subject) -> Body:
    return {"patients": [{"patient_id": str(subject.patient_id), "version": 1}]}


def _body(**fields: Any) -> Ask:
    return lambda _subject, _other: fields


REQUESTS: Mapping[str, Ask] = {
    "POST /patients": _inclusion,
    "POST /patients/search": _search,
    "POST /patients/{patient_id}/changes": _body(version=1, change={"pause": {"reason": "holiday"}}),
    "POST /patients/{patient_id}/merge": _merge,
    "POST /patients/{patient_id}/relations": _body(organisation_id=str(NEIGHBOURS)),
    "POST /patients/{patient_id}/relations/end": _body(organisation_id=str(THEIRS)),
    "POST /patients/{patient_id}/consents": _body(organisation_id=str(NEIGHBOURS)),
    "POST /patients/{patient_id}/consents/end": _body(organisation_id=str(THEIRS)),
    "POST /patients/{patient_id}/emergencies": _body(reason="does not answer the door", hours=1),
    "POST /patients/{patient_id}/looks": _body(reason=REASON),
    "POST /patients/{patient_id}/copy": _body(reason=REASON),
    "POST /patients/{patient_id}/objections": _body(reason=REASON, organisation_id=str(NEIGHBOURS)),
    "POST /patients/{patient_id}/corrections": _correction,
    "POST /patients/{patient_id}/destruction": _body(reason=REASON),
    "POST /audit/review": _body(days=7),
    "POST /audit/emergencies/{emergency_id}/verdict": _body(verdict="justified"),
    "POST /directory/organisations": _body(name="Nieuw", kind="hospital"),
    "PUT /directory/organisations/{organisation_id}": _body(version=1, name="Nieuw", kind="hospital"),
    "POST /directory/people": _body(name="Nieuw"),
    "POST /directory/people/{person_id}/roles": _body(organisation_id=str(THEIRS), role=Role.NURSE),
    "POST /directory/people/{person_id}/roles/end": _body(organisation_id=str(THEIRS), role=Role.NURSE),
    "POST /directory/addresses": _body(
        organisation_id=str(NEIGHBOURS), channel="email", value="post@example.org"
    ),
    "POST /directory/patient-apps": _body(
        source="vendor-z", address="https://app.example/hook", origin="simulated"
    ),
    "POST /patients/{patient_id}/messages": _body(text="measure_now", about="body_weight"),
    "PUT /fhir/Task/{escalation_id}": _body(resourceType="Task", status="received"),
    "PATCH /fhir/Task/{escalation_id}": lambda _subject, _other: [
        {"op": "replace", "path": "/status", "value": "received"}
    ],
    "POST /console/wishes": _body(look="dark"),
    "POST /console/patients/search": _search,
    "POST /console/patients/{patient_id}/changes": _body(version=1, change={"pause": {"reason": "holiday"}}),
    "POST /console/patients/{patient_id}/relations": _body(organisation_id=str(NEIGHBOURS)),
    "POST /console/patients/{patient_id}/relations/end": _body(organisation_id=str(THEIRS)),
    "POST /console/patients/{patient_id}/consents": _body(organisation_id=str(NEIGHBOURS)),
    "POST /console/patients/{patient_id}/consents/end": _body(organisation_id=str(THEIRS)),
    "POST /console/patients/{patient_id}/emergencies": _body(reason="does not answer the door", hours=1),
    "POST /console/patients/{patient_id}/calls": _body(outcome="reached", note=REASON),
    "POST /console/patients/{patient_id}/readings": _told,
    "POST /console/patients/{patient_id}/corrections": _correction,
    "POST /console/patients/{patient_id}/messages": _body(text="measure_now", about="body_weight"),
    "POST /console/technical/refused/retry": _body(reason="unknown_unit"),
    "POST /console/administration/organisations": _body(name="Nieuw", kind="hospital"),
    "POST /console/administration/organisations/{organisation_id}": _body(
        version=1, name="Nieuw", kind="hospital"
    ),
    "POST /console/administration/addresses": _body(
        organisation_id=str(NEIGHBOURS), channel="email", address="post@example.org"
    ),
    "POST /console/administration/people": _body(name="Nieuw"),
    "POST /console/administration/people/{person_id}/roles": _body(
        organisation_id=str(THEIRS), role=Role.NURSE
    ),
    "POST /console/administration/people/{person_id}/roles/end": _body(
        organisation_id=str(THEIRS), role=Role.NURSE
    ),
    "POST /console/administration/systems": _body(
        client_id="new", name="Nieuw", organisation_id=str(THEIRS), public_key="no key"
    ),
    "POST /console/administration/programmes/{programme}/move": _moving,
    "POST /console/looks/{emergency_id}/verdict": _body(verdict="justified"),
    "POST /console/looks/search": _search,
    "POST /console/looks/of/{patient_id}": _body(reason=REASON),
    "POST /console/worklist/search": lambda subject, _other: {"name": subject.word},
    "POST /console/worklist/views": _body(name="Ernstig", sought={"severity": "high"}),
    "POST /console/worklist/claim": _several,
    "POST /console/worklist/give-back": _several,
    "POST /console/worklist/accept": _several,
    "POST /console/worklist/take-back": _several,
    "POST /console/worklist/reopen": _several,
    "POST /console/worklist/snooze": _several_with(minutes=15),
    "POST /console/worklist/resolve": _several_with(outcome="true_no_action"),
    "POST /console/worklist/decline": _several_with(reason=REASON),
    "POST /console/worklist/notes": _several_with(text=REASON),
    "POST /console/worklist/hand-over": _several_with(role=Role.NURSE, organisation_id=str(OURS)),
    "POST /console/worklist/ask": lambda subject, _other: {
        "alert_id": str(subject.alert_id),
        "version": 1,
        "recipient": "specialist",
        "request": "regular",
        "reason": REASON,
    },
    "POST /console/include": _inclusion,
    "POST /console/include/known": lambda subject, other: {"identity": _search(subject, other)},
    "POST /console/patients/{patient_id}/devices": _body(version=1, hand_out={"device_id": "SC-1"}),
    "POST /console/patients/{patient_id}/proposals/{proposal_id}/accept": _body(version=1),
    "POST /console/patients/{patient_id}/proposals/{proposal_id}/merge": _body(version=1, into_version=1),
    "POST /console/patients/{patient_id}/proposals/{proposal_id}/decline": _body(reason=REASON),
    "POST /console/huisarts/{escalation_id}/accept": _body(version=1),
    "POST /console/huisarts/{escalation_id}/answer": _body(version=1, answer=REASON, referral_avoided=True),
    "POST /console/huisarts/{escalation_id}/hand-back": _body(version=1, reason=REASON),
    "POST /alerts/acknowledge": _several,
    "POST /alerts/{alert_id}/acknowledge": _body(version=1),
    "POST /alerts/{alert_id}/give-back": _body(version=1),
    "POST /alerts/{alert_id}/snooze": _body(version=1, until="2026-12-01T00:00:00Z"),
    "POST /alerts/{alert_id}/resolve": _body(version=1, outcome="true_no_action"),
    "POST /alerts/{alert_id}/reopen": _body(version=1, reason=REASON),
    "POST /alerts/{alert_id}/notes": _body(version=1, text=REASON),
    "POST /alerts/{alert_id}/hand-over": _body(version=1, role=Role.NURSE, organisation_id=str(OURS)),
    "POST /alerts/{alert_id}/hand-over/accept": _body(version=1),
    "POST /alerts/{alert_id}/hand-over/decline": _body(version=1, reason=REASON),
    "POST /alerts/{alert_id}/escalations": _body(
        version=1, recipient="specialist", request="regular", reason=REASON
    ),
    "POST /alerts/{alert_id}/escalations/{escalation_id}/accept": _body(version=1),
    "POST /alerts/{alert_id}/escalations/{escalation_id}/answer": _body(
        version=1, answer=REASON, referral_avoided=True
    ),
    "POST /alerts/{alert_id}/escalations/{escalation_id}/hand-back": _body(version=1, reason=REASON),
    "POST /alerts/{alert_id}/escalations/{escalation_id}/withdraw": _body(version=1, reason=REASON),
}
"""Routes with a body; those without need none."""


def parameters(subject: Subject, person_id: UUID, something: UUID) -> dict[str, UUID | str]:
    """What stands in the address of a route."""
    return {
        "patient_id": subject.patient_id,
        "organisation_id": NEIGHBOURS,
        "person_id": person_id,
        "address_id": something,
        "emergency_id": something,
        "alert_id": subject.alert_id,
        "escalation_id": subject.escalation_id,
        "proposal_id": subject.proposal_id,
        "technical_alert_id": something,
        "view_id": something,
        "incident_id": something,
        "name": UUID(int=0),
        "programme": "heart_failure",
        "chart": "body_weight",
        "form": "pause",
        "client_id": "somebody",
    }
