"""What the ladder has to know of an alert, and what it makes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from alerting.escalation.recipients import Contact
from alerting.transition import Transition
from models.alerts import Alert, AlertHappening
from models.escalations import Escalation, Message, Recipient, Trouble
from models.findings import Severity


@dataclass(frozen=True, slots=True)
class Reason:
    """A finding of an alert, as far as the ladder goes by it.

    `moved`: it has become a reason of a later alert.
    """

    finding_id: UUID
    programme: str
    severity: Severity
    holds: bool
    retracted: bool = False
    moved: bool = False


@dataclass(frozen=True, slots=True)
class News:
    """Something that happened to an alert since the dispatcher looked last, by its place in the history."""

    event_no: int
    happening: AlertHappening


@dataclass(frozen=True, slots=True)
class Situation:
    """An alert with everything about it that a decision needs.

    `escalations` are all of it, in the order in which they were asked; `messages` those that carried them.
    `contacts`: who each recipient is for the patient. `another`: an alert of the same patient and signal that
    is not resolved; `ended` and `admitted`: what holds for the patient. These three matter to rechecks only.
    """

    alert: Alert
    reasons: tuple[Reason, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    messages: tuple[Message, ...] = ()
    news: tuple[News, ...] = ()
    contacts: Mapping[Recipient, Contact] = field(default_factory=dict[Recipient, Contact])
    another: UUID | None = None
    ended: bool = False
    admitted: bool = False


class Look(StrEnum):
    """What came of a look at an alert."""

    STEPPED = "stepped"
    """A step was taken: the first, the next, or the same anew."""
    REPEATED = "repeated"
    """The last step was taken once more: nobody has accepted yet."""
    WAITS = "waits"
    """For who was asked: their time is not over."""
    ENDED = "ended"
    """All steps were taken; the last is repeated in its time."""
    PROMISED = "promised"
    """Somebody has it, and their time is not over."""
    SILENT = "silent"
    """Nobody is to hear of it now: held back, in its cooldown, or a canary's."""
    NOTHING_HOLDS = "nothing_holds"
    """It waits for a person to close it; nobody else is asked."""
    CLOSED = "closed"
    """By itself, as its policy allows."""
    RECHECKED = "rechecked"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Noticed:
    """Trouble of the service that a look at an alert brought to light; nothing of the patient."""

    trouble: Trouble
    subject: str
    organisation_id: UUID | None
    severity: Severity
    details: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A new alert that follows another, with the findings that it is about."""

    transition: Transition
    findings: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done about an alert now.

    `why` gives the reasons, in words of the code: for what is done, and for what is not. `changes`: the alert
    or its history do; otherwise only the next look is to be set. `heard_event_no`: up to which event this
    decision has heard, None where there was no news.
    """

    transition: Transition
    look: Look
    why: tuple[str, ...]
    changes: bool
    heard_event_no: int | None
    noticed: tuple[Noticed, ...] = ()
    opened: Opened | None = None
