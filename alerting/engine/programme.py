"""Programmes as values: limits, schedules and rules of a condition."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, model_validator
from pydantic_core import PydanticCustomError

from alerting.engine.expressions import Condition, ExpressionError, parse
from alerting.engine.features import NEWS2_FEATURES, UNITS_OF_TIME_US, Feature, FeatureName
from models.findings import Severity, Signal

TIME_UNITS_US: Mapping[str, int] = {
    "s": UNITS_OF_TIME_US["seconds"],
    "min": UNITS_OF_TIME_US["minutes"],
    "h": UNITS_OF_TIME_US["hours"],
    "d": UNITS_OF_TIME_US["days"],
}
COUNT_UNIT = "1"
CODE_UNIT = "{code}"
"""Of a limit that stands for an answer: its place in the closed list of its kind, counted from 0."""

PER_DAY = "/d"
"""What follows a unit in that of a slope."""

MOST_RULES = 64
LONGEST_DURATION_US = 30 * UNITS_OF_TIME_US["days"]
TOGETHER: Mapping[str, tuple[str, ...]] = {"heart_rate": ("heart_rate", "pulse")}
"""A rule that speaks of one of these takes all of them."""

NEWS2_KINDS = (
    "respiratory_rate",
    "spo2",
    "supplemental_oxygen",
    "systolic",
    *TOGETHER["heart_rate"],
    "consciousness",
    "temperature",
)
"""The parts of a NEWS2 score."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Mark = Literal["S", "M", "P"]
"""How far a number can be trusted: S read in a stored source, M from memory, P our own proposal."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
Words = Annotated[str, Field(min_length=1, max_length=1_000)]
TimeOfDay = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Number = Annotated[float, Field(allow_inf_nan=False)]


def kinds_of(subject: str) -> tuple[str, ...]:
    """The kinds that a rule means by a name.

    >>> kinds_of("heart_rate")
    ('heart_rate', 'pulse')
    """
    return TOGETHER.get(subject, (subject,))


def _parsed(text: object) -> Condition:
    if not isinstance(text, str):
        raise PydanticCustomError("condition", "Input should be a condition in words")
    try:
        return parse(text)
    except ExpressionError as error:
        context = {"column": error.column, "expected": error.expected, "found": error.found}
        raise PydanticCustomError("condition", "column {column}: {expected}", context) from error


Parsed = Annotated[Condition, PlainValidator(_parsed), PlainSerializer(str)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Texts(_Part):
    """The same sentence for patients and nurses: plain Dutch, and English."""

    nl: Words
    en: Words


class Limit(_Part):
    """A named number that rules compare with; each can be set per patient within low…high."""

    default: Number
    unit: Words
    low: Number
    high: Number
    mark: Mark
    source: Words
    text: Texts

    @property
    def is_duration(self) -> bool:
        """Whether it is compared with a length of time, in whole microseconds."""
        return self.unit in TIME_UNITS_US

    def accepts(self, value: float) -> bool:
        """Whether a patient may have this value."""
        return self.low <= value <= self.high


class Schedule(_Part):
    """When something is measured: before a time of the day in Europe/Amsterdam, on days of the week."""

    kind: Name
    before: TimeOfDay
    on: Annotated[tuple[Day, ...], Field(min_length=1, strict=False)] = DAYS

    @model_validator(mode="after")
    def _each_day_once(self) -> "Schedule":
        if len(set(self.on)) != len(self.on):
            raise PydanticCustomError("days", "Input should name each day once")
        return self


class Duration(_Part):
    """A length of time in one unit."""

    days: Annotated[int, Field(gt=0)] | None = None
    hours: Annotated[int, Field(gt=0)] | None = None
    minutes: Annotated[int, Field(gt=0)] | None = None
    seconds: Annotated[int, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _one_of_30_days_at_most(self) -> "Duration":
        if len(self.model_dump(exclude_none=True)) != 1 or self.us > LONGEST_DURATION_US:
            raise PydanticCustomError(
                "duration", "Input should be one of days, hours, minutes, seconds, 30 days at most"
            )
        return self

    @property
    def us(self) -> int:
        """**Units**: microseconds."""
        return sum(
            UNITS_OF_TIME_US[unit] * number for unit, number in self.model_dump(exclude_none=True).items()
        )


class Raise(_Part):
    """When a finding that is open becomes worse."""

    severity: Severity = Field(strict=False)
    when: Parsed


class KOfN(_Part):
    """At least k of the last n evaluations by a reading."""

    k: Annotated[int, Field(ge=1)]
    n: Annotated[int, Field(ge=1, le=16)]


class Rule(_Part):
    """One rule: when it opens a finding, when the finding becomes worse, when it clears."""

    signal: Signal = Field(strict=False)
    severity: Severity = Field(strict=False)
    when: Parsed
    raise_: Raise | None = Field(default=None, alias="raise")
    clear: Parsed
    held_for: Duration | None = None
    k_of_n: KOfN | None = None
    max_age: Duration | None = None
    cooldown: Duration | None = None
    text: Texts
    source: Words
    mark: Mark

    def conditions(self) -> Iterator[tuple[str, Condition]]:
        """Its conditions with the fields they stand in."""
        yield "when", self.when
        if self.raise_ is not None:
            yield "raise", self.raise_.when
        yield "clear", self.clear


class Programme(_Part):
    """A version of the rules for a condition; immutable once a patient is in it."""

    programme: Name
    version: Annotated[int, Field(ge=1, le=1_000_000)]
    title: Texts
    source: Words
    limits: dict[Name, Limit]
    schedule: dict[Name, Schedule] = Field(default_factory=dict[str, Schedule])
    rules: Annotated[dict[Name, Rule], Field(min_length=1, max_length=MOST_RULES)]

    @property
    def hash(self) -> str:
        """The same for the same content, whatever the file's layout and comments."""
        content = json.dumps(self.model_dump(mode="json", by_alias=True), sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    def subject_kinds(self, feature: Feature) -> tuple[str, ...]:
        """The kinds that a feature looks at."""
        if feature.name in NEWS2_FEATURES:
            return NEWS2_KINDS
        if feature.name is FeatureName.MISSED:
            return kinds_of(self.schedule[feature.subject].kind)
        return kinds_of(feature.subject)
