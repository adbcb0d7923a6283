"""What is done with several alerts at once, as the worklist sends it."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from alerting.worklist.forms import EscalateForm, SeveralForm, Text
from ingest.register.forms import Form, Short
from models.access import Role
from models.alerts import Outcome

LONGEST_SNOOZE_MIN = 7 * 24 * 60


class SeveralSnoozeForm(SeveralForm):
    """Out of sight for so many minutes, until a moment, or until one's duty ends: one of the three."""

    minutes: Annotated[int | None, Field(ge=1, le=LONGEST_SNOOZE_MIN)] = None
    until: AwareDatetime | None = None
    duty: bool = False

    @model_validator(mode="after")
    def one_end(self) -> Self:
        """**Raises**: ValueError where it is said twice, or not at all, until when."""
        if sum((self.minutes is not None, self.until is not None, self.duty)) != 1:
            raise ValueError("until when, once")
        return self


class SeveralResolveForm(SeveralForm):
    """What came of them."""

    outcome: Outcome
    note: Text | None = None


class SeveralHandOverForm(SeveralForm):
    """To whom they are offered."""

    role: Role
    organisation_id: UUID
    person_id: UUID | None = None


class SeveralReasonForm(SeveralForm):
    """Why they are declined, or something is taken back."""

    reason: Text


class SeveralNoteForm(SeveralForm):
    """What was found or done."""

    text: Text


class AskForm(EscalateForm):
    """Handing one alert on, or asking about it."""

    alert_id: UUID


class NameForm(Form):
    """A name, or a part of one, with a year of birth or without; what else is sought stands beside it."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=200)]
    sought: dict[str, Annotated[str, StringConstraints(max_length=200)]] = Field(
        default_factory=dict[str, str], max_length=10
    )


class ViewForm(Form):
    """A filter to keep, and under which name."""

    name: Short
    sought: dict[str, Annotated[str, StringConstraints(max_length=200)]] = Field(
        default_factory=dict[str, str], max_length=10
    )
