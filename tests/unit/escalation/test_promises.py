"""What a promise holds off, for how long, and what ends it."""

import pytest

from alerting.acts import hand_over
from alerting.escalation.situation import Look
from models.alerts import AlertEvent, AlertState
from models.clock import HOUR_US, MINUTE_US
from models.escalations import (
    Channel,
    EscalationState,
    MessageKind,
    Recipient,
)
from models.findings import Severity
from tests.unit.escalation.course import (
    NURSE,
    NURSES_OF_CENTRE,
    OTHER_NURSE,
    T0_US,
    Course,
    policy,
)


@pytest.fixture
def course() -> Course:
    return Course()


def test_somebody_has_it_until_their_time_is_over(course: Course) -> None:
    course.look()
    course.now_us += 30 * MINUTE_US
    course.acknowledged()
    assert course.next_us == T0_US + 4 * HOUR_US + 30 * MINUTE_US
    course.until(T0_US + 4 * HOUR_US)
    assert course.look().look is Look.PROMISED
    assert course.messages == {}
    course.until(T0_US + 4 * HOUR_US + 30 * MINUTE_US)
    assert (course.alert.state, course.alert.owner) == (AlertState.OPEN, None)
    assert course.asked == [Recipient.HUISARTS], "acknowledged and forgotten: the next is asked"


def test_the_promise_is_over_with_the_duty(course: Course) -> None:
    course.now_us = course.next_us = T0_US + 6 * HOUR_US
    course.look()
    course.acknowledged()
    assert course.next_us == T0_US + 8 * HOUR_US
    course.until(T0_US + 8 * HOUR_US)
    assert course.alert.state is AlertState.OPEN
    assert "lapsed_duty_over" in course.decisions[-1].why
    assert course.messages, "the owner hears of it"
    (notice,) = course.of_kind(MessageKind.NOTICE)
    assert (notice.person_id, notice.channel) == (NURSE.person_id, Channel.WORKLIST)
    assert course.escalations == {}, "the next shift has the time of the step first"
    course.after(HOUR_US)
    assert course.asked == [Recipient.OUT_OF_HOURS_POST]


def test_an_offer_that_nobody_takes_falls_back_to_its_owner(course: Course) -> None:
    course.look()
    course.acknowledged()
    offered = hand_over(
        course.alert, NURSE, to=NURSES_OF_CENTRE, person_id=OTHER_NURSE.person_id, policy=policy(),
        now_us=course.now_us,
    )  # fmt: skip
    course.act(offered)
    course.until(T0_US + HOUR_US)
    assert course.alert.hand_over is None
    assert (course.alert.owner, course.alert.state) == (NURSE.person_id, AlertState.ACKNOWLEDGED)
    assert AlertEvent.HAND_OVER_EXPIRED in course.kinds()
    assert len(course.of_kind(MessageKind.NOTICE)) == 1


@pytest.mark.parametrize("event", [AlertEvent.SEVERITY_RAISED, AlertEvent.FINDING_JOINED])
def test_worse_or_more_ends_a_promise(course: Course, event: AlertEvent) -> None:
    course.look()
    course.acknowledged()
    course.look()
    course.now_us += MINUTE_US
    course.happens(event)
    course.look()
    assert course.alert.state is AlertState.OPEN
    assert f"lapsed_{event}" in course.decisions[-1].why


def test_what_came_before_the_promise_does_not_end_it(course: Course) -> None:
    course.look()
    course.raised()
    course.acknowledged()
    assert course.look().look is Look.PROMISED


def test_worse_begins_the_other_ladder_no_later_than_the_old_one_would_have_gone_on(course: Course) -> None:
    course.look()
    course.now_us += 55 * MINUTE_US
    course.raised()
    course.look()
    assert (course.alert.policy, course.alert.step_no) == ("high/1", 1)
    assert course.next_us == T0_US + HOUR_US
    course.after(5 * MINUTE_US)
    assert course.asked == [Recipient.HUISARTS]


def test_worse_gives_the_nurses_the_time_of_the_new_ladder(course: Course) -> None:
    course.look()
    course.now_us += 10 * MINUTE_US
    course.raised()
    course.look()
    assert course.next_us == T0_US + 20 * MINUTE_US


def test_worse_never_goes_back_below_whom_was_asked(course: Course) -> None:
    course.after(HOUR_US).sends()
    course.raised()
    course.look()
    assert (course.alert.policy, course.alert.step_no) == ("high/1", 2)
    before, now = course.escalations.values()
    assert (before.state, now.state, now.recipient) == (
        EscalationState.PASSED_ON,
        EscalationState.ASKED,
        Recipient.HUISARTS,
    )
    assert course.of_kind(MessageKind.ESCALATION)[-1].severity is Severity.HIGH
    assert course.next_us == course.now_us + 10 * MINUTE_US
