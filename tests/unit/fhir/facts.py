"""An escalation with everything behind it, for tests of what it becomes as FHIR."""

from typing import Any
from uuid import UUID

from alerting.notify.fhir.handed import Handed, Named, Written
from models.access import Role
from models.alerts import Alert
from models.clock import HOUR_US, MINUTE_US
from models.escalations import (
    Channel,
    Escalation,
    Message,
    MessageKind,
    Party,
    Recipient,
    RequestKind,
)
from models.findings import Evidence, EvidenceReading, Finding, Severity, Signal
from models.messages import Origin

NOW_US = 1_795_332_660_000_000
PATIENT, OURS, HOSPITAL = (UUID(int=n, version=4) for n in (7, 8, 9))
ALERT, ESCALATION, MESSAGE, FINDING, NURSE = (UUID(int=n, version=4) for n in (11, 12, 13, 14, 15))


def finding(**changes: Any) -> Finding:
    readings = (EvidenceReading("body_weight", NOW_US - HOUR_US, 84.1, "kg"),)
    evidence = Evidence("rise", 2.7, "kg", "weight", 2.0, ">=", True, 0, 1, readings)
    given: dict[str, Any] = {
        "finding_id": FINDING, "patient_id": PATIENT, "organisation_id": OURS, "log_partition": 0,
        "programme": "heart_failure", "version": 3, "rule": "weight_gain_3d", "signal": Signal.FLUID,
        "severity": Severity.HIGH, "opened_at_us": NOW_US - HOUR_US, "opening": (evidence,),
        "programme_hash": "h",
    }  # fmt: skip
    return Finding(**(given | changes))


def reading(**changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "patient_id": str(PATIENT), "kind": 0, "taken_at": "2026-11-22T06:31:00+00:00",
        "received_at": "2026-11-22T06:31:05+00:00", "device_id": "scale-4711", "revision": 0, "void": False,
        "value": 84.1, "value_received": 84.1, "unit_received": "kg", "code": None, "text": None,
        "absent": None, "source": "vendor-a", "log_partition": 0, "log_offset": 4, "log_position": 0,
    }  # fmt: skip
    return row | changes


def escalation(**changes: Any) -> Escalation:
    given: dict[str, Any] = {
        "escalation_id": ESCALATION, "alert_id": ALERT, "patient_id": PATIENT, "organisation_id": OURS,
        "step_no": 2, "recipient": Recipient.SPECIALIST, "request": RequestKind.ACUTE,
        "to": Party(Role.SPECIALIST, HOSPITAL), "asked_at_us": NOW_US, "reason": "Drie kilo erbij",
        "asked_by": NURSE, "answer_by_us": NOW_US + 30 * MINUTE_US,
    }  # fmt: skip
    return Escalation(**(given | changes))


def message(**changes: Any) -> Message:
    given: dict[str, Any] = {
        "message_id": MESSAGE, "patient_id": PATIENT, "organisation_id": OURS, "origin": Origin.SIMULATED,
        "kind": MessageKind.ESCALATION, "channel": Channel.FHIR, "severity": Severity.HIGH,
        "alerts": (ALERT,), "due_at_us": NOW_US, "to_id": HOSPITAL, "escalation_id": ESCALATION, "number": 1,
    }  # fmt: skip
    return Message(**(given | changes))


def handed(**changes: Any) -> Handed:
    alert = Alert(
        ALERT, PATIENT, OURS, Signal.FLUID, Severity.HIGH, NOW_US - HOUR_US, Origin.SIMULATED,
        policy="heart_failure/1",
    )  # fmt: skip
    given: dict[str, Any] = {
        "message": message(), "alerts": (alert,), "escalations": (escalation(),), "findings": (finding(),),
        "readings": (reading(),), "sender": Named(OURS, "Monitoringcentrum Duin", "070-1234567"),
        "to": Named(HOSPITAL, "Ziekenhuis Zee"), "asked_by": Named(NURSE, "M. Jansen"),
        "written": Written("De patiënt houdt vocht vast.", b"%PDF-1.7"),
        "answers_at": "https://ons.example/fhir/Task", "release": "0.1.0", "now_us": NOW_US + MINUTE_US,
    }  # fmt: skip
    return Handed(**(given | changes))
