"""People, a policy and a duty, for tests of what is done with alerts; and what its events say of an alert."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from uuid import UUID

from alerting.escalation.duty import Duty, Shift
from alerting.escalation.policy import Policy, Step
from models.access import Role, User
from models.alerts import ALERTING, Alert, AlertEvent, AlertHappening, AlertState, HandOver
from models.clock import DAY_US, HOUR_US, MINUTE_US
from models.escalations import Channel, Party, Recipient, RequestKind
from models.findings import Severity, Signal
from models.messages import Origin

CENTRE, PRACTICE, HOSPITAL = UUID(int=2), UUID(int=3), UUID(int=4)
ANNA = User(UUID(int=11), CENTRE, Role.NURSE)
BAS = User(UUID(int=12), CENTRE, Role.NURSE)
HUISARTS = User(UUID(int=13), PRACTICE, Role.HUISARTS)
COLLEAGUE = User(UUID(int=14), PRACTICE, Role.HUISARTS)
SPECIALIST = User(UUID(int=15), HOSPITAL, Role.SPECIALIST)
NURSES, PRACTITIONERS = Party(Role.NURSE, CENTRE), Party(Role.HUISARTS, PRACTICE)
SPECIALISTS = Party(Role.SPECIALIST, HOSPITAL)
NOW = 1_795_332_680_000_000

POLICY = Policy(
    name="test",
    version=3,
    hash="hash",
    steps=(
        Step(Recipient.NURSE, RequestKind.REGULAR, (Channel.WORKLIST,), None, 30 * MINUTE_US, None),
        Step(Recipient.HUISARTS, RequestKind.REGULAR, (Channel.WEBHOOK,), HOUR_US, HOUR_US, HOUR_US),
    ),
    resolve_within_us=2 * HOUR_US,
    snooze_at_most_us=4 * HOUR_US,
    hand_over_within_us=15 * MINUTE_US,
    recheck_after_us=DAY_US,
    repeat_every_us=HOUR_US,
    group_wait_us=0,
    closes_by_itself=True,
)


def duty(until_us: int = NOW + 8 * HOUR_US) -> Duty:
    return Duty(Recipient.NURSE, "day", Shift.DAY, until_us - 8 * HOUR_US, until_us)


def an_alert() -> Alert:
    return Alert(
        alert_id=UUID(int=100),
        patient_id=UUID(int=1),
        organisation_id=CENTRE,
        signal=Signal.FLUID,
        severity=Severity.MEDIUM,
        opened_at_us=NOW - HOUR_US,
        origin=Origin.SIMULATED,
    )


def promises_are_whole(alert: Alert) -> None:
    """What migration 0017 demands of a row."""
    acknowledged = alert.state is AlertState.ACKNOWLEDGED
    assert acknowledged == (alert.owner is not None) or alert.state is AlertState.RESOLVED
    assert acknowledged == (alert.resolve_by_us is not None)
    assert acknowledged or (alert.snoozed_until_us is None and alert.hand_over is None)
    assert alert.recheck_at_us is None or alert.state is AlertState.RESOLVED
    resolved = alert.state is AlertState.RESOLVED
    assert resolved == (alert.resolved_at_us is not None) == (alert.outcome is not None)


@dataclass
class Told:
    """An alert as its events alone tell of it."""

    state: AlertState = AlertState.OPEN
    severity: str | None = None
    owner: UUID | None = None
    responsible: Party = NURSES
    resolve_by_us: int | None = None
    snoozed_until_us: int | None = None
    hand_over: HandOver | None = None
    outcome: str | None = None
    resolved_at_us: int | None = None
    recheck_at_us: int | None = None
    acknowledged_at_us: int | None = None
    held_back: str | None = None
    quiet: bool = False
    sent: bool = False

    @classmethod
    def of(cls, alert: Alert) -> "Told":
        return cls(**{part.name: getattr(alert, part.name) for part in fields(cls)})

    def free(self, state: AlertState) -> None:
        self.state = state
        self.resolve_by_us = self.snoozed_until_us = self.hand_over = None
        if state is AlertState.OPEN:
            self.owner = self.acknowledged_at_us = None
            self.outcome = self.resolved_at_us = self.recheck_at_us = None


def replayed(events: Iterable[AlertHappening]) -> Told:
    """The events of one alert from the first on, and nothing else."""
    told = Told()
    for event in events:
        _take(told, event)
    return told


def _number(event: AlertHappening, name: str) -> int | None:
    value = event.why.get(name)
    assert value is None or isinstance(value, int)
    return value


def _party(text: str | None) -> Party:
    assert text is not None
    role, organisation = text.split("@")
    return Party(Role(role), UUID(organisation))


def _take(told: Told, event: AlertHappening) -> None:
    match event.event:
        case AlertEvent.OPENED | AlertEvent.SEVERITY_RAISED:
            told.severity = event.to_value
        case AlertEvent.QUIETED | AlertEvent.QUIET_ENDED:
            told.quiet = event.event is AlertEvent.QUIETED
        case AlertEvent.HELD_BACK | AlertEvent.RELEASED:
            told.held_back = event.to_value
        case AlertEvent.RESOLVED:
            told.free(AlertState.RESOLVED)
            told.owner = told.owner if event.by == ALERTING else UUID(event.by)
            told.outcome = str(event.why["outcome"])
            told.resolved_at_us = event.happened_at_us
            told.recheck_at_us = _number(event, "recheck_at_us")
        case AlertEvent.REOPENED | AlertEvent.UNDONE | AlertEvent.LAPSED:
            told.free(AlertState.OPEN)
        case AlertEvent.ESCALATED:
            told.sent = bool(event.why["sent"])
        case AlertEvent.RESPONSIBILITY_MOVED:
            assert _party(event.from_value) == told.responsible
            told.responsible = _party(event.to_value)
        case _:
            _take_promise(told, event)


def _take_promise(told: Told, event: AlertHappening) -> None:
    match event.event:
        case AlertEvent.ACKNOWLEDGED | AlertEvent.HAND_OVER_ACCEPTED:
            told.free(AlertState.ACKNOWLEDGED)
            told.owner, told.acknowledged_at_us = UUID(event.by), event.happened_at_us
            told.resolve_by_us = _number(event, "resolve_by_us")
        case AlertEvent.SNOOZED | AlertEvent.SNOOZE_ENDED:
            told.snoozed_until_us = None if event.to_value is None else int(event.to_value)
            told.resolve_by_us = _number(event, "resolve_by_us")
        case AlertEvent.HANDED_OVER:
            to, person, until_us = (
                _party(event.to_value),
                event.why.get("person_id"),
                _number(event, "until_us"),
            )
            assert until_us is not None
            told.hand_over = HandOver(
                to.role, to.organisation_id, None if person is None else UUID(str(person)), until_us
            )
            told.sent = bool(event.why["sent"])
        case AlertEvent.HAND_OVER_DECLINED | AlertEvent.HAND_OVER_EXPIRED:
            told.hand_over = None
        case _:
            pass
