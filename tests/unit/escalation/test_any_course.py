"""Whatever happens to an alert: somebody looks again in time, and nobody is asked twice at once."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.acts import hand_back, resolve
from alerting.escalation.policy import Step
from alerting.escalation.situation import Look
from models.alerts import AlertEvent, AlertState, HeldBack, Outcome
from models.clock import DAY_US, HOUR_US, MINUTE_US
from models.errors import BadInput, Outdated
from models.escalations import (
    Channel,
    EscalationState,
    MessageState,
    Recipient,
)
from models.findings import Severity
from tests.unit.escalation.course import (
    CENTRE_STEP,
    CONTACTS,
    HUISARTS,
    NURSE,
    NURSES,
    NURSES_OF_CENTRE,
    PRACTICE_STEP,
    Course,
    policy,
    step,
)

LONGEST_US = 2 * DAY_US
"""Longer than anything that these policies wait for."""
AT_ONCE = 4
"""So many looks at one moment at most: each may find that the next thing is due as well."""


def _clear(course: Course) -> None:
    if course.alert.state is not AlertState.RESOLVED:
        course.cleared()


def _hold_again(course: Course) -> None:
    course.becomes(cleared_at_us=None, retracted=False)
    course.happens(AlertEvent.HOLDS_AGAIN)


def _raise(course: Course) -> None:
    worse = {Severity.LOW: Severity.MEDIUM}.get(course.alert.severity, Severity.HIGH)
    if course.alert.state is not AlertState.RESOLVED and worse is not course.alert.severity:
        course.raised(worse)


def _join(course: Course) -> None:
    if course.alert.state is not AlertState.RESOLVED:
        course.happens(AlertEvent.FINDING_JOINED)


def _hold_back(course: Course) -> None:
    course.becomes(held_back=HeldBack.ADMISSION)
    course.happens(AlertEvent.HELD_BACK)


def _release(course: Course) -> None:
    course.becomes(held_back=None)
    course.happens(AlertEvent.RELEASED)


def _resolve(course: Course) -> None:
    course.act(
        resolve(
            course.alert, NURSE, outcome=Outcome.TRUE_ACTED_ON, note=None, holds=True, policy=policy(),
            escalations=list(course.escalations.values()), now_us=course.now_us,
        )
    )  # fmt: skip


def _hand_back(course: Course) -> None:
    accepted = [e for e in course.open_now if e.state is EscalationState.ACCEPTED]
    if accepted:
        course.act(hand_back(course.alert, accepted[0], HUISARTS, reason="no", now_us=course.now_us))


def _accept(course: Course) -> None:
    if len(course.open_now) == 1:
        course.accepted()


def _lose_practice(course: Course) -> None:
    course.contacts = {k: v for k, v in CONTACTS.items() if k is not Recipient.HUISARTS}


ACTS: dict[str, Callable[[Course], None]] = {
    "acknowledge": Course.acknowledged,
    "snooze": lambda course: course.snoozed(course.now_us + 2 * HOUR_US),
    "accept": _accept,
    "hand back": _hand_back,
    "resolve": _resolve,
    "clear": _clear,
    "hold again": _hold_again,
    "retract": Course.retracted,
    "raise": _raise,
    "join": _join,
    "hold back": _hold_back,
    "release": _release,
    "deliver": Course.sends,
    "attempt": lambda course: course.sends(MessageState.ATTEMPTED),
    "give up": lambda course: course.sends(MessageState.GIVEN_UP),
    "withdraw": lambda course: course.sends(MessageState.WITHDRAWN),
    "lose the practice": _lose_practice,
}

STEPS = st.lists(
    st.sampled_from(
        [
            NURSES,
            PRACTICE_STEP,
            CENTRE_STEP,
            step(Recipient.SPECIALIST, question="dose", accepted=None),
            step(Recipient.NURSE, channels=(Channel.EMAIL,)),
            step(Recipient.HUISARTS, accepted=None, resolved=3 * HOUR_US),
            step(Recipient.REFERRAL_DESK),
        ]
    ),
    min_size=1,
    max_size=4,
)
MOMENTS = st.lists(
    st.tuples(st.sampled_from(sorted(ACTS)), st.sampled_from([0, MINUTE_US, 50 * MINUTE_US, 5 * HOUR_US])),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(STEPS, STEPS, st.sampled_from(list(Severity)), MOMENTS)
def test_whatever_happens(
    medium: list[Step], severe: list[Step], severity: Severity, moments: list[tuple[str, int]]
) -> None:
    course = Course(
        {Severity.MEDIUM: policy(*medium), Severity.HIGH: policy(*severe, name="high", group_wait_us=0)}
    ).opens(severity)
    for name, waits_us in moments:
        try:
            ACTS[name](course)
        except (Outdated, BadInput):
            continue
        _look_through(course, course.now_us + waits_us)
    _look_through(course, course.now_us + 3 * DAY_US)


def _look_through(course: Course, until_us: int) -> None:
    """Every look until then, and what must hold after each."""
    at_once = 0
    while course.next_us is not None and course.next_us <= until_us:
        at_once = at_once + 1 if course.next_us <= course.now_us else 0
        assert at_once <= AT_ONCE
        course.now_us = max(course.now_us, course.next_us)
        before = course.alert
        asked = len(course.escalations)
        decision = course.look()
        assert decision.why
        assert not course.is_silent_for_ever()
        next_us = decision.transition.next_us
        assert next_us is None or course.now_us <= next_us <= course.now_us + LONGEST_US
        by_ladder = [e for e in course.open_now if e.asked_by is None and e.state is EscalationState.ASKED]
        assert len(by_ladder) <= 1
        assert len(course.escalations) <= asked + 1
        if course.alert.state is not AlertState.OPEN or decision.look in (Look.SILENT, Look.NOTHING_HOLDS):
            assert len(course.escalations) == asked
        if before.state is AlertState.RESOLVED:
            assert decision.transition.escalations == tuple(
                e for e in decision.transition.escalations if e.state is EscalationState.WITHDRAWN
            )
        if course.alert.state is AlertState.OPEN:
            assert course.alert.owner is None
            assert course.alert.responsible == NURSES_OF_CENTRE
    course.now_us = until_us
