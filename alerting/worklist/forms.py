"""What people fill in about alerts. Every change carries the version of the alert that it is about."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from alerting.notify.to_patient import PatientText
from ingest.register.forms import Form, Short
from models.access import Role
from models.alerts import Outcome
from models.escalations import Channel, Recipient, RequestKind
from models.messages import Origin

MOST_AT_ONCE = 100

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4_000)]
Version = Annotated[
    int, Field(ge=1, le=2**31 - 1, description="The version in which the alert was seen; 409 when not now.")
]


class SeenForm(Form):
    """Nothing but which version was seen."""

    version: Version


class SeenAlert(Form):
    """One of several alerts."""

    alert_id: UUID
    version: Version


class SeveralForm(Form):
    """Several alerts at once; what comes of each is answered for each."""

    alerts: Annotated[tuple[SeenAlert, ...], Field(min_length=1, max_length=MOST_AT_ONCE)]


class ReasonForm(SeenForm):
    """Why something is undone, declined, handed back, withdrawn."""

    reason: Text


class SnoozeForm(SeenForm):
    """Until when the alert is out of sight; worse, it is back at once."""

    until: AwareDatetime


class ResolveForm(SeenForm):
    """What came of the alert, and a note."""

    outcome: Outcome
    note: Text | None = None


class NoteForm(SeenForm):
    """What was found or done."""

    text: Text


class HandOverForm(SeenForm):
    """To whom the alert is offered: a role at an organisation, or there a certain person."""

    role: Role
    organisation_id: UUID
    person_id: UUID | None = None


class EscalateForm(SeenForm):
    """Whom the alert is handed to, for what kind of care and why; with a question it is a teleconsultation.

    Left out, the channels are those of the policy for this recipient.
    """

    recipient: Recipient
    request: RequestKind
    reason: Text
    channels: Annotated[tuple[Channel, ...], Field(min_length=1, max_length=5)] | None = None
    question: Text | None = None
    answer_within_minutes: Annotated[
        int | None,
        Field(ge=1, le=60 * 24 * 30, description="Within which time a question is to be answered."),
    ] = None


class AnswerForm(SeenForm):
    """The answer to a question, and whether a referral was avoided by it."""

    answer: Text
    referral_avoided: bool


class PatientMessageForm(Form):
    """What a patient is told, from the texts that there are; no free text: it could not be translated."""

    text: PatientText
    about: Annotated[
        str | None, Field(max_length=100, description="A kind: what to measure, or which symptom is meant.")
    ] = None


class PatientAppForm(Form):
    """The app through which a vendor's patients are told, by the source of their readings."""

    source: Short
    address: Annotated[str, StringConstraints(max_length=500, pattern=r"^https://[^\s/@]+(/\S*)?$")]
    origin: Literal[Origin.REAL, Origin.SIMULATED] = Origin.REAL
