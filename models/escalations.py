"""Escalations: alerts handed to the next responsible party, and the messages that carry them."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from models.access import Role
from models.findings import Severity
from models.messages import Origin


class Recipient(StrEnum):
    """To whom a step of a policy goes; who that is for a patient at a moment, rosters and register tell."""

    NURSE = "nurse"
    """The nurses of the monitoring centre: the patient's own organisation."""
    COMMUNITY_NURSE = "community_nurse"
    """By day the team of the wijk, out of hours the one on duty."""
    HUISARTS = "huisarts"
    """The patient's own practice; outside its hours the out-of-hours post."""
    OUT_OF_HOURS_POST = "out_of_hours_post"
    REFERRAL_DESK = "referral_desk"
    SPECIALIST = "specialist"
    COORDINATION_CENTRE = "coordination_centre"
    HOME_VISIT = "home_visit"
    """An urgent home visit by an elderly-care physician (specialist ouderengeneeskunde)."""


class RequestKind(StrEnum):
    """What kind of care is asked for."""

    ACUTE = "acute"
    REGULAR = "regular"
    COMPLEX_REGIONAL = "complex_regional"


class Channel(StrEnum):
    """By what a message travels. *Worklist* needs no message: it is there as soon as the alert is."""

    WORKLIST = "worklist"
    WEBHOOK = "webhook"
    FHIR = "fhir"
    SECURE_MAIL = "secure_mail"
    EMAIL = "email"
    """Only that something waits, with a link: no patient data."""
    KAFKA = "kafka"
    PULL = "pull"
    PATIENT = "patient"
    """Through the app of the patient's vendor."""


class MessageKind(StrEnum):
    """What a message is about."""

    ESCALATION = "escalation"
    QUESTION = "question"
    CORRECTION = "correction"
    """What was sent before has changed, or is taken back."""
    NOTICE = "notice"
    """Somebody's own alert changed: lapsed, handed over, corrected by late data."""
    TO_PATIENT = "to_patient"


class MessageState(StrEnum):
    """How far a message has come."""

    DUE = "due"
    ATTEMPTED = "attempted"
    DELIVERED = "delivered"
    SEEN = "seen"
    ACCEPTED = "accepted"
    GIVEN_UP = "given_up"
    WITHDRAWN = "withdrawn"
    """Not needed any more before it was sent."""


class EscalationState(StrEnum):
    """Where an escalation stands with who was asked."""

    ASKED = "asked"
    ACCEPTED = "accepted"
    """A named person took it over: from then on they are responsible."""
    ANSWERED = "answered"
    HANDED_BACK = "handed_back"
    PASSED_ON = "passed_on"
    """Nobody accepted in time: the next step was asked instead, or as well."""
    WITHDRAWN = "withdrawn"
    """The alert was resolved, or its owner took it back."""


OPEN_ESCALATION = (EscalationState.ASKED, EscalationState.ACCEPTED)


@dataclass(frozen=True, slots=True)
class Party:
    """A role at an organisation: who is responsible, or asked."""

    role: Role
    organisation_id: UUID


@dataclass(frozen=True, slots=True)
class Escalation:
    """An alert handed to somebody, as it is stored. **Units**: times in microseconds since 1970 UTC.

    `asked_by` is a person; None: the ladder. With a `question` it is a teleconsultation.
    """

    escalation_id: UUID
    alert_id: UUID
    patient_id: UUID
    organisation_id: UUID
    step_no: int
    recipient: Recipient
    request: RequestKind
    to: Party
    asked_at_us: int
    reason: str
    state: EscalationState = EscalationState.ASKED
    asked_by: UUID | None = None
    question: str | None = None
    answer_by_us: int | None = None
    delivered_at_us: int | None = None
    accepted_at_us: int | None = None
    accepted_by: UUID | None = None
    answered_at_us: int | None = None
    answer: str | None = None
    referral_avoided: bool | None = None
    over_at_us: int | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Message:
    """A message due to somebody, with the same id on every copy. **Units**: microseconds since 1970 UTC.

    `to_id` is the organisation that gets it; None: the patient. `number` counts the messages of a recipient
    without a gap. `alerts` are all that it speaks of; `joined` are further escalations, of alerts that joined
    it before it was sent. `body` holds facts, never sentences: the channel writes them when it sends.
    """

    message_id: UUID
    patient_id: UUID
    organisation_id: UUID
    origin: Origin
    kind: MessageKind
    channel: Channel
    severity: Severity
    alerts: tuple[UUID, ...]
    due_at_us: int
    to_id: UUID | None = None
    person_id: UUID | None = None
    escalation_id: UUID | None = None
    corrects: UUID | None = None
    body: str = "{}"
    state: MessageState = MessageState.DUE
    number: int | None = None
    attempts: int = 0
    attempted_at_us: int | None = None
    delivered_at_us: int | None = None
    seen_at_us: int | None = None
    accepted_at_us: int | None = None
    over_at_us: int | None = None
    deliver_by_us: int | None = None
    why: str | None = None
    joined: tuple[UUID, ...] = ()
    give_up_at_us: int | None = None


class Trouble(StrEnum):
    """What may be wrong with the service itself, or with who it talks to: never about a patient."""

    UNDELIVERED = "undelivered"
    """An endpoint took nothing for as long as it has patience for."""
    UNREACHABLE_STEP = "unreachable_step"
    """A step of a policy leads to nobody: no such organisation, or no address."""
    NO_NEXT_STEP = "no_next_step"
    """An open alert had no next step; it has one now."""
    OVERDUE_STEP = "overdue_step"
    """Steps are due and nobody works them off."""
    LADDER_ENDED = "ladder_ended"
    """All steps were taken and nobody accepted."""
    PATIENT_NOT_REACHED = "patient_not_reached"
    CANARY_LATE = "canary_late"
