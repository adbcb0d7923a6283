"""The three messages of the log, schema 1: uploads, changes and clock ticks, as they are on the wire.

Uploads are typed as dictionaries because they are validated by the hundred thousand; changes and clock
ticks are rare and become objects. Unknown fields are ignored, so that a schema can grow.
"""

from enum import StrEnum
from typing import Annotated, Literal, NotRequired, get_args
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from typing_extensions import TypedDict

SCHEMA = 1
MAX_READINGS_PER_UPLOAD = 5_000
MAX_MESSAGE_BYTES = 2 * 1024 * 1024
"""Larger messages are refused unread: 5,000 readings of 300 bytes fit well below it."""

MAX_SIGNIFICANT_DIGITS = 15
FUTURE_TOLERANCE_US = 5 * 60 * 1_000_000
LATE_LIMIT_US = 7 * 86_400 * 1_000_000
OLDEST_READING_US = 400 * 86_400 * 1_000_000
"""Older than this at receipt, a time is a wild device clock: refused rather than stored."""

Microseconds = Annotated[int, Field(ge=0, le=4_102_444_800_000_000)]
"""Whole microseconds since 1970 UTC, up to the year 2100."""

ShortText = Annotated[str, Field(min_length=1, max_length=200)]
Remark = Annotated[str, Field(min_length=1, max_length=4_000)]


class Absent(StrEnum):
    """Why a measurement has no value (FHIR data-absent-reason, the part that homes send)."""

    ASKED_DECLINED = "asked-declined"
    TEMPORARILY_UNKNOWN = "temporarily-unknown"
    NOT_PERFORMED = "not-performed"
    ERROR = "error"
    NOT_APPLICABLE = "not-applicable"
    UNKNOWN = "unknown"


class WireReading(TypedDict):
    """One reading inside an upload: exactly one of value with unit, code, text, absent, void."""

    kind: str
    taken_at_us: Microseconds
    value: NotRequired[Annotated[float, Field(allow_inf_nan=False)]]
    unit: NotRequired[ShortText]
    code: NotRequired[ShortText]
    text: NotRequired[Remark]
    absent: NotRequired[Absent]
    void: NotRequired[Literal[True]]
    revision: NotRequired[Annotated[int, Field(ge=0, le=2_000_000_000)]]
    group: NotRequired[ShortText]
    code_received: NotRequired[ShortText]
    utc_offset_min: NotRequired[Annotated[int, Field(ge=-840, le=840)]]


class WireUpload(TypedDict):
    """What a device sends at once for one patient. **Shape**: 1…5,000 readings."""

    schema: Literal[1]
    type: Literal["upload"]
    upload_id: str
    patient_id: str
    device_id: ShortText
    source: ShortText
    sent_at_us: Microseconds
    received_at_us: Microseconds
    readings: Annotated[list[WireReading], Field(min_length=1, max_length=MAX_READINGS_PER_UPLOAD)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class Origin(StrEnum):
    """Where a patient comes from; immutable, and never mixed in one database with real care."""

    REAL = "real"
    SIMULATED = "simulated"
    CANARY = "canary"


class PersonalLimit(_Part):
    """A limit set for one patient, until a time where it has one; then the limit before it holds again.

    **Units**: `unit` must be the unit that the programme declares, in any accepted spelling.
    """

    value: Annotated[float, Field(allow_inf_nan=False)]
    unit: ShortText
    set_by: ShortText
    until_us: Microseconds | None = None


Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class PersonalSchedule(_Part):
    """When a patient measures, in place of the programme's own: Europe/Amsterdam, days of the week."""

    before: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    on: Annotated[tuple[Weekday, ...], Field(min_length=1)] = get_args(Weekday)
    set_by: ShortText


class Register(_Part):
    """From here in the log on the patient is known."""

    origin: Annotated[Origin, Field(strict=False)]
    organisation_id: Annotated[UUID, Field(strict=False)]
    huisarts: ShortText | None = None
    wijk: ShortText | None = None
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] = "nl"


class Enrol(_Part):
    """The patient joins a programme in a version, with personal limits and schedule where given."""

    programme: ShortText
    version: Annotated[int, Field(ge=1)]
    limits: dict[str, PersonalLimit] = Field(default_factory=dict[str, PersonalLimit])
    schedule: dict[str, PersonalSchedule] = Field(default_factory=dict[str, PersonalSchedule])


class Withdraw(_Part):
    """The patient leaves a programme."""

    programme: ShortText


class SetLimits(_Part):
    """Personal limits by name; null takes one back to the programme's default."""

    programme: ShortText
    limits: Annotated[dict[str, PersonalLimit | None], Field(min_length=1)]


class SetSchedule(_Part):
    """Personal schedules by name; null takes one back to the programme's own."""

    programme: ShortText
    schedule: Annotated[dict[str, PersonalSchedule | None], Field(min_length=1)]


class MoveVersion(_Part):
    """The patient moves to another version of a programme; limits and schedule stay."""

    programme: ShortText
    version: Annotated[int, Field(ge=1)]


class Pause(_Part):
    """Holds back what is about missing data: a holiday, a broken device."""

    until_us: Microseconds | None = None
    reason: ShortText | None = None


class Resume(_Part):
    """Ends a pause."""


class Admit(_Part):
    """The patient is in hospital: alerts are held back and marked."""


class Discharge(_Part):
    """The patient is home again."""


class End(_Part):
    """The follow-up ends, and with it every enrolment, finding and alert."""

    reason: Literal["died", "finished", "moved", "withdrew"]


class ChangeContent(_Part):
    """Exactly one kind of change."""

    register_: Register | None = Field(default=None, alias="register")
    enrol: Enrol | None = None
    withdraw: Withdraw | None = None
    limits: SetLimits | None = None
    schedule: SetSchedule | None = None
    version: MoveVersion | None = None
    pause: Pause | None = None
    resume: Resume | None = None
    admit: Admit | None = None
    discharge: Discharge | None = None
    end: End | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> "ChangeContent":
        if len(self.model_fields_set) != 1 or self.only is None:
            names = ", ".join(field.alias or name for name, field in type(self).model_fields.items())
            raise ValueError(f"exactly one of {names}")
        return self

    @property
    def only(self) -> "AnyChange | None":
        """The one change that is set."""
        given = (getattr(self, name) for name in self.model_fields_set)
        return next((change for change in given if change is not None), None)


AnyChange = (
    Register
    | Enrol
    | Withdraw
    | SetLimits
    | SetSchedule
    | MoveVersion
    | Pause
    | Resume
    | Admit
    | Discharge
    | End
)


class Change(_Part):
    """A change of what holds for a patient, in the order of the log."""

    schema_: Literal[1] = Field(alias="schema")
    type: Literal["change"]
    change_id: Annotated[UUID, Field(strict=False)]
    patient_id: Annotated[UUID, Field(strict=False)]
    valid_from_us: Microseconds
    correction: bool = False
    change: ChangeContent


class Clock(_Part):
    """Now, for one partition."""

    schema_: Literal[1] = Field(alias="schema")
    type: Literal["clock"]
    now_us: Microseconds


def effective_from_us(change: Change, now_us: int | None) -> int:
    """From when a change holds: never before its place in the log, except for a correction that says so.

    **Units**: microseconds since 1970. `now_us` is the last clock message before it in its partition, None
    where there was none yet.
    """
    if change.correction or now_us is None:
        return change.valid_from_us
    return max(change.valid_from_us, now_us)
