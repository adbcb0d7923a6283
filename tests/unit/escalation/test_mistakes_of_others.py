"""Mistakes that other systems made."""

from copy import copy
from itertools import count
from uuid import UUID

import pytest

from alerting.escalation.situation import Look
from models.alerts import AlertEvent, AlertState, HeldBack, Outcome
from models.clock import DAY_US, HOUR_US, MINUTE_US
from models.escalations import (
    MessageKind,
    Recipient,
)
from models.findings import Severity
from tests.unit.escalation.course import (
    NURSE,
    SEVERE,
    T0_US,
    Course,
)


@pytest.fixture
def course() -> Course:
    return Course()


def test_a_handled_alert_does_not_escalate_after_months(course: Course) -> None:
    course.look()
    course.becomes(state=AlertState.RESOLVED, owner=NURSE.person_id, outcome=Outcome.EXPECTED)
    for _ in range(100):
        course.now_us += 3 * DAY_US
        assert course.look().transition.next_us is None
    assert (course.messages, course.escalations) == ({}, {})


def test_a_snoozed_alert_does_not_alarm_again(course: Course) -> None:
    course.now_us = course.next_us = T0_US + 5 * HOUR_US
    course.look()
    until_us = course.now_us + 5 * HOUR_US
    course.snoozed(until_us)
    course.until(until_us - 1)
    assert course.alert.snoozed_until_us == until_us, "not even when the duty ends in between"
    assert course.messages == {}
    course.until(until_us)
    assert AlertEvent.SNOOZE_ENDED in course.kinds()
    assert course.alert.state is AlertState.OPEN, "who snoozed it has gone home by now"


def test_a_snoozed_alert_that_gets_worse_speaks_at_once(course: Course) -> None:
    course.look()
    course.snoozed(T0_US + 3 * HOUR_US)
    course.now_us += MINUTE_US
    course.raised()
    course.look()
    assert (course.alert.state, course.alert.snoozed_until_us) == (AlertState.OPEN, None)
    assert (course.alert.policy, course.next_us) == ("high/1", course.now_us + 10 * MINUTE_US)


def test_messages_do_not_go_on_after_the_chain_ended(course: Course) -> None:
    course.after(HOUR_US).sends()
    course.accepted()
    before = len(course.of_kind(MessageKind.ESCALATION))
    course.becomes(state=AlertState.RESOLVED, resolved_at_us=course.now_us, resolve_by_us=None)
    course.happens(AlertEvent.RESOLVED)
    course.after(30 * DAY_US)
    assert len(course.of_kind(MessageKind.ESCALATION)) == before


def test_no_state_is_lost_on_restart(course: Course) -> None:
    """All that a decision goes by is stored: whoever decides the same situation again decides the same."""
    course.after(HOUR_US).sends()
    restarted = Course()
    for name in ("alert", "reasons", "escalations", "messages", "events", "heard"):
        setattr(restarted, name, copy(getattr(course, name)))
    restarted.ids = (UUID(int=number) for number in count(5000))
    course.now_us = restarted.now_us = T0_US + 3 * HOUR_US
    one, other = course.look(), restarted.look()
    assert (one.look, one.why, one.transition.next_us) == (other.look, other.why, other.transition.next_us)


def test_a_paused_step_does_not_block_the_chain(course: Course) -> None:
    course.look()
    course.becomes(held_back=HeldBack.PAUSE)
    course.happens(AlertEvent.HELD_BACK)
    course.after(2 * DAY_US)
    course.becomes(held_back=None)
    course.happens(AlertEvent.RELEASED)
    course.after(HOUR_US)
    assert course.asked == [Recipient.HUISARTS]


def test_no_wait_is_skipped(course: Course) -> None:
    course.opens(Severity.HIGH).until(T0_US + 35 * MINUTE_US)
    at = [(e.recipient, e.asked_at_us - T0_US) for e in course.escalations.values()]
    assert at == [(Recipient.HUISARTS, 10 * MINUTE_US), (Recipient.COORDINATION_CENTRE, 20 * MINUTE_US)]
    assert SEVERE.steps[1].delivered_within_us == 10 * MINUTE_US, "not delivered: earlier than not accepted"


def test_looked_at_early_nothing_comes_early(course: Course) -> None:
    course.look()
    for _ in range(59):
        course.now_us += MINUTE_US
        assert course.look().look is Look.WAITS
    assert course.escalations == {}


def test_acknowledged_and_forgotten_is_not_forgotten(course: Course) -> None:
    for _ in range(5):
        course.look()
        course.acknowledged()
        course.until(course.now_us + 4 * HOUR_US)
    assert course.kinds().count(AlertEvent.LAPSED) >= 4
    assert course.escalations
