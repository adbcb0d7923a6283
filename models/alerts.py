"""Alerts: what people see and handle; one per patient and signal while it is not resolved."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from models.findings import Severity, Signal
from models.messages import Origin

ALERTING = "alerting"
"""Who did it, in an event, when it was the service itself."""


class AlertState(StrEnum):
    """Where an alert stands with the people. *Cleared* and *retracted* are marks beside it, not states."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Outcome(StrEnum):
    """Why an alert was resolved, where the service did it; people's outcomes come beside these."""

    BY_ITSELF = "by_itself"
    ENDED = "ended"


class HeldBack(StrEnum):
    """Why an alert is shown to nobody for now."""

    PAUSE = "pause"
    ADMISSION = "admission"
    INCIDENT = "incident"


class AlertEvent(StrEnum):
    """What can happen to an alert by itself."""

    OPENED = "opened"
    FINDING_JOINED = "finding_joined"
    FINDING_CHANGED = "finding_changed"
    SEVERITY_RAISED = "severity_raised"
    QUIETED = "quieted"
    QUIET_ENDED = "quiet_ended"
    CLEARED = "cleared"
    HOLDS_AGAIN = "holds_again"
    RETRACTED = "retracted"
    UNCONFIRMED = "unconfirmed"
    CONFIRMED = "confirmed"
    HELD_BACK = "held_back"
    RELEASED = "released"
    RESOLVED = "resolved"
    REOPENED = "reopened"


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it is stored. **Units**: times in microseconds since 1970 UTC.

    `unconfirmed`: of high severity for a measurement that waits for a repeat.
    """

    alert_id: UUID
    patient_id: UUID
    organisation_id: UUID
    signal: Signal
    severity: Severity
    opened_at_us: int
    origin: Origin
    state: AlertState = AlertState.OPEN
    cleared_at_us: int | None = None
    retracted: bool = False
    quiet: bool = False
    held_back: HeldBack | None = None
    owner: str | None = None
    version: int = 1
    resolved_at_us: int | None = None
    outcome: str | None = None
    follows: UUID | None = None
    unconfirmed: bool = False


@dataclass(frozen=True, slots=True)
class AlertHappening:
    """One event in the history of an alert: what, when, from, to, by whom, why."""

    alert_id: UUID
    patient_id: UUID
    organisation_id: UUID
    happened_at_us: int
    event: AlertEvent
    from_value: str | None = None
    to_value: str | None = None
    by: str = ALERTING
    why: Mapping[str, object] = field(default_factory=dict[str, object])
