"""What becomes of a message: whether it is sent, when again, what comes after it. All pure.

Times and chance are arguments. Each decision returns its reason, one of few words, without a patient's data.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, assert_never
from uuid import uuid5

from alerting.notify.channels import Address, Delivered, Gone, Later, Note, Receipt, Refused
from alerting.notify.patience import patience_of
from models.alerts import Alert, AlertState
from models.clock import SECOND_US
from models.escalations import (
    Channel,
    EscalationState,
    Message,
    MessageKind,
    MessageState,
    Trouble,
)
from models.findings import Severity
from models.messages import Origin

_ANSWERED = (MessageKind.ESCALATION, MessageKind.QUESTION)
_UNSENT = (MessageState.DUE, MessageState.ATTEMPTED)
_SHORTEST_TURN_US = 30 * SECOND_US


@dataclass(frozen=True, slots=True)
class Send:
    """Send it; `address` None: the channel needs none."""

    address: Address | None


@dataclass(frozen=True, slots=True)
class Withdraw:
    """It is not needed any more."""

    why: str


@dataclass(frozen=True, slots=True)
class NotThisWay:
    """This channel does not lead to the recipient; the next may."""

    why: str


@dataclass(frozen=True, slots=True)
class Never:
    """It must not reach this recipient at all."""

    why: str


Verdict: TypeAlias = Send | Withdraw | NotThisWay | Never


@dataclass(frozen=True, slots=True)
class Way:
    """How a message could get to its recipient. `sandbox`: the recipient is simulated; None: the patient.

    `installed`: whether this service has the channel; `addressed`: whether that needs an address.
    `corrected`: the message that it corrects, as far as it is known.
    """

    installed: bool
    addressed: bool
    addresses: tuple[Address, ...]
    sandbox: bool | None
    corrected: Message | None = None


@dataclass(frozen=True, slots=True)
class Noticed:
    """Trouble to tell of; `subject` and `details` say nothing of a patient."""

    trouble: Trouble
    subject: str
    severity: Severity
    details: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a message at a moment.

    `next_attempt_us` while it will be tried again; `follow`: the same by the next channel; `noticed` where
    somebody has to look; `ladder`: whether it has to decide at once, for nothing comes after this message.
    **Units**: microseconds since 1970 UTC.
    """

    message: Message
    next_attempt_us: int | None = None
    follow: Message | None = None
    noticed: Noticed | None = None
    ladder: bool = False


def decide(note: Note, way: Way) -> Verdict:
    """Whether to send a message now, and where; otherwise why not."""
    message = note.message
    mixed = _mixed(message, way)
    if mixed is not None:
        return mixed
    needless = _needless(note, way)
    if needless is not None:
        return Withdraw(needless)
    if not way.installed:
        return NotThisWay("the channel is not set up")
    if not way.addressed:
        return Send(None)
    fitting = [a for a in way.addresses if a.sandbox is (message.origin is not Origin.REAL)]
    if not fitting:
        return NotThisWay("no address")
    # Several addresses of one recipient stand in for each other: the next attempt goes to the next.
    return Send(fitting[max(message.attempts - 1, 0) % len(fitting)])


def after(message: Message, receipt: Receipt, now_us: int, jitter: float) -> Outcome:
    """What comes of a message by what its endpoint made of it. **Units**: `jitter` in [0, 1)."""
    match receipt:
        case Delivered():
            return delivered(message, now_us)
        case Later(why=why, after_s=after_s):
            if now_us >= give_up_at_us(message):
                return given_up(message, why, now_us)
            wait_us = patience_of(message.channel).wait_us(message.attempts, jitter)
            asked_us = 0 if after_s is None else int(after_s * SECOND_US)
            return Outcome(
                replace(message, state=MessageState.ATTEMPTED, why=why), now_us + max(wait_us, asked_us)
            )
        case Refused(why=why) | Gone(why=why):
            return given_up(message, why, now_us)
        case _:
            assert_never(receipt)


def delivered(message: Message, now_us: int) -> Outcome:
    """It is there. What asks for an answer is not over by that."""
    over_us = None if message.kind in _ANSWERED else now_us
    told = replace(
        message, state=MessageState.DELIVERED, delivered_at_us=now_us, over_at_us=over_us, why=None
    )
    return Outcome(told)


def withdrawn(message: Message, why: str, now_us: int) -> Outcome:
    """Not needed any more."""
    return Outcome(replace(message, state=MessageState.WITHDRAWN, over_at_us=now_us, why=why))


def given_up(message: Message, why: str, now_us: int, *, altogether: bool = False) -> Outcome:
    """This channel does not get it there: the next of the step does, or nobody, and somebody hears of it."""
    over = replace(message, state=MessageState.GIVEN_UP, over_at_us=now_us, why=why)
    left = () if altogether else channels_after(message)
    follow = _by_next(message, left, now_us) if left else None
    then = f"tried by {left[0]} instead" if left else "nothing comes after it"
    noticed = Noticed(
        trouble=_trouble_of(message, why),
        subject=f"{message.channel} to {message.to_id or 'patients'}",
        severity=Severity.LOW if left else max(message.severity, Severity.MEDIUM, key=lambda s: s.rank),
        details=f"message {message.message_id}: {why}, after {message.attempts} attempts; {then}",
    )
    return Outcome(over, follow=follow, noticed=noticed, ladder=follow is None)


def give_up_at_us(message: Message) -> int:
    """Until when a message is tried by its channel: its patience; with another channel after it, its share.

    What is asked of a patient has no use after its time. **Units**: microseconds since 1970 UTC.
    """
    if message.give_up_at_us is not None:
        return message.give_up_at_us
    patience = patience_of(message.channel)
    left = len(channels_after(message))
    time_us = None if message.deliver_by_us is None else max(message.deliver_by_us - message.due_at_us, 0)
    if left:
        share_us = patience.before_next_us if time_us is None else time_us // (left + 1)
        return message.due_at_us + max(min(patience.before_next_us, share_us), _SHORTEST_TURN_US)
    if message.kind is MessageKind.TO_PATIENT and time_us is not None:
        return message.due_at_us + min(patience.alone_us, time_us)
    return message.due_at_us + patience.alone_us


def channels_after(message: Message) -> tuple[Channel, ...]:
    """By which channels it is tried when this one gives up, in order: `channels` in its body."""
    return tuple(Channel(name) for name in facts_of(message).get("channels", ()))


def _by_next(message: Message, left: Sequence[Channel], now_us: int) -> Message:
    facts = {**facts_of(message), "channels": [channel.value for channel in left[1:]]}
    follow = replace(
        message,
        # The same however often it is decided.
        message_id=uuid5(message.message_id, left[0]),
        channel=left[0],
        body=json.dumps(facts),
        due_at_us=now_us,
        state=MessageState.DUE,
        number=None,
        attempts=0,
        attempted_at_us=None,
        delivered_at_us=None,
        over_at_us=None,
        why=None,
        give_up_at_us=None,
    )
    return replace(follow, give_up_at_us=give_up_at_us(follow))


def _mixed(message: Message, way: Way) -> Never | None:
    if way.sandbox is None:
        return None
    invented = message.origin is not Origin.REAL
    if invented and not way.sandbox:
        return Never("simulated patients do not reach real recipients")
    if way.sandbox and not invented:
        return Never("real patients do not reach simulated recipients")
    return None


def _needless(note: Note, way: Way) -> str | None:
    message = note.message
    if message.kind is MessageKind.CORRECTION:
        return "what it corrects was never sent" if _never_sent(way.corrected) else None
    if message.kind not in _ANSWERED:
        return None
    if note.alerts and all(alert.state is AlertState.RESOLVED for alert in note.alerts):
        return "resolved"
    if note.escalations and not any(e.state is EscalationState.ASKED for e in note.escalations):
        return f"escalation {note.escalations[0].state}"
    by_ladder = note.escalations and all(e.asked_by is None for e in note.escalations)
    promised = note.alerts and all(_is_promised(alert, note.now_us) for alert in note.alerts)
    return "acknowledged" if by_ladder and promised else None


def _never_sent(message: Message | None) -> bool:
    if message is None or message.state in _UNSENT:
        return False
    return message.attempts == 0 and message.delivered_at_us is None


def _is_promised(alert: Alert, now_us: int) -> bool:
    if alert.state is AlertState.RESOLVED:
        return True
    in_time = alert.resolve_by_us is not None and alert.resolve_by_us > now_us
    return alert.state is AlertState.ACKNOWLEDGED and in_time


def _trouble_of(message: Message, why: str) -> Trouble:
    if message.kind is MessageKind.TO_PATIENT:
        return Trouble.PATIENT_NOT_REACHED
    return Trouble.UNREACHABLE_STEP if why == "no address" else Trouble.UNDELIVERED


def facts_of(message: Message) -> Mapping[str, Any]:
    """What its body holds."""
    facts: Mapping[str, Any] = json.loads(message.body)
    return facts
