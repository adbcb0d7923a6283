"""Who has to hear what changed: owners of their own alerts, and whoever got a message about them; pure."""

from collections.abc import Collection, Iterable
from uuid import UUID

from alerting.acts.handing_on import message_about
from alerting.escalation.delivery import may_have_arrived
from alerting.escalation.situation import News
from alerting.escalation.work import Work
from models.alerts import ALERTING, AlertEvent
from models.escalations import Channel, Message, MessageKind

LATE = (AlertEvent.RETRACTED, AlertEvent.FINDING_CHANGED)
"""What late data does to an alert: whoever was told of it was told something else."""


def tell(work: Work) -> None:
    """Corrections to each recipient of a message, and the word to the owner, about what is new."""
    news = work.situation.news
    late = [one for one in news if one.happening.event in LATE]
    if late:
        _correct(work, _told(work.situation.messages), late)
        notify_owner(work, work.situation.alert.owner, late)
    for one in news:
        if one.happening.event is AlertEvent.ESCALATION_WITHDRAWN:
            _correct(work, _told(_carrying(work, one.happening.why.get("escalation_id"))), [one])
        elif one.happening.event is AlertEvent.LAPSED and one.happening.by == ALERTING:
            notify_owner(work, _uuid(one.happening.why.get("owner")), [one])


def notify_owner(work: Work, owner: UUID | None, about: Collection[News], **facts: object) -> None:
    """A word in the worklist of somebody whose alert changed without them; none where it is nobody's."""
    if owner is None:
        return
    alert = work.situation.alert
    said = _facts(about) | facts
    to_id = alert.responsible.organisation_id
    work.new_messages.append(
        message_about(
            alert,
            next(work.ids),
            MessageKind.NOTICE,
            Channel.WORKLIST,
            work.now_us,
            said,
            to_id=to_id,
            person_id=owner,
        )
    )


def correct_withdrawn(work: Work, escalation_id: UUID) -> None:
    """Who got a message about an escalation that is taken back now hears that they are not needed."""
    told = _told(_carrying(work, str(escalation_id)))
    _correct(work, told, (), events=[AlertEvent.ESCALATION_WITHDRAWN.value])


def _told(messages: Iterable[Message]) -> list[Message]:
    """Of each recipient the message that they got last, as far as we can know."""
    last: dict[UUID, Message] = {}
    for message in sorted(messages, key=lambda m: (m.due_at_us, m.number or 0)):
        if message.to_id is not None and may_have_arrived(message):
            last[message.to_id] = message
    return list(last.values())


def _carrying(work: Work, escalation_id: object) -> list[Message]:
    key = _uuid(escalation_id)
    return [m for m in work.situation.messages if key is not None and key in (m.escalation_id, *m.joined)]


def _correct(work: Work, told: Iterable[Message], about: Collection[News], **facts: object) -> None:
    alert = work.situation.alert
    said = _facts(about) | facts
    sent: list[str] = []
    for message in told:
        correction = message_about(
            alert,
            next(work.ids),
            MessageKind.CORRECTION,
            message.channel,
            work.now_us,
            said,
            to_id=message.to_id,
            escalation_id=message.escalation_id,
            corrects=message.message_id,
        )
        work.new_messages.append(correction)
        sent.append(str(correction.message_id))
    if sent:
        work.step.tell(AlertEvent.CORRECTED, messages=sent, about=said)
        work.why.append("who_was_told_hears_what_changed")


def _facts(about: Collection[News]) -> dict[str, object]:
    if not about:
        return {}
    return {
        "events": list(dict.fromkeys(one.happening.event.value for one in about)),
        "event_nos": [one.event_no for one in about],
    }


def _uuid(text: object) -> UUID | None:
    return UUID(text) if isinstance(text, str) else None
