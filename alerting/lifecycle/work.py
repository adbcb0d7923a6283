"""The book as it changes: alerts open, rise, lapse and close in it, each with its event."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from alerting.acts import lapse
from alerting.lifecycle.book import Book, Consequences, Joined
from models.alerts import Alert, AlertEvent, AlertHappening, AlertState, HeldBack, Outcome, happening_to
from models.findings import Finding, Severity, Signal

Rule = tuple[str, str]
"""Programme and rule."""


@dataclass(slots=True)
class Work:
    """Lives within one call of `follow`. `late`, `doubted` and `moved` are about the present moment."""

    book: Book
    ids: Iterator[UUID]
    findings: dict[UUID, Finding] = field(init=False)
    alerts: dict[UUID, Alert] = field(init=False)
    links: dict[UUID, UUID] = field(init=False)
    late: set[UUID] = field(default_factory=set[UUID])
    doubted: set[UUID] = field(default_factory=set[UUID])
    moved: set[Rule] = field(default_factory=set[Rule])
    """Rules of which late data changed a finding that had an alert: what they open late is no new reason."""
    joined: list[Joined] = field(default_factory=list[Joined])
    events: list[AlertHappening] = field(default_factory=list[AlertHappening])

    def __post_init__(self) -> None:
        self.findings = dict(self.book.findings)
        self.alerts = dict(self.book.alerts)
        self.links = dict(self.book.links)

    def consequences(self) -> Consequences:
        """What changed; an alert of which something is told is another version, whatever it was."""
        told = {event.alert_id for event in self.events}
        changed: list[Alert] = []
        for key, alert in self.alerts.items():
            before = self.book.alerts.get(key)
            if before is None:
                changed.append(alert)
            elif key in told or alert != before:
                changed.append(replace(alert, version=before.version + 1))
        return Consequences(tuple(changed), tuple(self.joined), tuple(self.events))

    def open(
        self,
        signal: Signal,
        severity: Severity,
        at_us: int,
        why: Mapping[str, object],
        *,
        quiet: bool = False,
        admitted: bool = False,
        follows: UUID | None = None,
    ) -> Alert:
        """A new alert, of which its organisation's nurses are responsible."""
        alert = Alert(
            alert_id=next(self.ids),
            patient_id=self.book.patient_id,
            organisation_id=self.book.organisation_id,
            signal=signal,
            severity=severity,
            opened_at_us=at_us,
            origin=self.book.origin,
            quiet=quiet,
            held_back=HeldBack.ADMISSION if admitted else None,
            follows=follows,
        )
        self.alerts[alert.alert_id] = alert
        self.tell(alert, at_us, AlertEvent.OPENED, (None, severity), why)
        if alert.quiet:
            self.tell(alert, at_us, AlertEvent.QUIETED, (None, "cooldown"), why)
        if alert.held_back is not None:
            self.tell(alert, at_us, AlertEvent.HELD_BACK, (None, alert.held_back))
        return alert

    def reopen(self, alert: Alert, finding: Finding, at_us: int) -> None:
        """An alert that closed by itself is open again, as if new: nobody's, at the foot of the ladder."""
        self.alerts[alert.alert_id] = replace(
            alert,
            state=AlertState.OPEN,
            resolved_at_us=None,
            outcome=None,
            recheck_at_us=None,
            owner=None,
            acknowledged_at_us=None,
            step_no=0,
            stepped_at_us=None,
        )
        self.tell(
            alert, at_us, AlertEvent.REOPENED, (AlertState.RESOLVED, AlertState.OPEN), self.why(finding)
        )

    def resolve(self, alert: Alert, outcome: Outcome, at_us: int) -> None:
        """Closes an alert; who owned it stays on it, what they promised is over."""
        self.alerts[alert.alert_id] = replace(
            alert,
            state=AlertState.RESOLVED,
            resolved_at_us=at_us,
            outcome=outcome,
            resolve_by_us=None,
            snoozed_until_us=None,
            hand_over=None,
        )
        self.tell(
            alert, at_us, AlertEvent.RESOLVED, (alert.state, AlertState.RESOLVED), {"outcome": str(outcome)}
        )

    def lapse(self, key: UUID, at_us: int, because: AlertEvent, **why: object) -> None:
        """Where somebody has promised to see to it, or not to be asked: that holds no more, it got worse."""
        alert = self.alerts[key]
        if alert.state is AlertState.ACKNOWLEDGED:
            lapsed = lapse(alert, why={"because": because.value, **why}, now_us=at_us)
            self.alerts[key] = lapsed.alert
            self.events += lapsed.events

    def unresolved(self, signal: Signal) -> Alert | None:
        """The one alert of a signal that is not resolved."""
        return next(
            (a for a in self.alerts.values() if a.signal is signal and a.state is not AlertState.RESOLVED),
            None,
        )

    def link(self, alert: Alert, finding: Finding, at_us: int) -> None:
        """A finding becomes a reason of an alert."""
        self.links[finding.finding_id] = alert.alert_id
        self.joined.append(Joined(alert.alert_id, finding.finding_id, at_us))

    def why(self, finding: Finding) -> dict[str, object]:
        """What an event says of the finding that it is about."""
        why: dict[str, object] = {
            "finding_id": str(finding.finding_id),
            "programme": finding.programme,
            "rule": finding.rule,
            "opened_at_us": finding.opened_at_us,
            "late": finding.finding_id in self.late,
        }
        return why | {"because": dict(self.book.because)} if finding.finding_id in self.late else why

    def tell(
        self,
        alert: Alert,
        at_us: int,
        event: AlertEvent,
        change: tuple[str | None, str | None] = (None, None),
        why: Mapping[str, object] | None = None,
    ) -> None:
        """Adds an event."""
        self.events.append(happening_to(alert, at_us, event, change, why=why))
