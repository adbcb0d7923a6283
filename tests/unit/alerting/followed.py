"""A patient's findings and alerts, followed step by step without a server."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from uuid import UUID

from alerting.circumstances import Effective, Turn, turns
from alerting.findings import FindingChange
from alerting.lifecycle import Book, Consequences, MayClose, by_any_policy, follow
from alerting.remarks import Remark
from models.access import Role
from models.alerts import Alert, AlertEvent, AlertState, HandOver
from models.findings import Finding, Severity, Signal, finding_id
from models.messages import AnyChange, Origin

PATIENT, ORGANISATION = UUID(int=1), UUID(int=2)


@dataclass
class Patient:
    """A patient's stored findings and alerts, followed step by step as the worker does."""

    timeline: tuple[Turn, ...] = ()
    findings: dict[UUID, Finding] = field(default_factory=dict[UUID, Finding])
    alerts: dict[UUID, Alert] = field(default_factory=dict[UUID, Alert])
    links: dict[UUID, UUID] = field(default_factory=dict[UUID, UUID])
    events: list[AlertEvent] = field(default_factory=list[AlertEvent])
    ids: Iterator[UUID] = field(default_factory=lambda: (UUID(int=number) for number in count(100)))
    since_us: int = 0
    because: Mapping[str, object] = field(default_factory=dict[str, object])
    may_close: MayClose = by_any_policy

    def circumstances(self, *changes: tuple[int, AnyChange]) -> "Patient":
        self.timeline = turns([Effective(at_us, at_us, change) for at_us, change in changes])
        return self

    def sees(self, *changes: FindingChange, now_us: int = 0, remarks: Sequence[Remark] = ()) -> Consequences:
        book = Book(
            PATIENT,
            ORGANISATION,
            Origin.SIMULATED,
            self.timeline,
            self.findings,
            self.alerts,
            self.links,
            self.because,
            self.may_close,
        )
        consequences = follow(
            book, changes, since_us=self.since_us, now_us=now_us, ids=self.ids, remarks=remarks
        )
        self.findings |= {change.after.finding_id: change.after for change in changes}
        self.alerts |= {alert.alert_id: alert for alert in consequences.alerts}
        self.links |= {joined.finding_id: joined.alert_id for joined in consequences.joined}
        self.events += [event.event for event in consequences.events]
        self.since_us = max(self.since_us, now_us)
        return consequences

    def opens(
        self, at_us: int, rule: str = "gain", signal: Signal = Signal.FLUID, **given: object
    ) -> FindingChange:
        rule = f"{signal}_{rule}"
        finding = Finding(
            finding_id=finding_id(PATIENT, "programme", rule, at_us),
            patient_id=PATIENT,
            organisation_id=ORGANISATION,
            log_partition=0,
            programme="programme",
            version=1,
            rule=rule,
            signal=signal,
            severity=Severity.MEDIUM,
            opened_at_us=at_us,
            opening=(),
            programme_hash="hash",
        )
        return FindingChange(None, replace(finding, **given), at_us)

    def clears(self, change: FindingChange, at_us: int) -> FindingChange:
        return FindingChange(change.after, replace(change.after, cleared_at_us=at_us), at_us)

    def rises(self, change: FindingChange, at_us: int) -> FindingChange:
        risen = replace(change.after, severity=Severity.HIGH, raised_at_us=at_us)
        return FindingChange(change.after, risen, at_us)

    def retracts(self, change: FindingChange) -> FindingChange:
        return late(FindingChange(change.after, replace(change.after, retracted=True), change.at_us))

    def acknowledges(self, now_us: int, *, snoozed_until_us: int | None = None) -> None:
        """A nurse takes on all that is open."""
        for key, alert in self.alerts.items():
            if alert.state is AlertState.OPEN:
                self.alerts[key] = replace(
                    alert,
                    state=AlertState.ACKNOWLEDGED,
                    owner=UUID(int=7),
                    acknowledged_at_us=now_us,
                    resolve_by_us=now_us + 1_000,
                    snoozed_until_us=snoozed_until_us,
                    hand_over=HandOver(Role.NURSE, ORGANISATION, None, now_us + 500),
                    version=alert.version + 1,
                )

    @property
    def only(self) -> Alert:
        (alert,) = self.alerts.values()
        return alert


def late(change: FindingChange) -> FindingChange:
    return replace(change, late=True)


def kinds(events: Sequence[AlertEvent]) -> list[str]:
    return [str(event) for event in events]
