"""What people fill in: including a patient in one form, changing one thing about a patient."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal, Self, TypeVar, get_args
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from models.errors import BadInput
from models.messages import Origin, Weekday

PRINTED = r"^[^\x00-\x1f\x7f]*$"
"""What can be printed on one line: names and labels hold no control characters."""
Short = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=PRINTED)
]
Long = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4_000)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2}$")]
Number = Annotated[float, Field(allow_inf_nan=False)]


class Form(BaseModel):
    """A form; what does not belong in it is refused, and what was filled in is in no error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ContactForm(Form):
    """Somebody around the patient: a *mantelzorger*, or whom to ring."""

    name: Annotated[Short, Field(repr=False)]
    relation: Literal["mantelzorger", "contact"] = "contact"
    phone: Annotated[Short | None, Field(repr=False)] = None
    may_be_told: Annotated[bool, Field(description="The patient permits that they hear how things are.")] = (
        False
    )


class IdentityForm(Form):
    """Who somebody is. `without_bsn` says why there is no number, where there is none."""

    family_name: Annotated[Short, Field(repr=False)]
    given_names: Annotated[
        str, StringConstraints(strip_whitespace=True, max_length=200, pattern=PRINTED), Field(repr=False)
    ] = ""
    birth_date: Annotated[date, Field(repr=False)]
    bsn: Annotated[str | None, Field(repr=False, max_length=20)] = None
    without_bsn: Short | None = None
    phone: Annotated[Short | None, Field(repr=False)] = None
    contacts: Annotated[tuple[ContactForm, ...], Field(max_length=10)] = ()


class LimitForm(Form):
    """A personal limit; without a unit it is in that of the programme."""

    value: Number
    unit: Short | None = None
    until: AwareDatetime | None = None


class ScheduleForm(Form):
    """When the patient measures: before a time of the day in Europe/Amsterdam, on days of the week."""

    before: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    on: Annotated[tuple[Weekday, ...], Field(min_length=1)] = get_args(Weekday)


Limits = dict[Short, Number | LimitForm]
Schedules = dict[Short, ScheduleForm]


class EnrolForm(Form):
    """A programme; without a version the newest."""

    programme: Short
    version: Annotated[int, Field(ge=1)] | None = None
    limits: Limits = Field(default_factory=dict[Short, Number | LimitForm])
    schedule: Schedules = Field(default_factory=dict[Short, ScheduleForm])


class DeviceForm(Form):
    """A device by the id with which it sends."""

    device_id: Short
    kind: Short = "device"


class InclusionForm(Form):
    """A new patient. What is left out gets what is usual: only the person and a programme are needed."""

    identity: IdentityForm
    programmes: Annotated[tuple[EnrolForm, ...], Field(min_length=1, max_length=20)]
    origin: Origin | None = None
    huisarts: Annotated[UUID | None, Field(description="Id of a gp_practice.")] = None
    monitoring_centre: Annotated[
        UUID | None, Field(description="Its id; left out, the only one that there is.")
    ] = None
    wijk: Short | None = None
    language: Language = "nl"
    devices: Annotated[tuple[DeviceForm, ...], Field(max_length=20)] = ()
    watch_devices: Annotated[bool, Field(description="Enrol in the programme on devices too.")] = True
    treatment_plan: Long | None = None
    advance_care: Long | None = None
    informed_by: Annotated[UUID | None, Field(description="A person; left out, who includes.")] = None
    informed_at: AwareDatetime | None = None
    starts_at: Annotated[AwareDatetime | None, Field(description="When following begins; left out, now.")] = (
        None
    )


class WithdrawForm(Form):
    """The patient leaves a programme."""

    programme: Short


class MoveForm(Form):
    """The patient moves to another version of a programme; without one, to the newest."""

    programme: Short
    version: Annotated[int, Field(ge=1)] | None = None


class LimitsForm(Form):
    """Personal limits by name; null takes one back to the programme's default."""

    programme: Short
    limits: Annotated[dict[Short, Number | LimitForm | None], Field(min_length=1)]


class SchedulesForm(Form):
    """Personal schedules by name; null takes one back to the programme's own."""

    programme: Short
    schedule: Annotated[dict[Short, ScheduleForm | None], Field(min_length=1)]


class StepDownForm(SchedulesForm):
    """A lighter schedule, and when somebody looks whether it is enough."""

    review_on: date


class PauseForm(Form):
    """A holiday, a broken device: nothing is said about missing data."""

    until: AwareDatetime | None = None
    reason: Short | None = None


class Nothing(Form):
    """Nothing more to say."""


class EndForm(Form):
    """The follow-up ends."""

    reason: Literal["died", "finished", "moved", "withdrew"]


class CareForm(Form):
    """What is known of a patient's care; what is left out stays as it is, null takes it away."""

    huisarts: UUID | None = None
    wijk: Short | None = None
    language: Language = "nl"
    treatment_plan: Long | None = None
    advance_care: Long | None = None
    informed_by: UUID | None = None
    informed_at: AwareDatetime | None = None
    review_on: date | None = None


class ReturnForm(Form):
    """A device comes back."""

    device_id: Short


class PatientChange(Form):
    """Exactly one thing that changes."""

    enrol: EnrolForm | None = None
    withdraw: WithdrawForm | None = None
    move: MoveForm | None = None
    limits: LimitsForm | None = None
    schedule: SchedulesForm | None = None
    step_down: StepDownForm | None = None
    pause: PauseForm | None = None
    resume: Nothing | None = None
    admit: Nothing | None = None
    discharge: Nothing | None = None
    end: EndForm | None = None
    care: CareForm | None = None
    identity: IdentityForm | None = None
    hand_out: DeviceForm | None = None
    take_back: ReturnForm | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self.model_fields_set) != 1 or self.name is None:
            raise ValueError(f"exactly one of {', '.join(type(self).model_fields)}")
        return self

    @property
    def name(self) -> str | None:
        """What changes."""
        return next((name for name in self.model_fields_set if getattr(self, name) is not None), None)

    @property
    def only(self) -> Any:
        """The one form that is filled in."""
        return getattr(self, self.name or "")


class ChangeForm(Form):
    """A change of the patient as they were seen in `version`.

    `as_of` is from when it holds: later, or with `correction` earlier, than now.
    """

    version: Annotated[int, Field(ge=1)]
    change: PatientChange
    as_of: AwareDatetime | None = None
    correction: bool = False


class MergeForm(Form):
    """A double registration: `into` stays, the one in the address ends and points to it."""

    version: Annotated[int, Field(ge=1)]
    into: UUID
    into_version: Annotated[int, Field(ge=1)]


class SearchForm(Form):
    """By number, or by family name and birth date."""

    bsn: Annotated[str | None, Field(repr=False, max_length=20)] = None
    family_name: Annotated[Short | None, Field(repr=False)] = None
    birth_date: Annotated[date | None, Field(repr=False)] = None

    @model_validator(mode="after")
    def _number_or_name(self) -> Self:
        by_name = self.family_name is not None and self.birth_date is not None
        if (self.bsn is None) != by_name:
            raise ValueError("either bsn, or family_name and birth_date")
        return self


class RelationForm(Form):
    """An organisation that begins to treat, or may look; until when, where that is known."""

    organisation_id: UUID
    until: AwareDatetime | None = None


class EndRelationForm(Form):
    """An organisation that treats, or may look, no more."""

    organisation_id: UUID


class EmergencyForm(Form):
    """Why somebody must look at once, for how many hours."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=10, max_length=1_000)]
    hours: Annotated[float, Field(gt=0, le=8)] = 1.0


_Filled = TypeVar("_Filled", bound=Form)


def filled_in(form: type[_Filled], fields: Mapping[str, Any] | str) -> _Filled:
    """The form with these fields, Python values or JSON. **Raises**: BadInput, without what was given."""
    try:
        if isinstance(fields, str):
            return form.model_validate_json(fields)
        return form.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "form"
        raise BadInput(
            where=where, expected=first["msg"].removeprefix("Input should be "), found="another"
        ) from None
