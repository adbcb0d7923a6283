"""A message to a patient as a CommunicationRequest, for the app of the vendor. Pure."""

from collections.abc import Mapping
from uuid import UUID

from alerting.notify.fhir.entries import MESSAGE, ORGANISATION, identified, mark, patient_reference
from alerting.notify.fhir.handed import Named
from alerting.notify.fhir.tasks import organisation
from alerting.notify.to_patient import PatientText, Said
from ingest.rights.resources import Resource
from models.clock import to_datetime
from models.escalations import Message

_CATEGORY = "http://terminology.hl7.org/CodeSystem/communication-category"
_CATEGORIES: Mapping[PatientText, str] = {
    PatientText.MEASURE_AGAIN: "instruction",
    PatientText.MEASURE_NOW: "instruction",
    PatientText.REMINDER: "reminder",
    PatientText.SYMPTOM_QUESTION: "instruction",
    PatientText.SEEN_BY_NURSE: "notification",
    PatientText.WHOM_TO_RING: "notification",
}
_URGENT = (PatientText.MEASURE_AGAIN, PatientText.SYMPTOM_QUESTION)
MANTELZORGER = "urn:thuiswacht:mantelzorger"


def communication_request(
    message: Message,
    text: PatientText,
    said: Said,
    sender: Named,
    *,
    kind: str | None,
    until_us: int | None,
    copy: bool,
) -> Resource:
    """What the app shows: to the patient, and with their permission as a copy to their *mantelzorger*.

    **Units**: `until_us` in microseconds since 1970 UTC.
    """
    resource: Resource = {
        "resourceType": "CommunicationRequest",
        "id": str(message.message_id),
        "identifier": [{"system": MESSAGE, "value": str(message.message_id)}],
        "status": "active",
        "category": [{"coding": [{"system": _CATEGORY, "code": _CATEGORIES[text]}]}],
        "priority": "urgent"
        if text in (PatientText.MEASURE_AGAIN, PatientText.SYMPTOM_QUESTION)
        else "routine",
        "language": said.language,
        "subject": patient_reference(message.patient_id),
        "payload": [{"contentString": said.title}, {"contentString": said.text}],
        "authoredOn": to_datetime(message.due_at_us).isoformat(),
        "requester": organisation(sender),
        "sender": organisation(sender),
        "recipient": [patient_reference(message.patient_id)],
        "reasonCode": [{"coding": [{"system": "urn:thuiswacht:patient-text", "code": text.value}]}],
    }
    if kind is not None:
        resource["reasonCode"].append({"coding": [{"system": "urn:thuiswacht:kind", "code": kind}]})
    if until_us is not None:
        resource["occurrencePeriod"] = {"end": to_datetime(until_us).isoformat()}
    if copy:
        resource["recipient"].append(_mantelzorger(message.patient_id))
        resource["note"] = [
            {"authorReference": identified("Organization", ORGANISATION, sender.id_), "text": said.copy}
        ]
    return mark(resource, message.origin)


def _mantelzorger(patient_id: UUID) -> Resource:
    """Whom the vendor's app knows as that; we tell no name."""
    return identified("RelatedPerson", MANTELZORGER, patient_id, "mantelzorger")
