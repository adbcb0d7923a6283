"""How far an escalation has come on its way to who is asked.

By which channel a message is tried next is the sender's to decide (`alerting.notify`): what follows one that
was given up stands in the outbox with it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from models.escalations import Escalation, Message, MessageKind, MessageState

NOT_DELIVERED = "not_delivered"
"""Why a look is set for when a message should have arrived; who records that it has brings it forward."""

ARRIVED = (MessageState.DELIVERED, MessageState.SEEN, MessageState.ACCEPTED)
_NO_MORE = (MessageState.GIVEN_UP, MessageState.WITHDRAWN)
_CARRYING = (MessageKind.ESCALATION, MessageKind.QUESTION)


class Way(StrEnum):
    """How far it has come."""

    ARRIVED = "arrived"
    UNDER_WAY = "under_way"
    LOST = "lost"
    """By none of its channels, or not in time."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where an escalation is. **Units**: `by_us` in microseconds since 1970 UTC, None for no limit.

    `last` is the message that was tried last, `by_us` is until when it may take.
    """

    way: Way
    by_us: int | None = None
    last: Message | None = None


def delivery_of(escalation: Escalation, messages: Iterable[Message], now_us: int) -> Delivery:
    """How far an escalation has come. A person's without any message stands in a worklist."""
    own = sorted(carriers(escalation, messages), key=lambda m: (m.due_at_us, m.number or 0))
    if escalation.delivered_at_us is not None or any(message.state in ARRIVED for message in own):
        return Delivery(Way.ARRIVED)
    if not own:
        return Delivery(Way.LOST if escalation.asked_by is None else Way.ARRIVED)
    last = own[-1]
    is_late = last.deliver_by_us is not None and last.deliver_by_us <= now_us
    if last.state in _NO_MORE or is_late:
        return Delivery(Way.LOST, last=last)
    return Delivery(Way.UNDER_WAY, last.deliver_by_us, last)


def carriers(escalation: Escalation, messages: Iterable[Message]) -> list[Message]:
    """The messages that carry an escalation: its own, and those that it joined."""
    key = escalation.escalation_id
    return [m for m in messages if m.kind in _CARRYING and (m.escalation_id == key or key in m.joined)]


def may_have_arrived(message: Message) -> bool:
    """Whether somebody may have read it: also one whose receipt we never saw."""
    return message.state is MessageState.ATTEMPTED or message.state in ARRIVED or message.attempts > 0
