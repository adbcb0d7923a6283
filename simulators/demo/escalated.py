"""What became of the alerts that nobody took on: who was asked, and whether the messages arrived."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from simulators.demo.database import Handed
from simulators.receivers.received import Inbox

_ARRIVED = ("delivered", "seen", "accepted")
_ON_THEIR_WAY = ("due", "attempted")
_NOT_SENT = "worklist"


@dataclass(frozen=True, slots=True)
class Escalated:
    """Escalations and their messages. `not_received`: said to be delivered, and nowhere to be found."""

    asked: int
    asked_by_recipient: Mapping[str, int]
    delivered_by_channel: Mapping[str, int]
    waiting: int
    undelivered: int
    not_received: int
    copies: int
    refused: int
    troubles: Mapping[str, int]


def escalated(handed: Handed, inbox: Inbox) -> Escalated:
    """What the database says, beside what the receivers have."""
    by_state, by_channel = Counter[str](), Counter[str]()
    for (channel, state), number in handed.messages.items():
        if channel == _NOT_SENT:
            continue
        by_state[state] += number
        if state in _ARRIVED:
            by_channel[channel] += number
    received = {message_id for _, message_id in inbox.messages}
    return Escalated(
        asked=sum(handed.asked.values()),
        asked_by_recipient=dict(sorted(handed.asked.items())),
        delivered_by_channel=dict(sorted(by_channel.items())),
        waiting=sum(by_state[state] for state in _ON_THEIR_WAY),
        undelivered=by_state["given_up"],
        not_received=sum(str(one) not in received for one in handed.delivered),
        copies=inbox.copies,
        refused=inbox.refused,
        troubles=dict(sorted(handed.troubles.items())),
    )


def undelivered(handed: Escalated) -> list[str]:
    """What must not be: messages given up, refused by their receiver, or delivered to nobody."""
    wrong = {
        "messages were given up": handed.undelivered,
        "messages are delivered, and nobody received them": handed.not_received,
        "messages came that their receiver had to refuse": handed.refused,
    }
    return [f"{number:,} {what}" for what, number in wrong.items() if number]
