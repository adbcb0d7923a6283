"""An escalation as one FHIR R4 transaction: all of it arrives, or nothing; twice is once. Pure.

Communication (the letter) and Task (what is asked), Flags (the findings), the Observations behind them, and
Provenance: which programme flagged, and who sent.
"""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import Any

from alerting.notify.fhir.entries import (
    ALERT,
    FINDING,
    MESSAGE,
    POLICY,
    PROGRAMME,
    create,
    create_tagged,
    identified,
    mark,
    patient_reference,
    put,
)
from alerting.notify.fhir.handed import Handed
from alerting.notify.fhir.observations import observation_entries
from alerting.notify.fhir.tasks import PRIORITIES, organisation, person, task_entry
from ingest.rights.resources import Resource, id_of, period, reference
from models.clock import to_datetime
from models.escalations import MessageKind
from models.findings import Finding, Severity

_CATEGORY = "http://terminology.hl7.org/CodeSystem/communication-category"
_FLAG_CATEGORY = "http://terminology.hl7.org/CodeSystem/flag-category"
_AGENT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_BY_SEVERITY = {Severity.HIGH: "urgent", Severity.MEDIUM: "urgent", Severity.LOW: "routine"}


def transaction(handed: Handed) -> Resource:
    """The Bundle, the same for the same facts; ids of its own are those of what it speaks of."""
    origin = handed.message.origin
    observations = list(observation_entries(handed.readings, origin))
    flags = [_flag_entry(finding, handed) for finding in handed.findings]
    behind = list(_ids(flags)), list(_ids(observations))
    focus = handed.message.message_id
    entries = [*observations, *flags, _communication_entry(handed)]
    entries += [task_entry(handed, escalation, focus, *behind) for escalation in handed.escalations]
    entries += [*_who_flagged(handed, list(_ids(observations))), _who_sent(handed)]
    return {
        "resourceType": "Bundle",
        "id": str(handed.message.message_id),
        "type": "transaction",
        "entry": entries,
    }


def _flag_entry(finding: Finding, handed: Handed) -> Resource:
    ended = None if finding.cleared_at_us is None else to_datetime(finding.cleared_at_us).isoformat()
    status = "entered-in-error" if finding.retracted else "inactive" if ended else "active"
    resource: Resource = {
        "resourceType": "Flag",
        "identifier": [{"system": FINDING, "value": str(finding.finding_id)}],
        "status": status,
        "category": [{"coding": [{"system": _FLAG_CATEGORY, "code": "clinical"}]}],
        "code": {
            "coding": [{"system": "urn:thuiswacht:signal", "code": finding.signal.value}],
            "text": f"{finding.programme} {finding.version}: {finding.rule}",
        },
        "subject": patient_reference(finding.patient_id),
        "period": period(to_datetime(finding.opened_at_us).isoformat(), ended),
        "author": identified("Device", PROGRAMME, _programme(finding)),
        "extension": [{"url": "urn:thuiswacht:severity", "valueString": finding.severity.value}],
    }  # fmt: skip
    # A finding that clears or is retracted is the same finding.
    return put(finding.finding_id, mark(resource, handed.message.origin), FINDING, finding.finding_id)


def _communication_entry(handed: Handed) -> Resource:
    message = handed.message
    first = handed.escalations[0] if handed.escalations else None
    category = "notification" if first is None else "alert"
    resource: Resource = {
        "resourceType": "Communication",
        "identifier": [{"system": MESSAGE, "value": str(message.message_id)}],
        "status": "completed",
        "category": [{"coding": [{"system": _CATEGORY, "code": category}]}],
        "priority": _BY_SEVERITY[message.severity] if first is None else PRIORITIES[first.request],
        "language": "nl",
        "subject": patient_reference(message.patient_id),
        "about": [
            *(reference(finding.finding_id) for finding in handed.findings),
            *(identified("DetectedIssue", ALERT, alert.alert_id) for alert in handed.alerts),
        ],
        "sent": to_datetime(handed.now_us).isoformat(),
        "sender": organisation(handed.sender),
        "recipient": [organisation(handed.to)],
        "payload": [{"contentString": handed.written.text}, *_pdf(handed)],
    }
    if not resource["about"]:
        del resource["about"]
    if message.corrects is not None:
        resource["inResponseTo"] = [identified("Communication", MESSAGE, message.corrects)]
    if message.kind is MessageKind.CORRECTION:
        resource["topic"] = {"text": "Correctie op een eerder bericht"}
    return create(message.message_id, mark(resource, message.origin), MESSAGE, message.message_id)


def _pdf(handed: Handed) -> Iterator[Resource]:
    if handed.written.pdf is not None:
        yield {
            "contentAttachment": {
                "contentType": "application/pdf",
                "language": "nl",
                "title": "Brief",
                "data": b64encode(handed.written.pdf).decode(),
            }
        }


def _who_flagged(handed: Handed, observations: Sequence[str]) -> Iterator[Resource]:
    """For each version of a programme: its findings, by which rules, from which readings."""
    by_programme: dict[str, list[Finding]] = {}
    for finding in handed.findings:
        by_programme.setdefault(_programme(finding), []).append(finding)
    for programme, findings in by_programme.items():
        key = id_of("provenance", handed.message.message_id, programme)
        who = identified("Device", PROGRAMME, programme, f"Thuiswacht {handed.release}, {programme}")
        resource = _provenance(
            targets=[str(finding.finding_id) for finding in findings],
            recorded_us=max(finding.raised_at_us or finding.opened_at_us for finding in findings),
            agents=[_agent("assembler", who)],
        )
        if observations:
            resource["entity"] = [{"role": "source", "what": reference(id_)} for id_ in observations]
        yield create_tagged(key, mark(resource, handed.message.origin), key)


def _who_sent(handed: Handed) -> Resource:
    message, escalations = handed.message, handed.escalations
    key = id_of("provenance", message.message_id, "sent")
    ours = organisation(handed.sender)
    policy = next((alert.policy for alert in handed.alerts if alert.policy is not None), "none")
    author = (
        identified("Device", POLICY, policy, f"Thuiswacht {handed.release}, {policy}")
        if handed.asked_by is None
        else person(handed.asked_by)
    )
    resource = _provenance(
        targets=[str(message.message_id), *(str(one.escalation_id) for one in escalations)],
        recorded_us=escalations[0].asked_at_us if escalations else message.due_at_us,
        agents=[
            _agent("author", author) | {"onBehalfOf": ours},
            _agent("transmitter", {"type": "Device", "display": f"Thuiswacht {handed.release}"}),
        ],
    )
    return create_tagged(key, mark(resource, message.origin), key)


def _provenance(targets: Sequence[str], recorded_us: int, agents: Sequence[Resource]) -> Resource:
    return {
        "resourceType": "Provenance",
        "target": [reference(target) for target in targets],
        "recorded": to_datetime(recorded_us).isoformat(),
        "agent": list(agents),
    }


def _agent(kind: str, who: Resource) -> Resource:
    return {"type": {"coding": [{"system": _AGENT, "code": kind}]}, "who": who}


def _programme(finding: Finding) -> str:
    return f"{finding.programme}/{finding.version}"


def _ids(entries: Sequence[Resource]) -> Iterator[str]:
    for entry in entries:
        full_url: Any = entry["fullUrl"]
        yield str(full_url).removeprefix("urn:uuid:")
