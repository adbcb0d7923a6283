"""Secure mail: the letter as PDF, by a carrier whom recipient and sender trust."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias
from uuid import UUID

from alerting.notify.channels import Note, Outgoing, Receipt, Refused
from alerting.notify.channels.mail import mail_of
from alerting.notify.relay import Relay
from models.db.pool import Connection
from models.endpoints import is_mail_address
from models.escalations import Channel

SUBJECT = "Bericht over een patiënt, via Thuiswacht"

_TEXT = """\
In de bijlage vindt u een bericht over een van uw patiënten.

A message about one of your patients is attached.
"""

Write: TypeAlias = Callable[[Connection, Note], Awaitable[bytes | Refused]]
"""Writes the letter of a note as PDF."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a carrier takes. The id is that of the message, on every copy."""

    message_id: UUID
    to: str
    letter: bytes


class Carrier(Protocol):
    """Who carries letters: an SMTP relay, or a provider of secure mail by an interface of its own."""

    async def carry(self, parcel: Parcel) -> Receipt:
        """Hands one copy over. **Raises**: nothing that the carrier can cause."""
        ...


class SecureMail:
    """A receipt of the carrier means delivered, and nothing more: accepting is for a named person."""

    name = Channel.SECURE_MAIL
    addressed = True

    def __init__(self, carrier: Carrier, write: Write) -> None:
        self._carrier = carrier
        self._write = write

    async def compose(self, connection: Connection, note: Note) -> bytes | Refused:
        """The letter."""
        return await self._write(connection, note)

    async def send(self, outgoing: Outgoing) -> Receipt:
        """Hands one copy to the carrier."""
        if outgoing.address is None:
            return Refused("no address")
        if not is_mail_address(outgoing.address.address):
            return Refused("not a mail address")
        message_id = outgoing.note.message.message_id
        return await self._carrier.carry(Parcel(message_id, outgoing.address.address, outgoing.content))

    async def close(self) -> None:
        """Nothing is kept open."""


@dataclass(frozen=True, slots=True)
class SmtpCarrier:
    """The relay of a provider of secure mail, or of one's own healthcare network, over TLS."""

    relay: Relay

    async def carry(self, parcel: Parcel) -> Receipt:
        """Sends the letter as attachment; neither its name nor the subject says of whom it is."""
        mail = mail_of(parcel.message_id, self.relay.sender, parcel.to, SUBJECT)
        mail.set_content(_TEXT)
        mail.add_attachment(
            parcel.letter, maintype="application", subtype="pdf", filename=f"bericht-{parcel.message_id}.pdf"
        )
        return await self.relay.hand_over(mail, parcel.to)
