"""Alerts: what people see and handle; one per patient and signal while it is not resolved."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from models.access import Role
from models.escalations import Party
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
    """What came of an alert: the first two by itself, the others by people's judgement."""

    BY_ITSELF = "by_itself"
    ENDED = "ended"
    TRUE_ACTED_ON = "true_acted_on"
    TRUE_NO_ACTION = "true_no_action"
    MEASURING_TECHNIQUE = "measuring_technique"
    TECHNICAL = "technical"
    EXPECTED = "expected"
    DUPLICATE = "duplicate"

    @property
    def by_people(self) -> bool:
        """Whether somebody decides it."""
        return self not in (Outcome.BY_ITSELF, Outcome.ENDED)


class HeldBack(StrEnum):
    """Why an alert is shown to nobody for now."""

    PAUSE = "pause"
    ADMISSION = "admission"
    INCIDENT = "incident"


class AlertEvent(StrEnum):
    """What can happen to an alert: first by itself, then by people and by the ladder."""

    OPENED = "opened"
    FINDING_JOINED = "finding_joined"
    REMARKED = "remarked"
    """The patient wrote more: another remark joined it."""
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
    ACKNOWLEDGED = "acknowledged"
    LAPSED = "lapsed"
    """The promise of who acknowledged holds no more: passed, worse, another reason, duty over."""
    SNOOZED = "snoozed"
    SNOOZE_ENDED = "snooze_ended"
    HANDED_OVER = "handed_over"
    HAND_OVER_ACCEPTED = "hand_over_accepted"
    HAND_OVER_DECLINED = "hand_over_declined"
    HAND_OVER_EXPIRED = "hand_over_expired"
    NOTED = "noted"
    UNDONE = "undone"
    RECHECKED = "rechecked"
    STEPPED = "stepped"
    """The ladder took a step."""
    ESCALATED = "escalated"
    ESCALATION_ACCEPTED = "escalation_accepted"
    ESCALATION_ANSWERED = "escalation_answered"
    ESCALATION_HANDED_BACK = "escalation_handed_back"
    ESCALATION_PASSED_ON = "escalation_passed_on"
    ESCALATION_WITHDRAWN = "escalation_withdrawn"
    RESPONSIBILITY_MOVED = "responsibility_moved"
    CORRECTED = "corrected"
    """Who got a message about it was sent what changed."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """An alert offered to somebody else; until they accept, who offered stays the owner.

    `person_id` where a certain one is meant. **Units**: microseconds since 1970 UTC.
    """

    role: Role
    organisation_id: UUID
    person_id: UUID | None
    until_us: int


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it is stored. **Units**: times in microseconds since 1970 UTC.

    `unconfirmed`: of high severity for a measurement that waits for a repeat. `owner`: the person who
    acknowledged; there is one exactly while the state is acknowledged. `responsible_…`: who answers for it
    now; always a role at one organisation. `step_no`: the last step of the ladder that was taken, 0 for none.
    `sent`: somebody was asked or told. `policy`: by which the last step was taken.
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
    owner: UUID | None = None
    version: int = 1
    resolved_at_us: int | None = None
    outcome: str | None = None
    follows: UUID | None = None
    unconfirmed: bool = False
    responsible_role: Role = Role.NURSE
    responsible_organisation_id: UUID | None = None
    acknowledged_at_us: int | None = None
    resolve_by_us: int | None = None
    snoozed_until_us: int | None = None
    hand_over: HandOver | None = None
    step_no: int = 0
    stepped_at_us: int | None = None
    policy: str | None = None
    sent: bool = False
    recheck_at_us: int | None = None

    @property
    def responsible(self) -> Party:
        """Who answers for it now: where nothing else was said, the nurses of its own organisation."""
        return Party(self.responsible_role, self.responsible_organisation_id or self.organisation_id)

    @property
    def at_home(self) -> Party:
        """Who is responsible as long as nobody took it over: the nurses of its own organisation."""
        return Party(Role.NURSE, self.organisation_id)


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


def happening_to(
    alert: Alert,
    at_us: int,
    event: AlertEvent,
    change: tuple[str | None, str | None] = (None, None),
    *,
    by: str = ALERTING,
    why: Mapping[str, object] | None = None,
) -> AlertHappening:
    """An event of an alert; `change`: from what to what. **Units**: microseconds since 1970 UTC."""
    return AlertHappening(
        alert.alert_id, alert.patient_id, alert.organisation_id, at_us, event, *change, by, why or {}
    )
