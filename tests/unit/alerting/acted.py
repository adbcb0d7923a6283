"""Alerts with which something was done already, and how a refusal is looked at."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from alerting import acts
from alerting.acts import Asked
from alerting.transition import Transition
from models.access import User
from models.alerts import Alert, Outcome
from models.clock import HOUR_US
from models.escalations import (
    Channel,
    Escalation,
    Recipient,
    RequestKind,
)
from tests.unit.alerting.acting import (
    ANNA,
    HUISARTS,
    NOW,
    POLICY,
    PRACTITIONERS,
    SPECIALISTS,
    an_alert,
    duty,
)


def acknowledged(by: User = ANNA, now_us: int = NOW) -> Alert:
    return acts.acknowledge(an_alert(), by, policy=POLICY, duty=duty(), now_us=now_us).alert


def snoozed(until_us: int = NOW + HOUR_US) -> Alert:
    return acts.snooze(
        an_alert(), ANNA, until_us=until_us, promised_since_us=None, policy=POLICY, duty=duty(), now_us=NOW
    ).alert


def resolved(alert: Alert | None = None, by: User = ANNA) -> Alert:
    return acts.resolve(
        alert or an_alert(),
        by,
        outcome=Outcome.TRUE_ACTED_ON,
        note=None,
        holds=False,
        policy=POLICY,
        escalations=(),
        now_us=NOW,
    ).alert


ASKED = Asked(
    recipient=Recipient.HUISARTS,
    to=PRACTITIONERS,
    request=RequestKind.REGULAR,
    reason="Weight rises",
    channels=(Channel.WORKLIST, Channel.WEBHOOK, Channel.EMAIL),
)
QUESTION = replace(
    ASKED, recipient=Recipient.SPECIALIST, to=SPECIALISTS, question="Which dose?", answer_within_us=HOUR_US
)


def escalated(
    alert: Alert | None = None, asked: Asked = ASKED, number: int = 200
) -> tuple[Alert, Escalation]:
    done = acts.escalate(
        alert or acknowledged(),
        ANNA,
        escalation_id=UUID(int=number),
        message_id=UUID(int=number + 100),
        asked=asked,
        now_us=NOW,
    )
    return done.alert, done.escalations[0]


def accepted(by: User = HUISARTS, now_us: int = NOW) -> tuple[Alert, Escalation]:
    alert, escalation = escalated()
    done = acts.accept_escalation(alert, escalation, by, policy=POLICY, duty=duty(), now_us=now_us)
    return done.alert, done.escalations[0]


def names(done: Transition) -> list[str]:
    return [event.event.value for event in done.events]


def refused(error: type[Exception], act: Callable[[], object], *said: str) -> None:
    with pytest.raises(error) as refusal:
        act()
    for part in said:
        assert part in str(refusal.value)
