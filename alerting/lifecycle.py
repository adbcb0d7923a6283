"""From findings to alerts: what people get to see, and what happens to it by itself; pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from uuid import UUID

from alerting.because import Because
from alerting.circumstances import Circumstances, Turn, circumstances_at, heard_at_us
from alerting.findings import FindingChange
from models.alerts import Alert, AlertEvent, AlertHappening, AlertState, HeldBack, Outcome
from models.findings import Evidence, Finding, Severity, Signal
from models.messages import Origin


@dataclass(frozen=True, slots=True)
class Book:
    """What is stored of one patient, as far as it may matter now.

    `findings` are those before the changes; `links` gives the alert that a finding belongs to (the latest,
    where it was in several). `because` tells why findings changed late, where any did.
    """

    patient_id: UUID
    organisation_id: UUID
    origin: Origin
    timeline: Sequence[Turn]
    findings: Mapping[UUID, Finding]
    alerts: Mapping[UUID, Alert]
    links: Mapping[UUID, UUID]
    because: Because = field(default_factory=dict[str, object])


def waits(finding: Finding) -> bool:
    """Whether nobody is to see it yet: a measurement is in doubt, and it is not bad enough to be seen anyway.

    It is evaluated again when the doubt is over, and is then seen like any other, or never was.
    """
    return finding.unconfirmed and finding.severity is not Severity.HIGH


@dataclass(frozen=True, slots=True)
class Joined:
    """A finding became a reason of an alert. **Units**: `at_us` in microseconds since 1970 UTC."""

    alert_id: UUID
    finding_id: UUID
    at_us: int


@dataclass(frozen=True, slots=True)
class Consequences:
    """What is to be written: alerts as they are now, their new reasons, their events in order."""

    alerts: tuple[Alert, ...]
    joined: tuple[Joined, ...]
    events: tuple[AlertHappening, ...]


def follow(
    book: Book, changes: Sequence[FindingChange], *, since_us: int, now_us: int, ids: Iterator[UUID]
) -> Consequences:
    """What the changes of a patient's findings, and the time that went by, make of the patient's alerts.

    The result does not depend on how a stretch of time is cut, as long as nothing in it arrives late.
    `ids` gives the new alerts their ids. **Units**: everything up to `since_us` had been followed before;
    microseconds since 1970 UTC.
    """
    work = _Work(book, ids)
    until_us = max([since_us, now_us, *(change.at_us for change in changes)])
    for at_us, moment in _moments(book.timeline, changes, since_us, until_us):
        work.step(at_us, moment)
    return work.consequences()


def closes_by_itself(alert: Alert) -> bool:
    """Whether nobody has to look any more once nothing holds: low or technical, and claimed by nobody."""
    return (
        alert.state is AlertState.OPEN
        and alert.owner is None
        and (alert.severity is Severity.LOW or alert.signal.technical)
    )


def _moments(
    timeline: Sequence[Turn], changes: Sequence[FindingChange], since_us: int, until_us: int
) -> list[tuple[int, list[FindingChange]]]:
    """The moments to look at, in order: where findings change, where circumstances turn, and the end.

    What a replay found is one moment, the first: it was all there before, had one but known.
    """
    late_us = since_us or until_us
    dated = [(late_us if change.late else max(change.at_us, since_us), change) for change in changes]
    dated.sort(key=lambda pair: pair[0])
    grouped = {
        at_us: [change for _, change in pairs] for at_us, pairs in groupby(dated, lambda pair: pair[0])
    }
    for turn in timeline:
        if since_us < turn.at_us <= until_us:
            grouped.setdefault(turn.at_us, [])
    grouped.setdefault(until_us, [])
    return sorted(grouped.items(), key=lambda pair: pair[0])


@dataclass(slots=True)
class _Work:
    """The book as it changes; lives within one call of `follow`."""

    book: Book
    ids: Iterator[UUID]
    findings: dict[UUID, Finding] = field(init=False)
    alerts: dict[UUID, Alert] = field(init=False)
    links: dict[UUID, UUID] = field(init=False)
    late: set[UUID] = field(default_factory=set[UUID])
    doubted: set[UUID] = field(default_factory=set[UUID])
    joined: list[Joined] = field(default_factory=list[Joined])
    events: list[AlertHappening] = field(default_factory=list[AlertHappening])

    def __post_init__(self) -> None:
        self.findings = dict(self.book.findings)
        self.alerts = dict(self.book.alerts)
        self.links = dict(self.book.links)

    def consequences(self) -> Consequences:
        changed: list[Alert] = []
        for key, alert in self.alerts.items():
            before = self.book.alerts.get(key)
            if before is None:
                changed.append(alert)
            elif alert != before:
                changed.append(replace(alert, version=before.version + 1))
        return Consequences(tuple(changed), tuple(self.joined), tuple(self.events))

    def step(self, at_us: int, changes: Sequence[FindingChange]) -> None:
        """One moment: first what people would have seen before, then the findings, then the marks."""
        now = circumstances_at(self.book.timeline, at_us)
        for change in changes:
            self.findings[change.after.finding_id] = change.after
        self.late = {change.after.finding_id for change in changes if change.late}
        self.doubted = {c.after.finding_id for c in changes if c.before is not None and c.before.unconfirmed}
        for change in changes:
            self._tell(change, at_us)
        if now.ended:
            self._end(at_us)
        else:
            self._attach_all(changes, at_us, now)
        for key, reasons in self._reasons(changes).items():
            self._mark(key, reasons, at_us)
            self._mark_doubt(key, reasons, at_us)
            self._hold_back(key, now, at_us)

    def _reasons(self, changes: Sequence[FindingChange]) -> dict[UUID, list[Finding]]:
        """The findings of each alert that is not resolved or whose findings changed."""
        of_alert: dict[UUID, list[Finding]] = {
            key: [] for key, alert in self.alerts.items() if alert.state is not AlertState.RESOLVED
        }
        for change in changes:
            linked = self.links.get(change.after.finding_id)
            if linked is not None:
                of_alert.setdefault(linked, [])
        for key, linked in self.links.items():
            if linked in of_alert:
                of_alert[linked].append(self.findings[key])
        return of_alert

    def _attach_all(self, changes: Sequence[FindingChange], at_us: int, now: Circumstances) -> None:
        before = {change.after.finding_id: change.before for change in changes}
        candidates = [self.findings[key] for key in before]
        candidates += [f for key, f in self.findings.items() if f.holds and key not in self.links | before]
        for finding in candidates:
            if finding.retracted or waits(finding):
                continue
            timeline = self.book.timeline
            heard_us = heard_at_us(timeline, finding.signal, finding.opened_at_us, finding.cleared_at_us)
            if heard_us is None or heard_us > at_us:
                continue
            linked = self.links.get(finding.finding_id)
            if linked is None:
                self._attach(finding, heard_us, at_us, now, follows=None)
            else:
                self._return(finding, before.get(finding.finding_id), self.alerts[linked], at_us, now)

    def _attach(
        self, finding: Finding, heard_us: int, at_us: int, now: Circumstances, *, follows: UUID | None
    ) -> None:
        alert = self._unresolved(finding.signal)
        if alert is None:
            alert = Alert(
                alert_id=next(self.ids),
                patient_id=self.book.patient_id,
                organisation_id=self.book.organisation_id,
                signal=finding.signal,
                severity=finding.severity,
                opened_at_us=heard_us,
                origin=self.book.origin,
                quiet=finding.quiet,
                held_back=HeldBack.ADMISSION if now.admitted else None,
                follows=follows,
            )
            self.alerts[alert.alert_id] = alert
            self._link(alert, finding, at_us)
            self._event(alert, at_us, AlertEvent.OPENED, (None, finding.severity), self._why(finding))
            if alert.quiet:
                self._event(alert, at_us, AlertEvent.QUIETED, (None, "cooldown"), self._why(finding))
            if alert.held_back is not None:
                self._event(alert, at_us, AlertEvent.HELD_BACK, (None, alert.held_back))
            return
        self._link(alert, finding, at_us)
        self._event(alert, at_us, AlertEvent.FINDING_JOINED, (None, finding.severity), self._why(finding))
        if not finding.quiet:
            self._end_quiet(alert.alert_id, finding, at_us)
        self._raise(alert.alert_id, finding, at_us)

    def _return(
        self, finding: Finding, before: Finding | None, alert: Alert, at_us: int, now: Circumstances
    ) -> None:
        """A finding that had an alert changed: it goes back to it, unless people were done with that."""
        if alert.state is not AlertState.RESOLVED:
            self._raise(alert.alert_id, finding, at_us)
            return
        returned = finding.holds and (before is None or not before.holds)
        seen_rank = -1 if before is None else before.severity.rank - waits(before)
        rose = before is not None and finding.holds and finding.severity.rank > seen_rank
        if alert.outcome == Outcome.ENDED or not (returned or rose):
            return
        if alert.outcome == Outcome.BY_ITSELF and self._unresolved(finding.signal) is None:
            self.alerts[alert.alert_id] = replace(
                alert, state=AlertState.OPEN, resolved_at_us=None, outcome=None
            )
            self._event(
                alert, at_us, AlertEvent.REOPENED, (AlertState.RESOLVED, AlertState.OPEN), self._why(finding)
            )
            self._raise(alert.alert_id, finding, at_us)
        else:
            self._attach(finding, at_us, at_us, now, follows=alert.alert_id)

    def _raise(self, key: UUID, finding: Finding, at_us: int) -> None:
        alert = self.alerts[key]
        if finding.severity.rank <= alert.severity.rank:
            return
        self.alerts[key] = replace(alert, severity=finding.severity)
        self._event(
            alert, at_us, AlertEvent.SEVERITY_RAISED, (alert.severity, finding.severity), self._why(finding)
        )
        self._end_quiet(key, finding, at_us)

    def _end_quiet(self, key: UUID, finding: Finding, at_us: int) -> None:
        alert = self.alerts[key]
        if alert.quiet:
            self.alerts[key] = replace(alert, quiet=False)
            self._event(alert, at_us, AlertEvent.QUIET_ENDED, ("cooldown", None), self._why(finding))

    def _tell(self, change: FindingChange, at_us: int) -> None:
        """Says on the alert what late data changed in a finding that people may have seen."""
        linked = self.links.get(change.after.finding_id)
        if linked is None or change.before is None or not change.late:
            return
        differences = _differences(change.before, change.after)
        if not differences:
            return
        why = self._why(change.after) | {"changed": differences}
        alert = self.alerts[linked]
        self._event(
            alert,
            at_us,
            AlertEvent.FINDING_CHANGED,
            (_standing(change.before), _standing(change.after)),
            why,
        )

    def _mark(self, key: UUID, reasons: Sequence[Finding], at_us: int) -> None:
        """Cleared when none of its findings holds any more, retracted when none ever did."""
        alert = self.alerts[key]
        true = [finding for finding in reasons if not finding.retracted]
        clears = [finding.cleared_at_us for finding in true if finding.cleared_at_us is not None]
        cleared_us = max(clears) if true and len(clears) == len(true) else None
        marked = replace(alert, cleared_at_us=cleared_us, retracted=not true)
        self.alerts[key] = marked
        if alert.state is AlertState.RESOLVED:
            return
        was_over = alert.retracted or alert.cleared_at_us is not None
        is_over = marked.retracted or cleared_us is not None
        if marked.retracted and not alert.retracted:
            self._event(alert, at_us, AlertEvent.RETRACTED)
        elif is_over and not was_over:
            self._event(alert, at_us, AlertEvent.CLEARED, why={"at_us": cleared_us})
        elif was_over and not is_over:
            self._event(alert, at_us, AlertEvent.HOLDS_AGAIN)
        if is_over and closes_by_itself(marked):
            self._resolve(marked, Outcome.BY_ITSELF, at_us)

    def _mark_doubt(self, key: UUID, reasons: Sequence[Finding], at_us: int) -> None:
        """Unconfirmed while a finding of it that is seen all the same rests on a measurement in doubt.

        Where such a finding was taken back, or is less bad without the doubt, its own event says so.
        """
        alert = self.alerts[key]
        severe = [f for f in reasons if f.severity is Severity.HIGH and not f.retracted]
        in_doubt = [finding for finding in severe if finding.unconfirmed]
        self.alerts[key] = replace(alert, unconfirmed=bool(in_doubt))
        if alert.state is AlertState.RESOLVED or alert.unconfirmed == bool(in_doubt):
            return
        confirmed = [finding for finding in severe if finding.finding_id in self.doubted]
        if in_doubt:
            self._event(alert, at_us, AlertEvent.UNCONFIRMED, why=self._why(in_doubt[0]))
        elif confirmed:
            self._event(alert, at_us, AlertEvent.CONFIRMED, why=self._why(confirmed[0]))

    def _hold_back(self, key: UUID, now: Circumstances, at_us: int) -> None:
        """In hospital an alert is marked as held back; at home again it is released."""
        alert = self.alerts[key]
        if alert.state is AlertState.RESOLVED:
            return
        if now.admitted and alert.held_back is not HeldBack.ADMISSION:
            self.alerts[key] = replace(alert, held_back=HeldBack.ADMISSION)
            self._event(alert, at_us, AlertEvent.HELD_BACK, (alert.held_back, HeldBack.ADMISSION))
        elif not now.admitted and alert.held_back is HeldBack.ADMISSION:
            self.alerts[key] = replace(alert, held_back=None)
            self._event(alert, at_us, AlertEvent.RELEASED, (HeldBack.ADMISSION, None))

    def _end(self, at_us: int) -> None:
        for alert in list(self.alerts.values()):
            if alert.state is not AlertState.RESOLVED:
                self._resolve(alert, Outcome.ENDED, at_us)

    def _resolve(self, alert: Alert, outcome: Outcome, at_us: int) -> None:
        resolved = replace(alert, state=AlertState.RESOLVED, resolved_at_us=at_us, outcome=outcome)
        self.alerts[alert.alert_id] = resolved
        self._event(
            alert, at_us, AlertEvent.RESOLVED, (alert.state, AlertState.RESOLVED), {"outcome": str(outcome)}
        )

    def _unresolved(self, signal: Signal) -> Alert | None:
        return next(
            (a for a in self.alerts.values() if a.signal is signal and a.state is not AlertState.RESOLVED),
            None,
        )

    def _link(self, alert: Alert, finding: Finding, at_us: int) -> None:
        self.links[finding.finding_id] = alert.alert_id
        self.joined.append(Joined(alert.alert_id, finding.finding_id, at_us))

    def _why(self, finding: Finding) -> dict[str, object]:
        why: dict[str, object] = {
            "finding_id": str(finding.finding_id),
            "programme": finding.programme,
            "rule": finding.rule,
            "opened_at_us": finding.opened_at_us,
            "late": finding.finding_id in self.late,
        }
        return why | {"because": dict(self.book.because)} if finding.finding_id in self.late else why

    def _event(
        self,
        alert: Alert,
        at_us: int,
        event: AlertEvent,
        change: tuple[str | None, str | None] = (None, None),
        why: Mapping[str, object] | None = None,
    ) -> None:
        self.events.append(
            AlertHappening(
                alert_id=alert.alert_id,
                patient_id=alert.patient_id,
                organisation_id=alert.organisation_id,
                happened_at_us=at_us,
                event=event,
                from_value=change[0],
                to_value=change[1],
                why=why or {},
            )
        )


def _standing(finding: Finding) -> str:
    if finding.retracted:
        return "retracted"
    return "holds" if finding.cleared_at_us is None else "cleared"


def _differences(before: Finding, after: Finding) -> dict[str, list[object]]:
    """What is different, as from and to."""
    looked_at = ("severity", "cleared_at_us", "raised_at_us", "retracted", "unconfirmed")
    changed: dict[str, list[object]] = {
        name: [getattr(before, name), getattr(after, name)]
        for name in looked_at
        if getattr(before, name) != getattr(after, name)
    }
    for name in ("opening", "raised"):
        was, now = _values(getattr(before, name)), _values(getattr(after, name))
        if was != now:
            changed[name] = [was, now]
    return changed


def _values(evidence: Sequence[Evidence]) -> list[list[object]]:
    return [[part.feature, part.value, part.unit] for part in evidence]
