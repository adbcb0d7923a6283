"""What a letter is about: facts and nothing that is said about them."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from alerting.explain.explanation import Explanation
from models.access import Role
from models.alerts import AlertEvent
from models.escalations import EscalationState, Recipient, RequestKind
from models.findings import Severity, Signal
from models.messages import Origin


class LetterKind(StrEnum):
    """Why somebody gets it."""

    ESCALATION = "escalation"
    QUESTION = "question"
    """A teleconsultation: an answer is asked for, nobody takes over."""
    CORRECTION = "correction"
    """What was written before has changed, or is taken back."""


@dataclass(frozen=True, slots=True)
class Desk:
    """A role at an organisation, and where it can be rung; None where nobody entered that."""

    role: Role
    name: str | None = None
    telephone: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Who the patient is."""

    family_name: str
    birth_date: date
    given_names: str = ""
    telephone: str | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit as a level of what the chart shows. **Units**: those of the series."""

    level: float
    upwards: bool
    """Whether it is what lies above that counts."""


@dataclass(frozen=True, slots=True)
class Series:
    """The readings of one kind between two moments, in order of time, with the limits that were reached.

    **Units**: `points` are (microseconds since 1970 UTC, canonical unit of the kind).
    """

    kind: str
    from_us: int
    to_us: int
    points: tuple[tuple[int, float], ...]
    limits: tuple[Limit, ...] = ()
    flagged_at_us: int | None = None


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that happened to the alert. `by` is a name; None: the service itself."""

    at_us: int
    event: AlertEvent
    by: str | None = None
    text: str | None = None
    severity: Severity | None = None
    until_us: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody else who was asked about the same, before."""

    at_us: int
    recipient: Recipient
    name: str | None
    state: EscalationState


@dataclass(frozen=True, slots=True)
class Remark:
    """What the patient wrote."""

    at_us: int
    text: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A named person took it over."""

    at_us: int
    by: str
    at: str | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """To a letter of before: whether what it asked still stands, and all that happened since."""

    corrects: UUID
    sent_at_us: int
    stands: bool
    changes: tuple[Deed, ...] = ()


@dataclass(frozen=True, slots=True)
class Letter:
    """All facts of one letter. **Units**: times in microseconds since 1970 UTC.

    `sender` is who asks and can be rung; `responsible` answers for the patient until a named person accepts.
    `person` is None where the service holds no key to identities: the letter then says where to look them up.
    `by_us`: until when it is asked. `findings`, `series`, `done` and `earlier` as they are to be read.
    """

    letter_id: UUID
    kind: LetterKind
    written_at_us: int
    origin: Origin
    patient_id: UUID
    sender: Desk
    responsible: Desk
    to: Desk
    recipient: Recipient
    request: RequestKind
    severity: Severity
    signals: tuple[Signal, ...]
    by_us: int | None = None
    link: str | None = None
    person: Person | None = None
    accepted: Accepted | None = None
    asked_by: str | None = None
    reason: str | None = None
    """In the words of who asked; None: the ladder did."""
    question: str | None = None
    programmes: tuple[tuple[str, str], ...] = ()
    """Titles in Dutch and English."""
    findings: tuple[Explanation, ...] = ()
    more_findings: int = 0
    series: tuple[Series, ...] = ()
    remarks: tuple[Remark, ...] = ()
    treatment_plan: str | None = None
    advance_care: str | None = None
    language: str = "nl"
    done: tuple[Deed, ...] = ()
    earlier: tuple[Asked, ...] = ()
    correction: Correction | None = None
