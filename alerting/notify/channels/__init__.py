"""What a channel is: it writes what a message says, sends it once, and tells what the endpoint made of it.

Each channel is one file. `tests/contract/channels` holds for all of them: whoever adds one adds it there.
"""

from dataclasses import dataclass
from typing import Protocol, TypeAlias
from uuid import UUID

from models.alerts import Alert
from models.db.pool import Connection
from models.escalations import Channel as ChannelName
from models.escalations import Escalation, Message, Party


@dataclass(frozen=True, slots=True)
class Address:
    """Where a message goes: of an organisation, or of somebody there.

    `sandbox`: of an organisation that is simulated; it takes what is about patients who do not exist, and
    nothing else. `address_id` names it in logs, metrics and secrets; `address` itself stands nowhere.
    """

    address_id: UUID
    address: str
    sandbox: bool
    person_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Correspondent:
    """An organisation as a message names it; `telephone` where somebody there can be rung about it."""

    organisation_id: UUID
    name: str | None = None
    telephone: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """What every message can say, loaded anew for each attempt. **Units**: microseconds since 1970 UTC.

    `sender` is who answers for the alert until a named person accepts (`responsible` is the role there).
    `to`: who gets it; None: the patient. `alerts`: all that the message speaks of, as they are now, and
    `escalations`: by which they were handed over; first that of the message, then those that joined it.
    """

    message: Message
    alerts: tuple[Alert, ...]
    escalations: tuple[Escalation, ...]
    sender: Correspondent
    responsible: Party
    to: Correspondent | None
    now_us: int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One copy of a message, ready to be sent: what it says, and to which address.

    `address` is None where the channel needs none (Kafka, pull), or looks it up itself (the patient's app).
    """

    note: Note
    content: bytes
    address: Address | None


@dataclass(frozen=True, slots=True)
class Delivered:
    """The endpoint has it: delivered, never accepted, for only a named person accepts."""


@dataclass(frozen=True, slots=True)
class Later:
    """It may work later. `why` is one of few words, without anything of a patient.

    **Units**: `after_s` in seconds, as the endpoint asked for; None: it did not say.
    """

    why: str
    after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """This endpoint will never take this message; `why` as in `Later`."""

    why: str


@dataclass(frozen=True, slots=True)
class Gone:
    """There is nobody at this address any more; `why` as in `Later`."""

    why: str


Receipt: TypeAlias = Delivered | Later | Refused | Gone


class Channel(Protocol):
    """One way for messages to travel. Used by many tasks at once; keeps nothing of a message."""

    @property
    def name(self) -> ChannelName:
        """Which messages are its own."""
        ...

    @property
    def addressed(self) -> bool:
        """Whether it needs one of the recipient's addresses of its name; without one it is not tried."""
        ...

    async def compose(self, connection: Connection, note: Note) -> bytes | Refused:
        """What the message says now, read and rendered before anything is sent.

        Its transaction is committed before `send`, and for reading: all that may be written in it is that
        somebody's data were looked at. Refused: there will never be anything to say, or nobody to say it to;
        the next channel is tried. **Raises**: as `Pool.transaction`.
        """
        ...

    async def send(self, outgoing: Outgoing) -> Receipt:
        """Sends one copy under the id of the message; whatever the endpoint does becomes a receipt.

        It is ended from outside (CancelledError) when it takes too long, and must leave nothing open then.
        **Raises**: nothing that an endpoint can cause.
        """
        ...

    async def close(self) -> None:
        """Gives up what it keeps open."""
        ...
