"""What a message can say and how it could get there, read anew for each attempt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from alerting.notify.channels import Address, Channel, Correspondent, Note
from alerting.notify.outbox import Way
from models.access import Role
from models.alerts import Alert
from models.db import alerts, correspondents, escalations, outbox
from models.db.correspondents import Listed
from models.db.pool import Connection
from models.escalations import Escalation, Message, Party


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of a message when it is about to be sent."""

    note: Note
    way: Way


async def load_facts(connection: Connection, message: Message, channel: Channel | None, now_us: int) -> Facts:
    """What is to be known before it is decided whether to send. `channel` None: this service has it not."""
    told = await alerts.load_by_id(connection, message.patient_id, message.alerts)
    handed = await escalations.load_by_id(connection, message.patient_id, carried(message))
    listed = await correspondents.load_listed(connection, who_is_named(message, told))
    corrected = None if message.corrects is None else await outbox.load_message(connection, message.corrects)
    to = None if message.to_id is None else listed.get(message.to_id)
    way = Way(
        installed=channel is not None,
        addressed=channel is not None and channel.addressed,
        addresses=await _addresses(connection, message, to),
        sandbox=None if message.to_id is None else to is not None and to.invented,
        corrected=corrected,
    )
    return Facts(note_of(message, told, handed, listed, now_us), way)


def carried(message: Message) -> tuple[UUID, ...]:
    """The escalations that a message carries: its own, and those that joined."""
    own = () if message.escalation_id is None else (message.escalation_id,)
    return (*own, *message.joined)


def who_is_named(message: Message, told: Sequence[Alert]) -> set[UUID]:
    """The organisations whose names and telephones a message may say."""
    named = {message.organisation_id, *(alert.responsible.organisation_id for alert in told)}
    return named if message.to_id is None else named | {message.to_id}


def note_of(
    message: Message,
    told: Sequence[Alert],
    handed: Sequence[Escalation],
    listed: Mapping[UUID, Listed],
    now_us: int,
) -> Note:
    """The note of a message; responsible is who answers for the worst of its alerts."""
    worst = max(told, key=lambda alert: alert.severity.rank, default=None)
    responsible = Party(Role.NURSE, message.organisation_id) if worst is None else worst.responsible
    return Note(
        message=message,
        alerts=tuple(told),
        escalations=tuple(handed),
        sender=_correspondent(responsible.organisation_id, listed),
        responsible=responsible,
        to=None if message.to_id is None else _correspondent(message.to_id, listed),
        now_us=now_us,
    )


def _correspondent(organisation_id: UUID, listed: Mapping[UUID, Listed]) -> Correspondent:
    one = listed.get(organisation_id)
    if one is None:
        return Correspondent(organisation_id)
    return Correspondent(organisation_id, one.name, one.telephone)


async def _addresses(connection: Connection, message: Message, to: Listed | None) -> tuple[Address, ...]:
    if message.to_id is None:
        return ()
    places = await correspondents.load_places(connection, message.to_id, message.person_id, message.channel)
    sandbox = to is not None and to.invented
    return tuple(Address(place.address_id, place.address, sandbox, place.person_id) for place in places)
