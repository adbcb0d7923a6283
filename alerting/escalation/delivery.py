"""How far an escalation has come on its way to who is asked, and by which channel it is tried next."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from models.escalations import Channel, Escalation, Message, MessageKind, MessageState

ARRIVED = (MessageState.DELIVERED, MessageState.SEEN, MessageState.ACCEPTED)
_NO_MORE = (MessageState.GIVEN_UP, MessageState.WITHDRAWN)
_CARRYING = (MessageKind.ESCALATION, MessageKind.QUESTION)


class Way(StrEnum):
    """How far it has come."""

    ARRIVED = "arrived"
    UNDER_WAY = "under_way"
    NEXT_CHANNEL = "next_channel"
    LOST = "lost"
    """By none of its channels."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where an escalation is. **Units**: `by_us` in microseconds since 1970 UTC, None for no limit.

    `last` is the message that was tried last, `channels` are those to be tried from now on, `by_us` is until
    when `last` may take.
    """

    way: Way
    by_us: int | None = None
    last: Message | None = None
    channels: tuple[Channel, ...] = ()


def delivery_of(escalation: Escalation, messages: Iterable[Message], now_us: int) -> Delivery:
    """How far an escalation has come. One without any message stands in a worklist, if it is a person's."""
    own = sorted(carriers(escalation, messages), key=lambda m: (m.due_at_us, m.number or 0))
    if escalation.delivered_at_us is not None or any(message.state in ARRIVED for message in own):
        return Delivery(Way.ARRIVED)
    if not own:
        return Delivery(Way.LOST if escalation.asked_by is None else Way.ARRIVED)
    last = own[-1]
    is_over = last.deliver_by_us is not None and last.deliver_by_us <= now_us
    if last.state not in _NO_MORE and not is_over:
        return Delivery(Way.UNDER_WAY, last.deliver_by_us, last)
    channels = channels_after(last)
    if not channels:
        return Delivery(Way.LOST, last=last)
    if channels[0] is Channel.WORKLIST:
        return Delivery(Way.ARRIVED, last=last)
    return Delivery(Way.NEXT_CHANNEL, last=last, channels=channels)


def carriers(escalation: Escalation, messages: Iterable[Message]) -> list[Message]:
    """The messages that carry an escalation."""
    return [m for m in messages if m.kind in _CARRYING and m.escalation_id == escalation.escalation_id]


def may_have_arrived(message: Message) -> bool:
    """Whether somebody may have read it: also one whose receipt we never saw."""
    return message.state is MessageState.ATTEMPTED or message.state in ARRIVED or message.attempts > 0


def channels_after(message: Message) -> tuple[Channel, ...]:
    """The channels to be tried when this message is given up; they stand in its body."""
    named: Sequence[str] = json.loads(message.body).get("channels", ())
    return tuple(map(Channel, named))


def body_of(channels_left: Sequence[Channel], **facts: object) -> str:
    """The body of a message: what is to be tried after it, and facts that the alert does not hold."""
    left: dict[str, object] = {"channels": list(channels_left)} if channels_left else {}
    return json.dumps(left | facts)


def share_us(delivered_within_us: int | None, tried: int, left: int) -> int | None:
    """Until when the next channel may take, so that all have their share of the step's time.

    **Units**: microseconds since it was asked.

    >>> share_us(600, tried=0, left=3), share_us(600, tried=1, left=2), share_us(600, tried=2, left=1)
    (200, 400, 600)
    """
    if delivered_within_us is None:
        return None
    return delivered_within_us * (tried + 1) // (tried + left)
