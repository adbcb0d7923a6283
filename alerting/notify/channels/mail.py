"""Plain e-mail: says that something waits, and where. Nothing of a patient, for anybody may read it."""

from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from uuid import UUID

from alerting.notify.body import link_of
from alerting.notify.channels import Note, Outgoing, Receipt, Refused
from alerting.notify.relay import Relay
from models.db.pool import Connection
from models.endpoints import is_mail_address
from models.escalations import Channel

SUBJECT = "Er wacht een bericht in Thuiswacht / A message is waiting in Thuiswacht"

_TEXT = """\
{sender_nl} blijft verantwoordelijk tot iemand bij u dit op naam aanneemt.{telephone_nl}

Er wacht een bericht voor u. Log in om het te lezen:
{link}

Om de privacy te beschermen staat in deze e-mail niets over de patiënt.

---

{sender_en} remains responsible until somebody at your organisation accepts this by name.{telephone_en}

A message is waiting for you. Log in to read it:
{link}

To protect privacy, this e-mail says nothing about the patient.
"""


class Mail:
    """Over a relay, with TLS."""

    name = Channel.EMAIL
    addressed = True

    def __init__(self, relay: Relay, public_url: str) -> None:
        self._relay = relay
        self._public_url = public_url

    async def compose(self, connection: Connection, note: Note) -> bytes | Refused:  # noqa: ARG002  a channel
        """Who is responsible, and a link; the same for every patient."""
        return text_of(note, self._public_url).encode()

    async def send(self, outgoing: Outgoing) -> Receipt:
        """Sends one copy; all copies have the same Message-ID."""
        if outgoing.address is None:
            return Refused("no address")
        to = outgoing.address.address
        if not is_mail_address(to):
            return Refused("not a mail address")
        mail = mail_of(outgoing.note.message.message_id, self._relay.sender, to, SUBJECT)
        mail.set_content(outgoing.content.decode())
        return await self._relay.hand_over(mail, to)

    async def close(self) -> None:
        """Nothing is kept open."""


def text_of(note: Note, public_url: str) -> str:
    """The text, Dutch first. An organisation without a name is not named, one without telephone not rung."""
    name, telephone = note.sender.name, note.sender.telephone
    return _TEXT.format(
        sender_nl=name or "De afzender",
        sender_en=name or "The sender",
        telephone_nl=f" Telefoon: {telephone}." if telephone else "",
        telephone_en=f" Telephone: {telephone}." if telephone else "",
        link=link_of(note.escalations[0] if note.escalations else None, public_url),
    )


def mail_of(message_id: UUID, sender: str, to: str, subject: str) -> EmailMessage:
    """A mail without content yet, under the id of its message, which readers answer to nobody by."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = subject
    mail["Date"] = formatdate()
    mail["Message-ID"] = f"<{message_id}@{sender.rpartition('@')[2]}>"
    # Nobody's holiday is announced to us.
    mail["Auto-Submitted"] = "auto-generated"
    return mail
