"""A year of alerts that nobody takes, by the shipped policies and rosters: always one party answers for each.

Over both clock changes and all holidays: one every 29 hours, so at every time of day, followed for 36 hours.
"""

from datetime import UTC, datetime

import pytest

from alerting.escalation.recipients import MEANT, Contact
from models.clock import DAY_US, HOUR_US, to_us
from models.escalations import OPEN_ESCALATION, Channel, Party, Recipient
from models.findings import Severity
from tests import shipped
from tests.unit.escalation.course import NURSES_OF_CENTRE, PRACTICE, REGION, Course

POLICIES, ROSTERS = shipped.policies(), shipped.rosters()
BY_ALL = frozenset(Channel)
CONTACTS = {
    Recipient.NURSE: Contact(NURSES_OF_CENTRE, BY_ALL),
    Recipient.HUISARTS: Contact(Party(MEANT[Recipient.OUT_OF_HOURS_POST][1], PRACTICE), BY_ALL),
    **{recipient: Contact(Party(role, REGION), BY_ALL) for recipient, (_, role) in MEANT.items()},
}
FOLLOWED_US = 36 * HOUR_US
LOOKS_AT_MOST = 36 * 60


@pytest.mark.parametrize("severity", Severity)
@pytest.mark.parametrize("quarter", [1, 4, 7, 10])
def test_every_instant_has_exactly_one_who_answers(severity: Severity, quarter: int) -> None:
    begin_us = to_us(datetime(2026, quarter, 1, tzinfo=UTC))
    asked_of: set[Recipient] = set()
    for opened_us in range(begin_us, begin_us + 92 * DAY_US, 29 * HOUR_US):
        course = Course(contacts=CONTACTS, rosters=ROSTERS, in_force=POLICIES, now_us=opened_us)
        course.opens(severity, opened_at_us=opened_us)
        looks = 0
        while course.now_us < opened_us + FOLLOWED_US:
            course.look()
            looks += 1
            _is_in_order(course)
            asked_of |= {escalation.recipient for escalation in course.escalations.values()}
            assert course.next_us is not None
            assert course.next_us > course.now_us
            course.now_us = course.next_us
        assert looks < LOOKS_AT_MOST
    if severity is Severity.HIGH:
        # By day the practice, at night the post: over a quarter of a year both were asked.
        assert {Recipient.HUISARTS, Recipient.OUT_OF_HOURS_POST} <= asked_of


def _is_in_order(course: Course) -> None:
    assert course.alert.responsible == NURSES_OF_CENTRE, "nobody has accepted"
    waiting = [e for e in course.escalations.values() if e.state in OPEN_ESCALATION]
    assert len(waiting) <= 1
    for escalation in waiting:
        duty = ROSTERS.on_duty(escalation.recipient, course.now_us)
        assert duty.recipient is escalation.recipient, "nothing waits with who is not on duty"
        assert duty.from_us <= course.now_us < duty.until_us
