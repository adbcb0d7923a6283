"""Whatever people, engine and clock do: somebody is responsible, and nothing is forgotten."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from alerting import acts
from alerting.acts import Asked
from alerting.acts.steps import next_of_promise
from alerting.circumstances import Effective, turns
from alerting.escalation.duty import Duty
from alerting.findings import FindingChange
from alerting.lifecycle import Book, follow
from alerting.remarks import Remark
from alerting.transition import Transition
from models.access import User
from models.alerts import Alert, AlertEvent, AlertHappening, AlertState, Outcome
from models.clock import HOUR_US, MINUTE_US
from models.errors import BadInput, Outdated
from models.escalations import (
    OPEN_ESCALATION,
    Channel,
    Escalation,
    EscalationState,
    Party,
    Recipient,
    RequestKind,
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
    Told,
    duty,
    promises_are_whole,
    replayed,
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


class Ward(RuleBasedStateMachine):
    """One patient, who is followed, and everybody who has to do with the patient's alerts."""

    def __init__(self) -> None:
        super().__init__()
        self.now_us = NOW
        self.log_us = NOW
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

    # What people do.

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

    @rule(pick=picks, by=people)
    def acknowledges(self, pick: int, by: User | None) -> None:
        self.does(
            pick,
            lambda alert: acts.acknowledge(
                alert, by or owner(alert), policy=POLICY, duty=shift(self.now_us), now_us=self.now_us
            ),
        )

    @rule(pick=picks, by=people, minutes=st.integers(-10, 300))
    def snoozes(self, pick: int, by: User | None, minutes: int) -> None:
        self.does(
            pick,
            lambda alert: acts.snooze(
                alert,
                by or owner(alert),
                until_us=self.now_us + minutes * MINUTE_US,
                promised_since_us=None,
                policy=POLICY,
                duty=shift(self.now_us),
                now_us=self.now_us,
            ),
        )

    @rule(pick=picks, by=people, outcome=st.sampled_from(Outcome), holds=st.booleans())
    def resolves(self, pick: int, by: User | None, outcome: Outcome, holds: bool) -> None:
        self.does(
            pick,
            lambda alert: acts.resolve(
                alert,
                by or owner(alert),
                outcome=outcome,
                note=None,
                holds=holds,
                policy=POLICY,
                escalations=self.asked_of(alert),
                now_us=self.now_us,
            ),
        )

    @rule(pick=picks, by=people)
    def reopens(self, pick: int, by: User | None) -> None:
        self.does(
            pick,
            lambda alert: acts.reopen(
                alert,
                by or owner(alert),
                reason="wrong",
                now_us=self.now_us,
                successor=self.unresolved(alert.signal),
            ),
        )

    @rule(pick=picks, by=people)
    def gives_back(self, pick: int, by: User | None) -> None:
        self.does(pick, lambda alert: acts.give_back(alert, by or owner(alert), now_us=self.now_us))

    @rule(pick=picks, by=people)
    def notes(self, pick: int, by: User | None) -> None:
        self.does(pick, lambda alert: acts.note(alert, by or owner(alert), text="well", now_us=self.now_us))

    @rule(pick=picks, by=people, to=st.none() | st.sampled_from(PARTIES), who=st.none() | people)
    def hands_over(self, pick: int, by: User | None, to: Party | None, who: User | None) -> None:
        to = Party(who.role, who.organisation_id) if who is not None and to is not None else to
        person_id = None if who is None else who.person_id
        self.does(
            pick,
            lambda alert: acts.hand_over(
                alert, by or owner(alert), to=to, person_id=person_id, policy=POLICY, now_us=self.now_us
            ),
        )

    @rule(pick=picks, by=people, takes=st.booleans())
    def is_offered(self, pick: int, by: User | None, takes: bool) -> None:
        def act(alert: Alert) -> Transition:
            if not takes:
                return acts.decline_hand_over(alert, by or offered(alert), reason="no", now_us=self.now_us)
            return acts.accept_hand_over(
                alert,
                by or offered(alert),
                policy=POLICY,
                duty=shift(self.now_us),
                now_us=self.now_us,
                escalations=self.asked_of(alert),
            )

        self.does(pick, act)

    @rule(pick=picks, by=people, to=st.sampled_from(PARTIES), asks=st.booleans())
    def escalates(self, pick: int, by: User | None, to: Party, asks: bool) -> None:
        asked = Asked(
            Recipient.HUISARTS,
            to,
            RequestKind.REGULAR,
            "worse",
            (Channel.WORKLIST,),
            question="what now?" if asks else None,
            answer_within_us=HOUR_US if asks else None,
        )
        self.does(
            pick,
            lambda alert: acts.escalate(
                alert,
                by or owner(alert),
                escalation_id=next(self.ids),
                message_ids=self.ids,
                asked=asked,
                now_us=self.now_us,
            ),
        )

    @precondition(lambda self: self.escalations)
    @rule(pick=picks, by=people)
    def accepts(self, pick: int, by: User | None) -> None:
        self.sees_to(
            pick,
            by,
            lambda alert, escalation, who: acts.accept_escalation(
                alert,
                escalation,
                who,
                policy=POLICY,
                duty=shift(self.now_us),
                now_us=self.now_us,
                others=self.asked_of(alert),
            ),
        )

    @precondition(lambda self: self.escalations)
    @rule(pick=picks, by=people)
    def answers(self, pick: int, by: User | None) -> None:
        self.sees_to(
            pick,
            by,
            lambda alert, escalation, who: acts.answer_escalation(
                alert, escalation, who, answer="seen", referral_avoided=None, now_us=self.now_us
            ),
        )

    @precondition(lambda self: self.escalations)
    @rule(pick=picks, by=people)
    def hands_back(self, pick: int, by: User | None) -> None:
        self.sees_to(
            pick,
            by,
            lambda alert, escalation, who: acts.hand_back(
                alert, escalation, who, reason="no", now_us=self.now_us
            ),
        )

    @precondition(lambda self: self.escalations)
    @rule(pick=picks, by=people)
    def withdraws(self, pick: int, by: User | None) -> None:
        self.sees_to(
            pick,
            by or ANNA,
            lambda alert, escalation, who: acts.withdraw(
                alert, escalation, who, reason="better", now_us=self.now_us
            ),
        )

    def sees_to(
        self, pick: int, by: User | None, act: Callable[[Alert, Escalation, User], Transition]
    ) -> None:
        """An act on an escalation, the open ones first; by whom has it, or was asked."""
        open_ones = [e for e in self.escalations.values() if e.state in OPEN_ESCALATION]
        found = open_ones or list(self.escalations.values())
        escalation = found[-1 - pick % len(found)]
        alert = self.alerts[escalation.alert_id]
        if by is None:
            has = owner(alert)
            asked = Party(has.role, has.organisation_id) == escalation.to
            by = has if asked else at(escalation.to, but=None)
        try:
            done = act(alert, escalation, by)
        except (BadInput, Outdated):
            return
        self.carries_out(alert, done)

    # What the clock does, and who looks at it.

    @rule(minutes=st.integers(1, 60) | st.sampled_from([20, 61, 121, 241, 500]))
    def goes_on(self, minutes: int) -> None:
        self.now_us += minutes * MINUTE_US
        self.looks()

    @rule(minutes=st.sampled_from([1, 30, 600]))
    def steps_back(self, minutes: int) -> None:
        self.now_us -= minutes * MINUTE_US

    def looks(self) -> None:
        """The ladder, as far as promises go: what is due is looked at, and is due again only later."""
        for key in [key for key, at_us in self.next_us.items() if at_us <= self.now_us]:
            for _ in range(5):
                if self.next_us.get(key, self.now_us + 1) > self.now_us:
                    break
                self.looks_at(self.alerts[key])
            assert self.next_us.get(key, self.now_us + 1) > self.now_us

    def looks_at(self, alert: Alert) -> None:
        if alert.state is not AlertState.ACKNOWLEDGED:
            self.next_us.pop(alert.alert_id)
            if alert.state is AlertState.OPEN:
                self.next_us[alert.alert_id] = self.now_us + 30 * MINUTE_US
            return
        assert alert.acknowledged_at_us is not None
        promised = shift(alert.acknowledged_at_us)
        due_us, why = next_of_promise(alert, promised)
        if due_us > self.now_us:
            self.next_us[alert.alert_id] = due_us
            return
        match why:
            case "snooze_over":
                done = acts.snooze_over(alert, policy=POLICY, duty=promised, now_us=self.now_us)
            case "hand_over_expired":
                done = acts.hand_over_expired(alert, duty=promised, now_us=self.now_us)
            case _:
                done = acts.lapse(alert, why=why, now_us=self.now_us)
        self.carries_out(alert, done)

    # What holds at every moment.

    @invariant()
    def promises_are_whole_and_end(self) -> None:
        for alert in self.alerts.values():
            promises_are_whole(alert)
            if alert.state is AlertState.ACKNOWLEDGED:
                since_us, until_us = alert.acknowledged_at_us, alert.resolve_by_us
                assert since_us is not None
                assert until_us is not None
                assert until_us <= since_us + LONGEST_US
                snoozed_us = alert.snoozed_until_us
                assert snoozed_us is None or snoozed_us <= since_us + POLICY.snooze_at_most_us
                assert alert.hand_over is None or alert.hand_over.until_us <= until_us

    @invariant()
    def somebody_looks_in_time(self) -> None:
        for key, alert in self.alerts.items():
            if alert.state is AlertState.RESOLVED:
                continue
            assert key in self.next_us
            if alert.resolve_by_us is not None:
                assert self.next_us[key] <= alert.resolve_by_us

    @invariant()
    def exactly_one_party_is_responsible(self) -> None:
        for alert in self.alerts.values():
            assert alert.responsible in PARTIES
            if alert.state is AlertState.RESOLVED:
                continue
            has = [
                e for e in self.asked_of(alert) if e.state is EscalationState.ACCEPTED and e.question is None
            ]
            assert len(has) <= 1
            assert all(e.to == alert.responsible for e in has)

    @invariant()
    def escalations_are_whole(self) -> None:
        for e in self.escalations.values():
            assert (e.state in OPEN_ESCALATION) == (e.over_at_us is None)
            assert (e.accepted_at_us is None) == (e.accepted_by is None)
            assert (e.answered_at_us is None) == (e.answer is None)
            assert e.state is not EscalationState.ACCEPTED or e.accepted_by is not None
            alert = self.alerts[e.alert_id]
            if e.state in OPEN_ESCALATION:
                assert alert.state is not AlertState.RESOLVED or alert.outcome == Outcome.ENDED

    @invariant()
    def one_alert_is_open_for_a_signal(self) -> None:
        for signal in Signal:
            self.unresolved(signal)

    @invariant()
    def the_events_tell_it_all(self) -> None:
        for key, alert in self.alerts.items():
            events = self.events[key]
            assert events[0].event is AlertEvent.OPENED
            assert Told.of(alert) == replayed(events)


TestWard = Ward.TestCase
TestWard.settings = settings(max_examples=120, stateful_step_count=50, deadline=None)
