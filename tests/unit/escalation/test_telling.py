"""Who hears what changed after it was sent, and what is rechecked."""

from dataclasses import replace
from uuid import UUID

import pytest

from alerting.escalation.situation import Look
from models.alerts import AlertEvent, AlertState, HeldBack, Outcome
from models.clock import DAY_US, HOUR_US
from models.escalations import (
    EscalationState,
    MessageKind,
    MessageState,
)
from models.findings import Severity
from tests.unit.escalation.course import (
    NURSE,
    PRACTICE,
    T0_US,
    Course,
)


@pytest.fixture
def course() -> Course:
    return Course()


def test_what_late_data_took_back_is_corrected_for_whoever_got_a_message(course: Course) -> None:
    course.after(HOUR_US).sends()
    course.after(2 * HOUR_US).sends()
    course.acknowledged()
    course.retracted()
    course.look()
    corrections = course.of_kind(MessageKind.CORRECTION)
    first, second = course.of_kind(MessageKind.ESCALATION)
    assert [(c.to_id, c.corrects) for c in corrections] == [
        (first.to_id, first.message_id),
        (second.to_id, second.message_id),
    ]
    (notice,) = course.of_kind(MessageKind.NOTICE)
    assert notice.person_id == NURSE.person_id
    assert course.kinds()[-1] is AlertEvent.CORRECTED
    assert course.alert.state is AlertState.ACKNOWLEDGED, "retraction never closes what a person has claimed"
    course.look()
    assert len(course.of_kind(MessageKind.CORRECTION)) == 2, "nobody hears it twice"


def test_what_nobody_can_have_got_is_taken_back_and_not_corrected(course: Course) -> None:
    course.after(HOUR_US)
    course.retracted()
    course.look()
    (escalation,) = course.escalations.values()
    assert escalation.state is EscalationState.WITHDRAWN
    assert course.of_kind(MessageKind.CORRECTION) == []


def test_a_message_whose_receipt_we_never_saw_is_corrected_too(course: Course) -> None:
    course.after(HOUR_US).sends(MessageState.GIVEN_UP)
    course.happens(AlertEvent.FINDING_CHANGED)
    course.look()
    assert [c.to_id for c in course.of_kind(MessageKind.CORRECTION)] == [PRACTICE]


def test_a_resolved_alert_hears_of_late_data_and_of_nothing_else(course: Course) -> None:
    course.after(HOUR_US).sends()
    course.becomes(
        state=AlertState.RESOLVED, owner=NURSE.person_id, resolved_at_us=course.now_us,
        outcome=Outcome.TRUE_ACTED_ON,
    )  # fmt: skip
    course.happens(AlertEvent.RESOLVED)
    decision = course.look()
    assert (decision.look, decision.transition.next_us) == (Look.OVER, None)
    assert [e.state for e in course.escalations.values()] == [EscalationState.WITHDRAWN]
    assert len(course.of_kind(MessageKind.CORRECTION)) == 1, "who was asked hears that they need not come"
    course.happens(AlertEvent.FINDING_CHANGED)
    course.look()
    assert len(course.of_kind(MessageKind.CORRECTION)) == 2
    assert course.next_us is None


def resolved_while_it_held(course: Course) -> None:
    course.look()
    course.becomes(
        state=AlertState.RESOLVED, owner=NURSE.person_id, resolved_at_us=course.now_us,
        outcome=Outcome.TRUE_ACTED_ON, recheck_at_us=T0_US + DAY_US,
    )  # fmt: skip
    course.happens(AlertEvent.RESOLVED)
    course.look()
    assert course.next_us == T0_US + DAY_US


def test_what_still_holds_at_the_recheck_is_a_new_alert_that_follows(course: Course) -> None:
    resolved_while_it_held(course)
    course.until(T0_US + DAY_US)
    opened = course.decisions[-1].opened
    assert opened is not None
    new = opened.transition.alert
    assert (new.follows, new.state, new.severity) == (course.alert.alert_id, AlertState.OPEN, Severity.MEDIUM)
    assert opened.findings == (UUID(int=200),)
    assert opened.transition.next_us == T0_US + DAY_US
    assert course.alert.recheck_at_us is None
    assert course.next_us is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("nothing_holds", "nothing_holds_any_more"),
        ("another", "another_alert_is_open_for_it"),
        ("ended", "follow_up_ended"),
    ],
)
def test_where_nothing_is_left_to_do_the_recheck_does_nothing(course: Course, change: str, why: str) -> None:
    resolved_while_it_held(course)
    if change == "nothing_holds":
        course.reasons = [replace(reason, holds=False) for reason in course.reasons]
    course.another = UUID(int=300) if change == "another" else None
    course.ended = change == "ended"
    course.until(T0_US + DAY_US)
    decision = course.decisions[-1]
    assert (decision.look, decision.opened, decision.transition.why) == (Look.RECHECKED, None, why)
    assert course.alert.recheck_at_us is None


def test_in_hospital_what_is_rechecked_is_held_back(course: Course) -> None:
    resolved_while_it_held(course)
    course.admitted = True
    course.until(T0_US + DAY_US)
    opened = course.decisions[-1].opened
    assert opened is not None
    assert opened.transition.alert.held_back is HeldBack.ADMISSION
