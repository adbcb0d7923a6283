"""What people do with an alert: each act, and each refusal."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from alerting import acts
from alerting.transition import Transition
from models.access import Role, User
from models.alerts import ALERTING, Alert, AlertEvent, AlertState, HandOver, Outcome
from models.clock import DAY_US, HOUR_US, MINUTE_US
from models.errors import BadInput, Outdated
from models.escalations import (
    EscalationState,
    Party,
)
from tests.unit.alerting.acted import (
    ASKED,
    accepted,
    acknowledged,
    escalated,
    names,
    refused,
    resolved,
    snoozed,
)
from tests.unit.alerting.acting import (
    ANNA,
    BAS,
    CENTRE,
    HUISARTS,
    NOW,
    NURSES,
    POLICY,
    PRACTITIONERS,
    an_alert,
    duty,
    promises_are_whole,
)

Act = Callable[[Alert], Transition]


def test_acknowledging_is_a_promise_with_an_end() -> None:
    done = acts.acknowledge(an_alert(), ANNA, policy=POLICY, duty=duty(), now_us=NOW)
    alert = done.alert
    assert (alert.state, alert.owner, alert.version) == (AlertState.ACKNOWLEDGED, ANNA.person_id, 2)
    assert (alert.acknowledged_at_us, alert.resolve_by_us) == (NOW, NOW + 2 * HOUR_US)
    assert (done.next_us, done.why) == (NOW + 2 * HOUR_US, "resolve_by_passed")
    (event,) = done.events
    assert (event.by, event.from_value, event.to_value) == (
        str(ANNA.person_id),
        AlertState.OPEN,
        AlertState.ACKNOWLEDGED,
    )
    assert (event.why["policy"], event.why["duty"]) == ("test/3", "day")
    assert alert.responsible == NURSES


def test_the_promise_is_looked_at_when_the_duty_ends() -> None:
    done = acts.acknowledge(an_alert(), ANNA, policy=POLICY, duty=duty(NOW + MINUTE_US), now_us=NOW)
    assert (done.next_us, done.why) == (NOW + MINUTE_US, "duty_over")


def test_of_two_nurses_one_wins_and_the_other_learns_who() -> None:
    first = acknowledged(ANNA)
    refused(Outdated, lambda: acts.require_version(first, an_alert().version), "version 2", "version 1")
    acts.require_version(first, 2)
    refused(
        Outdated,
        lambda: acts.acknowledge(first, BAS, policy=POLICY, duty=duty(), now_us=NOW),
        str(ANNA.person_id),
    )


def test_a_promise_is_not_made_longer_by_repeating_it() -> None:
    mine = acknowledged()
    refused(
        Outdated,
        lambda: acts.acknowledge(mine, ANNA, policy=POLICY, duty=duty(), now_us=NOW + HOUR_US),
        "yours",
    )


def test_snoozing_is_quiet_until_a_moment_and_the_promise_counts_from_then() -> None:
    done = acts.snooze(
        an_alert(),
        ANNA,
        until_us=NOW + HOUR_US,
        promised_since_us=None,
        policy=POLICY,
        duty=duty(),
        now_us=NOW,
    )
    assert names(done) == ["acknowledged", "snoozed"]
    assert (done.alert.snoozed_until_us, done.alert.resolve_by_us) == (NOW + HOUR_US, NOW + 3 * HOUR_US)
    assert (done.next_us, done.why) == (NOW + HOUR_US, "snooze_over")
    assert done.alert.version == 2
    later = NOW + 90 * MINUTE_US
    over = acts.snooze_over(done.alert, policy=POLICY, duty=duty(), now_us=later)
    assert (over.alert.snoozed_until_us, over.alert.resolve_by_us) == (None, NOW + 3 * HOUR_US)
    assert (over.next_us, over.events[0].by) == (NOW + 3 * HOUR_US, ALERTING)
    refused(Outdated, lambda: acts.snooze_over(over.alert, policy=POLICY, duty=duty(), now_us=later))


def test_waking_up_early_makes_the_promise_no_longer() -> None:
    woken = acts.acknowledge(snoozed(), ANNA, policy=POLICY, duty=duty(), now_us=NOW + 30 * MINUTE_US)
    assert names(woken) == ["snooze_ended"]
    assert (woken.alert.snoozed_until_us, woken.alert.resolve_by_us) == (None, NOW + 150 * MINUTE_US)


@pytest.mark.parametrize("until_us", [NOW, NOW - 1, 0, -(10**18), NOW + 4 * HOUR_US + 1, 2**62])
def test_no_snooze_into_the_past_or_beyond_the_policy(until_us: int) -> None:
    latest = "2026-11-22T11:31:20+00:00"
    refused(BadInput, lambda: snoozed(until_us), "until", latest)


def test_snoozes_count_together_from_the_first_promise() -> None:
    again = acts.snooze(
        snoozed(),
        ANNA,
        until_us=NOW + 4 * HOUR_US,
        promised_since_us=NOW,
        policy=POLICY,
        duty=duty(),
        now_us=NOW + HOUR_US,
    )
    assert again.events[0].from_value == str(NOW + HOUR_US)
    for since_us, now_us in ((NOW, NOW + HOUR_US), (None, NOW + HOUR_US), (NOW, NOW + 5 * HOUR_US)):
        with pytest.raises(BadInput, match="until"):
            acts.snooze(
                again.alert,
                ANNA,
                until_us=max(NOW + 4 * HOUR_US, now_us) + 1,
                promised_since_us=since_us,
                policy=POLICY,
                duty=duty(),
                now_us=now_us,
            )


def test_a_clock_that_went_back_allows_no_longer_snooze() -> None:
    with pytest.raises(BadInput):
        acts.snooze(
            acknowledged(),
            ANNA,
            until_us=NOW + 4 * HOUR_US,
            promised_since_us=NOW,
            policy=POLICY,
            duty=duty(),
            now_us=NOW - HOUR_US,
        )


def test_a_snooze_beyond_the_duty_says_that_the_duty_ends_before() -> None:
    done = acts.snooze(
        an_alert(),
        ANNA,
        until_us=NOW + HOUR_US,
        promised_since_us=None,
        policy=POLICY,
        duty=duty(NOW + MINUTE_US),
        now_us=NOW,
    )
    assert (done.next_us, done.why) == (NOW + MINUTE_US, "duty_over")
    assert done.events[-1].why["duty_ends_before_us"] == NOW + MINUTE_US


def test_giving_back_and_lapsing_leave_it_open_and_the_ladder_goes_on() -> None:
    back = acts.give_back(snoozed(), ANNA, now_us=NOW + 1)
    assert (back.alert.state, back.alert.owner, back.next_us) == (AlertState.OPEN, None, NOW + 1)
    (event,) = back.events
    assert (event.event, event.by, event.why["because"]) == (
        AlertEvent.LAPSED,
        str(ANNA.person_id),
        "given_back",
    )
    promises_are_whole(back.alert)
    refused(Outdated, lambda: acts.give_back(back.alert, ANNA, now_us=NOW), "Nobody")
    refused(Outdated, lambda: acts.give_back(acknowledged(), BAS, now_us=NOW), str(ANNA.person_id))
    lapsed = acts.lapse(acknowledged(), why={"because": "resolve_by_passed", "more": 1}, now_us=NOW + 2)
    assert (lapsed.events[0].by, lapsed.events[0].why["more"]) == (ALERTING, 1)
    assert lapsed.events[0].why["owner"] == str(ANNA.person_id)
    refused(Outdated, lambda: acts.lapse(lapsed.alert, why="again", now_us=NOW))


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome.by_people])
def test_resolving_with_what_came_of_it(outcome: Outcome) -> None:
    done = acts.resolve(
        snoozed(),
        ANNA,
        outcome=outcome,
        note="  rang her  ",
        holds=False,
        policy=POLICY,
        escalations=(),
        now_us=NOW + 9,
    )
    alert = done.alert
    assert (alert.state, alert.outcome, alert.resolved_at_us) == (AlertState.RESOLVED, outcome, NOW + 9)
    assert (done.next_us, alert.recheck_at_us, alert.owner) == (None, None, ANNA.person_id)
    assert (done.events[0].why["note"], done.events[0].from_value) == ("rang her", AlertState.ACKNOWLEDGED)
    promises_are_whole(alert)


def test_while_a_finding_holds_it_is_looked_at_again() -> None:
    done = acts.resolve(
        an_alert(),
        ANNA,
        outcome=Outcome.EXPECTED,
        note=" ",
        holds=True,
        policy=POLICY,
        escalations=(),
        now_us=NOW,
    )
    assert (done.alert.recheck_at_us, done.next_us, done.why) == (NOW + DAY_US, NOW + DAY_US, "recheck")
    assert "note" not in done.events[0].why


@pytest.mark.parametrize("outcome", ["", "cured", "by_itself", Outcome.ENDED])
def test_an_outcome_that_there_is_not_or_that_nobody_decides(outcome: str) -> None:
    def act() -> object:
        return acts.resolve(
            acknowledged(),
            ANNA,
            outcome=outcome,
            note=None,
            holds=False,
            policy=POLICY,
            escalations=(),
            now_us=NOW,
        )

    refused(BadInput, act, "outcome", "measuring_technique", "true_acted_on")


def test_resolving_withdraws_what_was_asked_and_who_was_told_hears_of_it() -> None:
    alert, asked = escalated()
    over = replace(
        asked, escalation_id=UUID(int=9), state=EscalationState.PASSED_ON, over_at_us=NOW, version=4
    )
    other = replace(asked, alert_id=UUID(int=8))
    done = acts.resolve(
        alert,
        ANNA,
        outcome=Outcome.TRUE_NO_ACTION,
        note=None,
        holds=True,
        policy=POLICY,
        escalations=(asked, over, other),
        now_us=NOW + 5,
    )
    (withdrawn,) = done.escalations
    assert (withdrawn.escalation_id, withdrawn.state) == (asked.escalation_id, EscalationState.WITHDRAWN)
    assert (withdrawn.over_at_us, withdrawn.version) == (NOW + 5, 2)
    assert names(done) == ["resolved", "escalation_withdrawn"]
    assert (done.next_us, done.alert.recheck_at_us) == (NOW + 5, NOW + 5 + DAY_US)


def test_undoing_a_resolve() -> None:
    alert = resolved(snoozed())
    done = acts.reopen(alert, ANNA, reason="wrong patient", now_us=NOW + 15 * MINUTE_US)
    assert (done.alert.state, done.alert.owner, done.alert.outcome) == (AlertState.OPEN, None, None)
    assert (names(done), done.next_us) == (["undone"], NOW + 15 * MINUTE_US)
    assert done.events[0].why == {"reason": "wrong patient", "outcome": "true_acted_on"}
    promises_are_whole(done.alert)


def test_what_cannot_be_undone() -> None:
    alert = resolved()
    reason, late = "oops", NOW + 15 * MINUTE_US + 1
    refused(Outdated, lambda: acts.reopen(acknowledged(), ANNA, reason=reason, now_us=NOW), "not resolved")
    refused(Outdated, lambda: acts.reopen(alert, BAS, reason=reason, now_us=NOW), str(ANNA.person_id))
    refused(Outdated, lambda: acts.reopen(alert, ANNA, reason=reason, now_us=late), "15 minutes")
    refused(BadInput, lambda: acts.reopen(alert, ANNA, reason=" ", now_us=NOW), "reason")
    ended = replace(alert, outcome=Outcome.ENDED)
    refused(Outdated, lambda: acts.reopen(ended, ANNA, reason=reason, now_us=NOW), "ended")
    newer = replace(an_alert(), alert_id=UUID(int=101))
    refused(
        Outdated,
        lambda: acts.reopen(alert, ANNA, reason=reason, now_us=NOW, successor=newer),
        str(newer.alert_id),
    )


def offered(person_id: UUID | None = None, to: Party = NURSES) -> Alert:
    return acts.hand_over(acknowledged(), ANNA, to=to, person_id=person_id, policy=POLICY, now_us=NOW).alert


def test_what_is_handed_over_stays_with_who_offers_until_somebody_accepts() -> None:
    done = acts.hand_over(acknowledged(), ANNA, to=NURSES, person_id=BAS.person_id, policy=POLICY, now_us=NOW)
    offer = HandOver(Role.NURSE, CENTRE, BAS.person_id, NOW + 15 * MINUTE_US)
    assert (done.alert.hand_over, done.alert.owner, done.next_us) == (offer, ANNA.person_id, NOW)
    later = NOW + MINUTE_US
    taken = acts.accept_hand_over(done.alert, BAS, policy=POLICY, duty=duty(), now_us=later)
    assert (taken.alert.owner, taken.alert.hand_over) == (BAS.person_id, None)
    assert (taken.alert.acknowledged_at_us, taken.alert.resolve_by_us) == (later, later + 2 * HOUR_US)
    assert names(taken) == ["hand_over_accepted"]
    assert taken.events[0].from_value == str(ANNA.person_id)
    assert taken.next_us == taken.alert.resolve_by_us


def test_an_offer_is_no_longer_than_the_promise() -> None:
    late = NOW + 2 * HOUR_US - 1
    done = acts.hand_over(acknowledged(), ANNA, to=NURSES, person_id=None, policy=POLICY, now_us=late)
    assert done.alert.hand_over is not None
    assert done.alert.hand_over.until_us == NOW + 2 * HOUR_US


def test_another_party_that_accepts_is_responsible() -> None:
    taken = acts.accept_hand_over(offered(to=PRACTITIONERS), HUISARTS, policy=POLICY, duty=duty(), now_us=NOW)
    assert (taken.alert.responsible, taken.alert.sent) == (PRACTITIONERS, True)
    assert names(taken) == ["hand_over_accepted", "responsibility_moved"]


def test_who_had_accepted_an_escalation_is_passed_on_by_a_hand_over() -> None:
    alert, escalation = accepted()
    alert = acts.hand_over(alert, HUISARTS, to=NURSES, person_id=None, policy=POLICY, now_us=NOW).alert
    taken = acts.accept_hand_over(
        alert, BAS, policy=POLICY, duty=duty(), now_us=NOW, escalations=[escalation]
    )
    assert taken.alert.responsible == NURSES
    assert [e.state for e in taken.escalations] == [EscalationState.PASSED_ON]


def test_declining_and_letting_it_pass_leave_it_where_it_is() -> None:
    for by in (BAS, ANNA):
        done = acts.decline_hand_over(offered(), by, reason="no time", now_us=NOW)
        assert (done.alert.owner, done.alert.hand_over) == (ANNA.person_id, None)
        assert (names(done), done.next_us) == (["hand_over_declined"], NOW)
        assert done.events[0].why["reason"] == "no time"
    expired = acts.hand_over_expired(offered(), duty=duty(), now_us=NOW + HOUR_US)
    assert (expired.alert.owner, expired.alert.hand_over) == (ANNA.person_id, None)
    assert (names(expired), expired.events[0].by) == (["hand_over_expired"], ALERTING)


def test_hand_overs_that_are_refused() -> None:
    def give(
        to: Party | None, person_id: UUID | None = None, alert: Alert | None = None
    ) -> Callable[[], object]:
        return lambda: acts.hand_over(
            alert or acknowledged(), ANNA, to=to, person_id=person_id, policy=POLICY, now_us=NOW
        )

    def take(alert: Alert, by: User, now_us: int = NOW) -> Callable[[], object]:
        return lambda: acts.accept_hand_over(alert, by, policy=POLICY, duty=duty(), now_us=now_us)

    refused(BadInput, give(None), "to", "nobody")
    refused(BadInput, give(NURSES, ANNA.person_id), "yourself")
    refused(BadInput, give(Party(Role.ADMINISTRATOR, CENTRE)), "to.role", "administrator")
    refused(Outdated, give(NURSES, alert=an_alert()), "Nobody")
    refused(Outdated, give(NURSES, alert=acknowledged(BAS)), str(BAS.person_id))
    refused(BadInput, take(offered(), ANNA), "somebody else")
    refused(BadInput, take(offered(), HUISARTS), "nurse@")
    refused(BadInput, take(offered(UUID(int=99)), BAS), str(UUID(int=99)))
    refused(Outdated, take(offered(), BAS, NOW + 15 * MINUTE_US), str(ANNA.person_id))
    refused(Outdated, take(acknowledged(), BAS), str(ANNA.person_id))
    refused(BadInput, lambda: acts.decline_hand_over(offered(), HUISARTS, reason="no", now_us=NOW), "nurse@")
    refused(BadInput, lambda: acts.decline_hand_over(offered(), BAS, reason="", now_us=NOW), "reason")
    refused(Outdated, lambda: acts.hand_over_expired(acknowledged(), duty=duty(), now_us=NOW))


def test_anybody_may_note_something_and_it_is_looked_at_at_once() -> None:
    done = acts.note(acknowledged(), BAS, text=" she sounded fine ", now_us=NOW + 3)
    assert (done.alert.owner, done.alert.version, done.next_us) == (ANNA.person_id, 3, NOW + 3)
    assert (names(done), done.events[0].why) == (["noted"], {"text": "she sounded fine"})


@pytest.mark.parametrize("text", ["", " \n", "x" * 4_001, "a\x00b", "\ud800"])
def test_what_cannot_be_written(text: str) -> None:
    refused(BadInput, lambda: acts.note(an_alert(), ANNA, text=text, now_us=NOW), "text")


CLOSED: dict[str, Act] = {
    "acknowledge": lambda a: acts.acknowledge(a, ANNA, policy=POLICY, duty=duty(), now_us=NOW),
    "snooze": lambda a: acts.snooze(
        a,
        ANNA,
        until_us=NOW + 1,
        promised_since_us=None,
        policy=POLICY,
        duty=duty(),
        now_us=NOW,
    ),
    "resolve": lambda a: acts.resolve(
        a,
        ANNA,
        outcome=Outcome.EXPECTED,
        note=None,
        holds=False,
        policy=POLICY,
        escalations=(),
        now_us=NOW,
    ),
    "give_back": lambda a: acts.give_back(a, ANNA, now_us=NOW),
    "hand_over": lambda a: acts.hand_over(a, ANNA, to=NURSES, person_id=None, policy=POLICY, now_us=NOW),
    "accept_hand_over": lambda a: acts.accept_hand_over(a, BAS, policy=POLICY, duty=duty(), now_us=NOW),
    "decline_hand_over": lambda a: acts.decline_hand_over(a, BAS, reason="x", now_us=NOW),
    "hand_over_expired": lambda a: acts.hand_over_expired(a, duty=duty(), now_us=NOW),
    "note": lambda a: acts.note(a, ANNA, text="x", now_us=NOW),
    "lapse": lambda a: acts.lapse(a, why="x", now_us=NOW),
    "snooze_over": lambda a: acts.snooze_over(a, policy=POLICY, duty=duty(), now_us=NOW),
    "escalate": lambda a: acts.escalate(
        a, ANNA, escalation_id=UUID(int=1), message_id=UUID(int=300), asked=ASKED, now_us=NOW
    ),
    "accept": lambda a: acts.accept_escalation(
        a, escalated()[1], HUISARTS, policy=POLICY, duty=duty(), now_us=NOW
    ),
    "answer": lambda a: acts.answer_escalation(
        a, escalated()[1], HUISARTS, answer="x", referral_avoided=None, now_us=NOW
    ),
    "hand_back": lambda a: acts.hand_back(a, escalated()[1], HUISARTS, reason="x", now_us=NOW),
    "withdraw": lambda a: acts.withdraw(a, escalated()[1], ANNA, reason="x", now_us=NOW),
}


@pytest.mark.parametrize("act", CLOSED.values(), ids=CLOSED.keys())
def test_nothing_is_done_with_an_alert_that_is_closed(act: Act) -> None:
    refused(Outdated, lambda: act(resolved(acknowledged())), "true_acted_on", str(ANNA.person_id))


@pytest.mark.parametrize("name", ["acknowledge", "snooze", "resolve", "give_back", "hand_over", "escalate"])
def test_nothing_is_done_with_what_is_somebody_elses(name: str) -> None:
    refused(Outdated, lambda: CLOSED[name](acknowledged(BAS)), str(BAS.person_id))
