"""What the ladder does when nobody acts, and what it leaves alone."""

import json
from dataclasses import replace
from uuid import UUID

import pytest

from alerting.acts import answer_escalation, hand_back
from alerting.escalation.recipients import Contact
from alerting.escalation.situation import Look
from models.access import Role
from models.alerts import AlertEvent, AlertState, HeldBack, Outcome
from models.clock import DAY_US, HOUR_US, MINUTE_US
from models.escalations import (
    Channel,
    EscalationState,
    MessageKind,
    MessageState,
    Party,
    Recipient,
    Trouble,
)
from models.findings import Severity
from models.messages import Origin
from tests.unit.escalation.course import (
    CENTRE_STEP,
    HOSPITAL,
    HUISARTS,
    NURSES,
    NURSES_OF_CENTRE,
    PRACTICE,
    PRACTICE_STEP,
    SPECIALIST,
    T0_US,
    Course,
    step,
)


@pytest.fixture
def course() -> Course:
    return Course()


def test_a_new_alert_stands_in_the_worklist_of_the_nurses(course: Course) -> None:
    decision = course.look()
    assert (decision.look, decision.transition.next_us) == (Look.STEPPED, T0_US + HOUR_US)
    assert decision.why == ("first_look", "stands_in_their_worklist", "not_accepted")
    assert (course.alert.step_no, course.alert.policy, course.alert.sent) == (1, "medium/1", False)
    assert course.alert.responsible == NURSES_OF_CENTRE
    assert course.messages == {}
    assert course.escalations == {}
    assert decision.heard_event_no == 1


def test_when_nobody_accepts_the_next_is_asked_and_nothing_moves(course: Course) -> None:
    course.after(HOUR_US)
    (escalation,) = course.open_now
    assert (escalation.recipient, escalation.step_no) == (Recipient.HUISARTS, 2)
    assert escalation.reason == "not_accepted"
    assert course.alert.responsible == NURSES_OF_CENTRE, "until a named person accepts, it is the sender's"
    assert (course.alert.state, course.alert.owner, course.alert.sent) == (AlertState.OPEN, None, True)
    (message,) = course.messages.values()
    assert (message.kind, message.channel) == (MessageKind.ESCALATION, Channel.FHIR)
    assert message.to_id == PRACTICE
    assert message.due_at_us == T0_US + HOUR_US + 15 * MINUTE_US, "others of this patient may join it"
    assert message.deliver_by_us == T0_US + HOUR_US + 10 * MINUTE_US
    by_us = T0_US + 3 * HOUR_US
    assert json.loads(message.body) == {"channels": ["secure_mail"], "by_us": by_us}
    assert AlertEvent.ESCALATED in course.kinds()


def test_what_is_severe_waits_for_nothing_to_join_it(course: Course) -> None:
    course.opens(Severity.HIGH).after(10 * MINUTE_US)
    (message,) = course.messages.values()
    assert message.due_at_us == T0_US + 10 * MINUTE_US


def test_who_does_not_accept_in_time_is_passed_on(course: Course) -> None:
    course.after(HOUR_US).sends()
    course.after(2 * HOUR_US)
    practice, centre = course.escalations.values()
    assert (practice.state, practice.over_at_us) == (EscalationState.PASSED_ON, T0_US + 3 * HOUR_US)
    assert (centre.recipient, centre.state) == (Recipient.COORDINATION_CENTRE, EscalationState.ASKED)
    assert course.kinds().count(AlertEvent.ESCALATION_PASSED_ON) == 1


def test_what_does_not_arrive_in_time_is_passed_on_and_is_trouble(course: Course) -> None:
    course.after(HOUR_US).sends(MessageState.ATTEMPTED)
    course.after(10 * MINUTE_US)
    assert course.asked == [Recipient.HUISARTS, Recipient.COORDINATION_CENTRE]
    assert course.decisions[-1].noticed[0].trouble is Trouble.UNDELIVERED
    assert course.decisions[-1].noticed[0].subject == f"fhir to {PRACTICE}"


def test_while_the_next_channel_is_tried_the_step_waits(course: Course) -> None:
    course.after(HOUR_US).sends(MessageState.GIVEN_UP)
    (given_up,) = course.messages.values()
    follow = replace(
        given_up, message_id=UUID(int=7), channel=Channel.SECURE_MAIL, state=MessageState.DUE, over_at_us=None
    )
    follow = replace(follow, due_at_us=given_up.due_at_us + 1)
    course.messages[follow.message_id] = follow
    course.after(5 * MINUTE_US)
    assert course.look().look is Look.WAITS
    course.messages[follow.message_id] = replace(follow, state=MessageState.DELIVERED)
    assert course.look().transition.next_us == T0_US + 3 * HOUR_US


def test_when_every_channel_gave_up_the_next_is_asked_at_once(course: Course) -> None:
    course.after(HOUR_US).sends(MessageState.GIVEN_UP)
    course.now_us += MINUTE_US
    course.look()
    assert course.asked == [Recipient.HUISARTS, Recipient.COORDINATION_CENTRE]


def test_what_is_not_resolved_in_time_goes_on() -> None:
    course = Course.of(step(Recipient.NURSE, accepted=None, resolved=2 * HOUR_US), PRACTICE_STEP)
    course.after(2 * HOUR_US)
    assert course.asked == [Recipient.HUISARTS]
    assert course.escalations[next(iter(course.escalations))].reason == "not_resolved"


def test_a_step_that_leads_to_nobody_is_passed_over_and_is_trouble(course: Course) -> None:
    course.contacts = {k: v for k, v in course.contacts.items() if k is not Recipient.HUISARTS}
    course.after(HOUR_US)
    assert course.asked == [Recipient.COORDINATION_CENTRE]
    assert course.troubles() == [Trouble.UNREACHABLE_STEP]
    assert "step_2_reaches_nobody" in course.decisions[-1].why
    stepped = [one.happening for one in course.events if one.happening.event is AlertEvent.STEPPED]
    assert "passed_over" not in stepped[0].why
    assert stepped[-1].why["passed_over"] == ["huisarts"], "and the alert's history says so"


def test_a_step_without_an_address_leads_to_nobody(course: Course) -> None:
    party = course.contacts[Recipient.HUISARTS].party
    course.contacts = {**course.contacts, Recipient.HUISARTS: Contact(party)}
    course.after(HOUR_US)
    assert course.asked == [Recipient.COORDINATION_CENTRE]
    (noticed,) = course.decisions[-1].noticed
    assert (noticed.details, noticed.organisation_id) == (
        "no address for any channel of the step",
        PRACTICE,
    )


def test_the_last_step_is_repeated_until_somebody_accepts() -> None:
    course = Course.of(NURSES, CENTRE_STEP)
    course.after(HOUR_US).sends()
    course.after(HOUR_US)
    assert course.decisions[-1].look is Look.ENDED
    assert course.troubles() == [Trouble.LADDER_ENDED]
    assert course.next_us == T0_US + 6 * HOUR_US
    course.until(T0_US + 6 * HOUR_US)
    assert course.decisions[-1].look is Look.REPEATED
    assert course.asked == [Recipient.COORDINATION_CENTRE] * 2
    assert len(course.open_now) == 1
    course.sends()
    course.after(5 * HOUR_US)
    assert course.asked == [Recipient.COORDINATION_CENTRE] * 3


def test_nobody_can_be_reached_at_all_and_somebody_hears_of_it(course: Course) -> None:
    course.contacts = {Recipient.NURSE: course.contacts[Recipient.NURSE]}
    course.after(HOUR_US)
    assert Trouble.LADDER_ENDED in course.troubles()
    assert course.next_us is not None
    course.after(DAY_US)
    assert course.messages == {}
    assert not course.is_silent_for_ever()


def test_outside_practice_hours_the_post_is_asked() -> None:
    course = Course()
    course.now_us = T0_US + 10 * HOUR_US
    course.next_us = course.now_us
    course.after(HOUR_US)
    assert course.asked == [Recipient.OUT_OF_HOURS_POST]


def test_a_question_never_waits_in_a_closed_practice() -> None:
    course = Course.of(NURSES, step(Recipient.HUISARTS, accepted=4 * HOUR_US), CENTRE_STEP)
    course.now_us = course.next_us = T0_US + 6 * HOUR_US
    course.after(HOUR_US).sends()
    course.look()
    assert course.next_us == T0_US + 8 * HOUR_US
    course.until(T0_US + 8 * HOUR_US).sends()
    practice, post = course.escalations.values()
    assert (practice.state, post.recipient) == (EscalationState.PASSED_ON, Recipient.OUT_OF_HOURS_POST)
    assert post.step_no == 2
    course.until(T0_US + 11 * HOUR_US)
    assert course.asked[-1] is Recipient.COORDINATION_CENTRE, "the time of the step went on meanwhile"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"quiet": True}, "quiet"),
        ({"held_back": HeldBack.ADMISSION}, "held_back_admission"),
        ({"held_back": HeldBack.PAUSE}, "held_back_pause"),
        ({"held_back": HeldBack.INCIDENT}, "held_back_incident"),
        ({"origin": Origin.CANARY}, "canary"),
    ],
)
def test_what_is_kept_from_people_is_kept_from_them(
    course: Course, changes: dict[str, object], why: str
) -> None:
    course.becomes(**changes)
    decision = course.look()
    assert (decision.look, decision.transition.why) == (Look.SILENT, why)
    assert decision.why[-1] == "nobody_is_asked"
    course.after(3 * DAY_US)
    assert course.messages == {}
    assert course.next_us is not None


def test_released_it_begins_at_its_step(course: Course) -> None:
    course.becomes(held_back=HeldBack.ADMISSION)
    course.after(DAY_US)
    course.becomes(held_back=None)
    course.happens(AlertEvent.RELEASED)
    assert course.look().look is Look.STEPPED
    assert course.alert.step_no == 1


def test_a_cleared_alert_closes_by_itself_where_its_policy_says_so(course: Course) -> None:
    course.opens(Severity.LOW).look()
    course.cleared()
    decision = course.look()
    assert (decision.look, decision.transition.next_us) == (Look.CLOSED, None)
    assert (course.alert.state, course.alert.outcome) == (AlertState.RESOLVED, Outcome.BY_ITSELF)


def test_a_cleared_alert_stays_open_where_its_policy_does_not(course: Course) -> None:
    course.look()
    course.cleared()
    assert course.look().look is Look.NOTHING_HOLDS
    course.after(3 * DAY_US)
    assert course.alert.state is AlertState.OPEN
    assert course.messages == {}, "and nobody outside is asked about what is over"


def test_what_a_person_has_claimed_or_was_sent_never_closes_by_itself(course: Course) -> None:
    course.opens(Severity.LOW).look()
    course.acknowledged()
    course.cleared()
    course.look()
    assert course.alert.state is AlertState.ACKNOWLEDGED
    sent = Course()
    sent.opens(Severity.LOW).after(HOUR_US).sends()
    sent.retracted()
    sent.look()
    assert sent.alert.state is AlertState.OPEN


def test_what_holds_again_has_the_time_of_its_step_again(course: Course) -> None:
    course.look()
    course.cleared()
    course.after(2 * DAY_US)
    course.becomes(cleared_at_us=None)
    course.happens(AlertEvent.HOLDS_AGAIN)
    course.look()
    assert course.next_us == course.now_us + HOUR_US


def test_who_accepts_has_it_and_when_they_forget_the_nurses_answer_again(course: Course) -> None:
    course.after(HOUR_US).sends()
    course.accepted()
    assert course.alert.responsible == Party(Role.HUISARTS, PRACTICE)
    course.until(T0_US + 5 * HOUR_US)
    assert course.alert.responsible == NURSES_OF_CENTRE
    assert course.asked == [Recipient.HUISARTS, Recipient.COORDINATION_CENTRE]
    assert [e.state for e in course.escalations.values()] == [
        EscalationState.PASSED_ON,
        EscalationState.ASKED,
    ]


def test_what_is_handed_back_is_the_nurses_first(course: Course) -> None:
    course.after(HOUR_US).sends()
    course.accepted()
    course.now_us += MINUTE_US
    (escalation,) = course.open_now
    course.act(hand_back(course.alert, escalation, HUISARTS, reason="not mine", now_us=course.now_us))
    course.look()
    assert course.asked == [Recipient.HUISARTS], "not the same again"
    assert course.next_us == course.now_us + HOUR_US
    course.after(HOUR_US)
    assert course.asked == [Recipient.HUISARTS, Recipient.COORDINATION_CENTRE]


@pytest.fixture
def teleconsultation() -> Course:
    question = step(Recipient.SPECIALIST, accepted=None, question="heart_failure_dose")
    return Course.of(NURSES, question, step(Recipient.REFERRAL_DESK), CENTRE_STEP)


def test_a_question_waits_for_its_answer_then_the_ladder_goes_on(teleconsultation: Course) -> None:
    course = teleconsultation
    course.after(HOUR_US).sends()
    (escalation,) = course.open_now
    assert (escalation.question, escalation.answer_by_us) == ("heart_failure_dose", T0_US + 4 * HOUR_US)
    assert course.of_kind(MessageKind.QUESTION)[0].to_id == HOSPITAL
    course.until(T0_US + 4 * HOUR_US)
    assert course.escalations[escalation.escalation_id].state is EscalationState.PASSED_ON
    assert course.alert.step_no > 2


def test_an_answer_is_the_nurses_first_and_may_spare_a_referral(teleconsultation: Course) -> None:
    course = teleconsultation
    contact = Contact(
        Party(Role.COORDINATOR, UUID(int=9)), frozenset({Channel.SECURE_MAIL, Channel.WORKLIST})
    )
    course.contacts = {**course.contacts, Recipient.REFERRAL_DESK: contact}
    course.after(HOUR_US).sends()
    (escalation,) = course.open_now
    course.act(
        answer_escalation(
            course.alert, escalation, SPECIALIST, answer="double it", referral_avoided=True,
            now_us=course.now_us,
        )
    )  # fmt: skip
    course.look()
    assert course.next_us == course.now_us + HOUR_US
    course.after(HOUR_US)
    assert "step_3_skipped_referral_avoided" in course.decisions[-1].why
    assert course.asked == [Recipient.SPECIALIST, Recipient.COORDINATION_CENTRE]


def test_every_look_tells_what_is_done_and_what_is_not(course: Course) -> None:
    course.look()
    course.now_us += MINUTE_US
    decision = course.look()
    assert (decision.look, decision.why) == (Look.WAITS, ("not_accepted", "their_time_is_not_over"))
    assert not decision.changes
