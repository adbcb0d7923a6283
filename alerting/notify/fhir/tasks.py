"""What is asked, as a Task: of whom, by whom, how urgently, until when, and about what. Pure."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from alerting.notify.fhir.entries import (
    ESCALATION,
    ORGANISATION,
    PERSON,
    create,
    identified,
    mark,
    patient_reference,
    put,
)
from alerting.notify.fhir.handed import Handed, Named
from alerting.notify.grouping import accept_by_us
from ingest.rights.resources import Resource, reference
from models.clock import to_datetime
from models.escalations import Escalation, EscalationState, RequestKind

PRIORITIES: Mapping[RequestKind, str] = {
    RequestKind.ACUTE: "stat",
    RequestKind.COMPLEX_REGIONAL: "urgent",
    RequestKind.REGULAR: "routine",
}
"""R4 knows routine < urgent < asap < stat."""

_DUTCH: Mapping[RequestKind, str] = {
    RequestKind.ACUTE: "Acute zorgvraag",
    RequestKind.COMPLEX_REGIONAL: "Complexe regionale zorgvraag",
    RequestKind.REGULAR: "Reguliere zorgvraag",
}
STATUSES: Mapping[EscalationState, str] = {
    EscalationState.ASKED: "requested",
    EscalationState.ACCEPTED: "accepted",
    EscalationState.ANSWERED: "completed",
    EscalationState.HANDED_BACK: "rejected",
    EscalationState.PASSED_ON: "cancelled",
    EscalationState.WITHDRAWN: "cancelled",
}
_WHY_CANCELLED: Mapping[EscalationState, str] = {
    EscalationState.PASSED_ON: "Niemand nam de vraag op tijd aan; zij is doorgegeven.",
    EscalationState.WITHDRAWN: "De vraag is ingetrokken.",
}
TASK_CODE = "http://hl7.org/fhir/CodeSystem/task-code"
REQUEST = "urn:thuiswacht:request"
INPUT = "urn:thuiswacht:task-input"


def organisation(named: Named) -> Resource:
    """An organisation by our id."""
    return identified("Organization", ORGANISATION, named.id_, named.name)


def person(named: Named) -> Resource:
    """Somebody by our id."""
    return identified("Practitioner", PERSON, named.id_, named.name)


def task_entry(
    handed: Handed, escalation: Escalation, focus: UUID, flags: Sequence[str], observations: Sequence[str]
) -> Resource:
    """The Task. Once made it is the receiver's to move; only what is over with us is written over."""
    resource = mark(_task(handed, escalation, focus, flags, observations), handed.message.origin)
    over = escalation.state in _WHY_CANCELLED
    make = put if over else create
    return make(escalation.escalation_id, resource, ESCALATION, escalation.escalation_id)


def _task(
    handed: Handed, escalation: Escalation, focus: UUID, flags: Sequence[str], observations: Sequence[str]
) -> Resource:
    asked_at = to_datetime(escalation.asked_at_us).isoformat()
    resource: Resource = {
        "resourceType": "Task",
        "identifier": [{"use": "official", "system": ESCALATION, "value": str(escalation.escalation_id)}],
        "status": STATUSES[escalation.state],
        "intent": "order",
        "priority": PRIORITIES[escalation.request],
        "code": _code(escalation.request),
        "description": escalation.question or escalation.reason,
        "focus": reference(focus),
        "for": patient_reference(escalation.patient_id),
        "authoredOn": asked_at,
        "lastModified": to_datetime(handed.now_us).isoformat(),
        "requester": organisation(handed.sender),
        "owner": organisation(handed.to),
        "reasonCode": {"text": escalation.reason},
        "note": [{"text": _responsible(handed.sender)}],
        "restriction": _restriction(handed, escalation, asked_at),
        "input": [
            _input(name, id_) for name, ids in (("flag", flags), ("observation", observations)) for id_ in ids
        ],
    }
    if flags:
        resource["reasonReference"] = reference(flags[0])
    if not resource["input"]:
        del resource["input"]
    if escalation.state in _WHY_CANCELLED:
        resource["statusReason"] = {"text": _WHY_CANCELLED[escalation.state]}
    if handed.answers_at is not None:
        where = f"{handed.answers_at}/{escalation.escalation_id}"
        resource["extension"] = [{"url": "urn:thuiswacht:answers-at", "valueUrl": where}]
    return resource


def _code(request: RequestKind) -> Resource:
    return {
        "coding": [{"system": TASK_CODE, "code": "fulfill"}, {"system": REQUEST, "code": request.value}],
        "text": _DUTCH[request],
    }


def _restriction(handed: Handed, escalation: Escalation, asked_at: str) -> Resource:
    period = {"start": asked_at}
    by_us = escalation.answer_by_us or accept_by_us(handed.message, escalation)
    if by_us is not None:
        period["end"] = to_datetime(by_us).isoformat()
    return {"repetitions": 1, "period": period, "recipient": [organisation(handed.to)]}


def _responsible(sender: Named) -> str:
    where = sender.name or "de afzender"
    ring = f" Telefoon: {sender.telephone}." if sender.telephone else ""
    return (
        f"Tot een met naam genoemde persoon deze vraag aanneemt, blijft {where} verantwoordelijk.{ring} "
        "Aannemen: status accepted, met die persoon als owner."
    )


def _input(name: str, id_: str) -> Resource:
    return {"type": {"coding": [{"system": INPUT, "code": name}]}, "valueReference": reference(id_)}
