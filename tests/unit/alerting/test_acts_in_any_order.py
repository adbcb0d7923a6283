"""Whatever people, engine and clock do: somebody is responsible, and nothing is forgotten."""

from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from alerting import acts
from alerting.acts import Asked
from alerting.acts.steps import next_of_promise
from alerting.transition import Transition
from models.access import User
from models.alerts import Alert, AlertEvent, AlertState, Outcome
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
from models.findings import Signal
from tests.unit.alerting.acting import (
    ANNA,
    POLICY,
    Told,
    promises_are_whole,
    replayed,
)
from tests.unit.alerting.ward import LONGEST_US, PARTIES, Followed, at, offered, owner, people, picks, shift


class Ward(Followed):
    """The patient, and everybody who has to do with the patient's alerts."""

    # What people do.

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
                message_id=next(self.ids),
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
TestWard.settings = settings(max_examples=80, stateful_step_count=50, deadline=None)
