"""What people do with an alert, and what a timer does on their behalf: pure, each act one function."""

from alerting.acts.checks import require_version
from alerting.acts.ending import reopen, resolve
from alerting.acts.escalating import (
    Asked,
    accept_escalation,
    answer_escalation,
    escalate,
    hand_back,
    withdraw,
)
from alerting.acts.handing_over import (
    accept_hand_over,
    decline_hand_over,
    hand_over,
    hand_over_expired,
)
from alerting.acts.promises import acknowledge, give_back, lapse, note, snooze, snooze_over

__all__ = [
    "Asked",
    "accept_escalation",
    "accept_hand_over",
    "acknowledge",
    "answer_escalation",
    "decline_hand_over",
    "escalate",
    "give_back",
    "hand_back",
    "hand_over",
    "hand_over_expired",
    "lapse",
    "note",
    "reopen",
    "require_version",
    "resolve",
    "snooze",
    "snooze_over",
    "withdraw",
]
