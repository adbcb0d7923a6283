"""One patient who is followed, as a machine of rules: what the log brings."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from alerting.circumstances import Effective, turns
from alerting.escalation.duty import Duty
from alerting.findings import FindingChange
from alerting.lifecycle import Book, follow
from alerting.remarks import Remark
from alerting.transition import Transition
from models.access import User
from models.alerts import Alert, AlertHappening, AlertState, Outcome
from models.clock import HOUR_US, MINUTE_US
from models.errors import BadInput, Outdated
from models.escalations import (
    Escalation,
    Party,
)
from models.findings import Finding, Severity, Signal, finding_id
from models.messages import Admit, AnyChange, Discharge, End, Origin
from tests.unit.alerting.acting import (
    ANNA,
    BAS,
    CENTRE,
    COLLEAGUE,
    HUISARTS,
    NOW,
    NURSES,
    POLICY,
    PRACTITIONERS,
    SPECIALIST,
    SPECIALISTS,
    duty,
)

PATIENT = UUID(int=1)
SHIFT_US = 8 * HOUR_US
PEOPLE = (ANNA, BAS, HUISARTS, COLLEAGUE, SPECIALIST)
PARTIES = (NURSES, PRACTITIONERS, SPECIALISTS)
LONGEST_US = POLICY.snooze_at_most_us + POLICY.resolve_within_us
"""So long a promise can hold at most."""

picks, people = st.sampled_from([0, 0, 0, 1, 2]), st.none() | st.none() | st.sampled_from(PEOPLE)
"""Whose alert, counted from the newest; and who acts: None is who may, as far as anybody may."""


def at(party: Party, *, but: UUID | None) -> User:
    """Somebody of a party, not this one."""
    return next(
        user
        for user in PEOPLE
        if (user.role, user.organisation_id) == (party.role, party.organisation_id) and user.person_id != but
    )


def owner(alert: Alert) -> User:
    """Whose it is, or was when it was closed; where it is nobody's, somebody of who is responsible."""
    own = (user for user in PEOPLE if user.person_id == alert.owner)
    return next(own, None) or at(alert.responsible, but=None)


def offered(alert: Alert) -> User:
    """Who may accept what is offered; where nothing is, anybody."""
    offer = alert.hand_over
    if offer is None:
        return ANNA
    named = (user for user in PEOPLE if user.person_id == offer.person_id)
    party = Party(offer.role, offer.organisation_id)
    return next(named, None) or next(
        (u for u in PEOPLE if Party(u.role, u.organisation_id) == party and u.person_id != alert.owner), BAS
    )


def shift(at_us: int) -> Duty:
    """The duty of a moment: three a day."""
    return duty(at_us // SHIFT_US * SHIFT_US + SHIFT_US)


class Followed(RuleBasedStateMachine):
    """One patient, who is followed, and everybody who has to do with the patient's alerts."""

    def __init__(self) -> None:
        super().__init__()
        self.now_us: int = NOW
        self.log_us: int = NOW
        self.changes: list[Effective] = []
        self.findings: dict[UUID, Finding] = {}
        self.alerts: dict[UUID, Alert] = {}
        self.links: dict[UUID, UUID] = {}
        self.escalations: dict[UUID, Escalation] = {}
        self.next_us: dict[UUID, int] = {}
        self.events: dict[UUID, list[AlertHappening]] = {}
        self.remarks = 0
        self.ids: Iterator[UUID] = (UUID(int=number) for number in count(1000))

    @initialize()
    def begins(self) -> None:
        self.opens(Severity.MEDIUM, Signal.FLUID, late=False)

    # What the log brings.

    def follows(self, *changes: FindingChange, remarks: tuple[Remark, ...] = ()) -> None:
        book = Book(
            PATIENT,
            CENTRE,
            Origin.SIMULATED,
            turns(self.changes),
            self.findings,
            self.alerts,
            self.links,
        )
        since_us, self.log_us = self.log_us, max(self.log_us, self.now_us) + 1
        told = follow(book, changes, since_us=since_us, now_us=self.log_us, ids=self.ids, remarks=remarks)
        changed = {alert.alert_id for alert in told.alerts}
        assert {event.alert_id for event in told.events} <= changed
        for alert in told.alerts:
            before = self.alerts.get(alert.alert_id)
            assert alert.version == (1 if before is None else before.version + 1)
            if before is not None and alert.state is not before.state:
                self.ended_rightly(before, alert)
        self.findings |= {change.after.finding_id: change.after for change in changes}
        self.alerts |= {alert.alert_id: alert for alert in told.alerts}
        self.links |= {joined.finding_id: joined.alert_id for joined in told.joined}
        for event in told.events:
            self.events.setdefault(event.alert_id, []).append(event)
            at_us = self.next_us.get(event.alert_id, event.happened_at_us)
            self.next_us[event.alert_id] = min(at_us, event.happened_at_us)

    def ended_rightly(self, before: Alert, after: Alert) -> None:
        """Only the end of follow-up closes what is somebody's, or of which somebody was told."""
        if after.state is AlertState.RESOLVED and after.outcome != Outcome.ENDED:
            assert not before.sent
            assert after.signal is not Signal.REMARK

    @rule(
        severity=st.sampled_from(Severity),
        signal=st.sampled_from([Signal.FLUID, Signal.SILENCE]),
        late=st.booleans(),
    )
    def opens(self, severity: Severity, signal: Signal, late: bool) -> None:
        at_us = max(self.log_us, self.now_us) - (HOUR_US if late else 0)
        finding = Finding(
            finding_id=finding_id(PATIENT, "programme", f"{signal}_{len(self.findings)}", at_us),
            patient_id=PATIENT,
            organisation_id=CENTRE,
            log_partition=0,
            programme="programme",
            version=1,
            rule=f"{signal}_{len(self.findings)}",
            signal=signal,
            severity=severity,
            opened_at_us=at_us,
            opening=(),
            programme_hash="hash",
        )
        before = self.unresolved(signal)
        self.follows(FindingChange(None, finding, at_us, late=late))
        linked = self.links.get(finding.finding_id)
        if before is not None and linked is not None and linked == before.alert_id:
            assert self.alerts[linked].state is not AlertState.ACKNOWLEDGED

    def unresolved(self, signal: Signal) -> Alert | None:
        found = [a for a in self.alerts.values() if a.signal is signal and a.state is not AlertState.RESOLVED]
        assert len(found) <= 1
        return found[0] if found else None

    @precondition(lambda self: self.findings)
    @rule(pick=picks)
    def clears(self, pick: int) -> None:
        before, at_us = self.a_finding(pick, holds=True), max(self.log_us, self.now_us)
        if before is not None:
            self.follows(FindingChange(before, replace(before, cleared_at_us=at_us), at_us))

    @precondition(lambda self: self.findings)
    @rule(pick=picks)
    def rises(self, pick: int) -> None:
        before, at_us = self.a_finding(pick, holds=True), max(self.log_us, self.now_us)
        if before is not None:
            risen = replace(before, severity=Severity.HIGH, raised_at_us=at_us)
            was_seen = before.severity is not Severity.HIGH and self.owner_of(before) is not None
            alert = self.unresolved(before.signal)
            self.follows(FindingChange(before, risen, at_us))
            if was_seen and alert is not None and alert.severity is not Severity.HIGH:
                assert self.owner_of(before) is None

    @precondition(lambda self: self.findings)
    @rule(pick=picks)
    def is_taken_back(self, pick: int) -> None:
        before = self.a_finding(pick, holds=True)
        if before is not None:
            retracted = replace(before, retracted=True)
            self.follows(FindingChange(before, retracted, before.opened_at_us, late=True))

    @precondition(lambda self: self.findings)
    @rule(pick=picks)
    def returns(self, pick: int) -> None:
        before = self.a_finding(pick, holds=False)
        if before is not None:
            back = replace(before, retracted=False, cleared_at_us=None)
            self.follows(FindingChange(before, back, before.opened_at_us, late=True))

    @precondition(lambda self: self.findings)
    @rule(pick=picks)
    def begins_earlier(self, pick: int) -> None:
        before = self.a_finding(pick, holds=True)
        if before is not None:
            self.moves(before)

    def a_finding(self, pick: int, *, holds: bool) -> Finding | None:
        found = [finding for finding in self.findings.values() if finding.holds is holds]
        return found[-1 - pick % len(found)] if found else None

    def moves(self, before: Finding) -> None:
        """Late data let it begin earlier: another finding, no other reason."""
        owner = self.owner_of(before)
        opened_us = before.opened_at_us - MINUTE_US
        key = finding_id(PATIENT, before.programme, before.rule, opened_us)
        if key in self.findings:
            return
        moved = replace(before, finding_id=key, opened_at_us=opened_us)
        self.follows(
            FindingChange(before, replace(before, retracted=True), before.opened_at_us, late=True),
            FindingChange(None, moved, opened_us, late=True),
        )
        assert owner is None or self.owner_of(moved) == owner

    def owner_of(self, finding: Finding) -> UUID | None:
        linked = self.links.get(finding.finding_id)
        alert = None if linked is None else self.alerts[linked]
        return None if alert is None or alert.state is not AlertState.ACKNOWLEDGED else alert.owner

    @rule()
    def writes(self) -> None:
        self.remarks += 1
        at_us = max(self.log_us, self.now_us)
        self.follows(remarks=(Remark(UUID(int=self.remarks), "symptom_cough", at_us, at_us),))
        alert = self.unresolved(Signal.REMARK)
        assert alert is None or alert.state is AlertState.OPEN

    @rule(change=st.sampled_from([Admit(), Discharge()]))
    def turns_to(self, change: AnyChange) -> None:
        at_us = max(self.log_us, self.now_us)
        self.changes.append(Effective(at_us, len(self.changes), change))
        self.follows()

    @precondition(lambda self: sum(map(len, self.events.values())) > 60)
    @rule()
    def ends(self) -> None:
        self.turns_to(End(reason="died"))
        assert all(alert.state is AlertState.RESOLVED for alert in self.alerts.values())

    def does(self, pick: int, act: Callable[[Alert], Transition]) -> None:
        """An act, carried out where it is not refused."""
        if not self.alerts:
            return
        alert = list(self.alerts.values())[-1 - pick % len(self.alerts)]
        try:
            done = act(alert)
        except (BadInput, Outdated):
            return
        self.carries_out(alert, done)

    def carries_out(self, alert: Alert, done: Transition) -> None:
        assert done.alert.version == alert.version + 1
        assert done.events
        assert {event.happened_at_us for event in done.events} == {self.now_us}
        self.alerts[alert.alert_id] = done.alert
        self.events[alert.alert_id] += done.events
        for escalation in done.escalations:
            before = self.escalations.get(escalation.escalation_id)
            assert escalation.version == (1 if before is None else before.version + 1)
            self.escalations[escalation.escalation_id] = escalation
        if done.next_us is None:
            self.next_us.pop(alert.alert_id, None)
        else:
            self.next_us[alert.alert_id] = done.next_us

    def asked_of(self, alert: Alert) -> list[Escalation]:
        return [e for e in self.escalations.values() if e.alert_id == alert.alert_id]
