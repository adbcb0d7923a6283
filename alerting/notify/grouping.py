"""What joins what: one bad night of one patient is one message. Pure."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from alerting.notify.outbox import facts_of, give_up_at_us
from models.escalations import Channel, Escalation, Message, MessageKind, MessageState

_JOINABLE = (MessageKind.ESCALATION, MessageKind.CORRECTION)


@dataclass(frozen=True, slots=True)
class Put:
    """New messages to add, and waiting ones that say more, or go earlier, than before."""

    added: tuple[Message, ...]
    changed: tuple[Message, ...]


def put(new: Sequence[Message], waiting: Sequence[Message]) -> Put:
    """What to do with new messages beside those that wait: one bad night of one patient is one message.

    A message of the same patient, recipient, channel and kind takes further alerts in, becomes as severe as
    the worst of them and as urgent as the most urgent. Earlier messages of that patient and recipient that
    wait to be grouped go no later than a later one: the order is kept. `waiting` are locked, none was tried.
    What is for a worklist needs nobody to send it.
    """
    there = [_there(message) for message in new if message.channel is Channel.WORKLIST]
    by_recipient: dict[tuple[object, ...], tuple[list[Message], list[Message]]] = {}
    for message in new:
        if message.channel is not Channel.WORKLIST:
            by_recipient.setdefault(_recipient(message), ([], []))[0].append(message)
    for message in waiting:
        if _recipient(message) in by_recipient:
            by_recipient[_recipient(message)][1].append(message)
    puts = [_put(of_new, of_waiting) for of_new, of_waiting in by_recipient.values()]
    return Put(
        (*there, *(message for one in puts for message in one.added)),
        tuple(message for one in puts for message in one.changed),
    )


def accept_by_us(message: Message, escalation: Escalation) -> int | None:
    """Until when somebody is expected to accept an escalation that a message carries, where that was agreed.

    **Units**: microseconds since 1970 UTC.
    """
    facts = facts_of(message)
    own: Mapping[str, Any] = facts.get("joined", {}).get(str(escalation.alert_id), {})
    by_us: int | None = own.get("by_us", facts.get("by_us"))
    return by_us


def _put(new: Sequence[Message], waiting: Sequence[Message]) -> Put:
    """`put` of messages to one recipient about one patient: few, whatever the size of the batch."""
    added: list[Message] = []
    changed: dict[UUID, Message] = {}
    now_waiting = list(waiting)
    for message in new:
        at = next((n for n, other in enumerate(now_waiting) if _joins(message, other)), None)
        if at is None:
            at = len(now_waiting)
            now_waiting.append(replace(message, give_up_at_us=give_up_at_us(message)))
            added.append(now_waiting[at])
        else:
            now_waiting[at] = changed[now_waiting[at].message_id] = _joined(now_waiting[at], message)
        due = now_waiting[at]
        for n, other in enumerate(now_waiting[:at]):
            if _same_recipient(other, due) and other.due_at_us > due.due_at_us:
                now_waiting[n] = changed[other.message_id] = replace(other, due_at_us=due.due_at_us)
    latest = {message.message_id: message for message in now_waiting}
    ids = {message.message_id for message in added}
    return Put(
        tuple(latest.get(message.message_id, message) for message in added),
        tuple(message for key, message in changed.items() if key not in ids),
    )


def _there(message: Message) -> Message:
    """A word in somebody's worklist is there as soon as it is written."""
    return replace(message, state=MessageState.DELIVERED, delivered_at_us=message.due_at_us)


def _recipient(message: Message) -> tuple[object, ...]:
    return message.patient_id, message.to_id, message.person_id


def _same_recipient(one: Message, other: Message) -> bool:
    return _recipient(one) == _recipient(other)


def _joins(new: Message, waiting: Message) -> bool:
    return (
        _same_recipient(new, waiting)
        and new.to_id is not None
        and new.kind in _JOINABLE
        and (new.kind, new.channel, new.organisation_id, new.corrects)
        == (waiting.kind, waiting.channel, waiting.organisation_id, waiting.corrects)
    )


def _joined(waiting: Message, new: Message) -> Message:
    own = () if new.escalation_id is None else (new.escalation_id,)
    escalations = _unique([*waiting.joined, *own, *new.joined], but=waiting.escalation_id)
    together = replace(
        waiting,
        alerts=_unique([*waiting.alerts, *new.alerts]),
        joined=escalations,
        severity=max(waiting.severity, new.severity, key=lambda severity: severity.rank),
        due_at_us=min(waiting.due_at_us, new.due_at_us),
        deliver_by_us=min(
            (at for at in (waiting.deliver_by_us, new.deliver_by_us) if at is not None), default=None
        ),
        body=_both(waiting, new),
        give_up_at_us=None,
    )
    return replace(together, give_up_at_us=give_up_at_us(together))


def _both(waiting: Message, new: Message) -> str:
    """The facts of both: those of the first stand, what the other has beside them is kept under its alert."""
    facts, more = facts_of(waiting), facts_of(new)
    others = {key: value for key, value in more.items() if key != "channels" and facts.get(key) != value}
    if others and new.alerts:
        facts = {**facts, "joined": {**facts.get("joined", {}), str(new.alerts[0]): others}}
    return json.dumps(facts)


def _unique(ids: Collection[UUID], *, but: UUID | None = None) -> tuple[UUID, ...]:
    return tuple(key for key in dict.fromkeys(ids) if key != but)
