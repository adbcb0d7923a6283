"""What a scenario's file says: who is simulated, what they do, what goes wrong, what is planted."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import date, time
from typing import Annotated, Any, Self, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from models.errors import BadInput
from models.findings import Signal
from models.labels import About
from simulators.devices.display import VENDORS
from simulators.devices.trouble import Rates
from simulators.patients.condition import CHANNELS
from simulators.patients.conditions import CONDITIONS
from simulators.patients.habits import Habits
from simulators.patients.parameters import GROUPS
from simulators.scenarios.toml_files import inline

MOST_PATIENTS = 1_000_000
LONGEST_DAYS = 3_650
TIMES = "times"
"""In `trouble`: how often all that can go wrong does, beside what is usual."""
DEFAULT_START = date(2026, 3, 2)
"""A Monday, so that two runs without dates are the same run; the clocks go forward in its fourth week."""
EARLIEST_START, LATEST_START = date(2000, 1, 1), date(2100, 1, 1)
CONDITION_NAMES = tuple(condition.name for condition in CONDITIONS)
RATES = tuple(field.name for field in fields(Rates))

Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(ge=0, le=1_000)]


def _from_and_to(given: object) -> tuple[float, float]:
    """A number, or two of which the second is not smaller, as from and to."""
    both = cast("list[object]", given) if isinstance(given, list) else [given, given]
    numbers = [one for one in both if type(one) in (int, float)]
    low, high = (*map(float, cast("list[float]", numbers)), math.nan, math.nan)[:2]
    if len(both) != 2 or not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise PydanticCustomError("between", "a number, or from and to as [1.0, 2.5]")
    return low, high


def _days(given: tuple[float, float]) -> tuple[float, float]:
    if given[0] < 0 or given[1] > LONGEST_DAYS:
        raise PydanticCustomError("days", "days from 0 to {longest}", {"longest": LONGEST_DAYS})
    return given


def _one_of(names: Collection[str]) -> AfterValidator:
    """Lets only these names through: of a file, whatever else is wrong with it, each wrong name is told."""

    def check(given: str) -> str:
        if given not in names:
            raise PydanticCustomError("one_of", "one of {names}", {"names": ", ".join(names)})
        return given

    return AfterValidator(check)


Between = Annotated[tuple[float, float], BeforeValidator(_from_and_to)]
"""Of which each patient gets an amount of their own."""
Span = Annotated[Between, AfterValidator(_days)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Start = Annotated[date, Field(ge=EARLIEST_START, le=LATEST_START)]
ConditionName = Annotated[str, _one_of(CONDITION_NAMES)]
Channel = Annotated[str, _one_of(CHANNELS)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Region(_Part):
    """The whole region, or a part of it, instead of a number of patients."""

    scale: Annotated[float, Field(gt=0, le=1)]


class People(_Part):
    """What people do; left out, as usual. The fields are those of `Habits`."""

    fading: Share | None = None
    lapses_per_year: Rate | None = None
    late: Share | None = None
    journeys_per_year: Rate | None = None
    announced: Share | None = None
    leaves_per_year: Rate | None = None
    answers_in_time: Share | None = None
    answers_late: Share | None = None

    @property
    def habits(self) -> Habits:
        """With what is usual where nothing is said."""
        return Habits(**self.model_dump(exclude_none=True))


class OutageAt(_Part):
    """A vendor that is away. **Units**: `day` counts from 0, `at` is at home."""

    vendor: Annotated[str, _one_of(VENDORS)]
    day: Annotated[int, Field(ge=0, lt=LONGEST_DAYS)]
    at: time
    hours: Annotated[float, Field(gt=0, le=24 * 14)]


class PlantedEvent(_Part):
    """An event that the file plants: one that is known by its `kind`, or an own one with an effect.

    Numbers may be two, from and to, of which each patient gets their own. `patients` counts from 0;
    without it `share` of all, or of those with `condition`.

    **Units**: days; effects as in `condition.Effect`.
    """

    kind: Name
    day: Annotated[int, Field(ge=0, lt=LONGEST_DAYS)]
    at: time = time(0)
    patients: Annotated[list[Annotated[int, Field(ge=0, lt=MOST_PATIENTS)]], Field(min_length=1)] | None = (
        None
    )
    condition: ConditionName | None = None
    share: Share = 1.0
    effect: dict[Channel, Between] = {}
    rise_days: Span = (3.0, 3.0)
    hold_days: Span = (1.0, 1.0)
    fall_days: Span = (3.0, 3.0)
    admitted_days: Span | None = None
    early: Share = 0.0
    signals: list[Signal] = []
    about: About = About.PATIENT

    def of_first(self, patients: int | None) -> Self:
        """The same in those of the first so many patients (None: all) that it is about."""
        if self.patients is None or patients is None:
            return self
        return self.model_copy(update={"patients": [row for row in self.patients if row < patients]})


class Description(_Part):
    """A scenario as its file says it. `name`: left out, the file's."""

    name: str = ""
    about: Annotated[str, Field(min_length=1, max_length=200)]
    start: Start = DEFAULT_START
    days: Annotated[int, Field(ge=1, le=LONGEST_DAYS)] = 30
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 7
    patients: Annotated[int, Field(ge=1, le=MOST_PATIENTS)] | None = None
    region: Region | None = None
    conditions: dict[ConditionName, Share] = {}
    comorbidity: dict[str, Share] = {}
    worn: Share = 1.0
    """How many of the sensors that measure by the minute are worn; the others' patients measure by hand."""
    deteriorations: Rate = 1.0
    people: People = People()
    trouble: dict[Annotated[str, _one_of((TIMES, *RATES))], Rate] = {}
    vary: dict[Annotated[str, _one_of(GROUPS)], Annotated[float, Field(gt=0, le=10)]] = {}
    outage: list[OutageAt] = []
    event: list[PlantedEvent] = []

    @property
    def rates(self) -> Rates:
        """How often something goes wrong: so many times as usual, but for what is said by its name."""
        usual = Rates().times(self.trouble.get(TIMES, 1.0))
        return replace(usual, **{name: rate for name, rate in self.trouble.items() if name != TIMES})

    def trimmed(self) -> Self:
        """Without what lies beyond its last day, or is about patients beyond its last one."""
        events = [one.of_first(self.patients) for one in self.event if one.day < self.days]
        # Nobody is left where a list of patients is empty: a file that says so would be refused.
        events = [one for one in events if one.patients != []]
        outages = [one for one in self.outage if one.day < self.days]
        return self.model_copy(update={"event": events, "outage": outages})

    def lines(self) -> list[str]:
        """A file that says the same, line by line."""
        # What every scenario has is there whatever is usual one day; of all else what is not usual now.
        always = self.model_dump(mode="json", include={"name", "about", "start", "days", "seed"})
        content = always | self.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
        return [f"{name} = {inline(value)}" for name, value in content.items()]

    def changed(self, trouble: Sequence[str] = (), **fields: Any) -> Self:
        """With other values where they are given; `trouble` as NAME=SHARE. **Raises**: BadInput."""
        given: Mapping[str, Any] = {name: value for name, value in fields.items() if value is not None}
        start = given.get("start", self.start)
        if not EARLIEST_START <= start <= LATEST_START:
            expected = f"a day from {EARLIEST_START} to {LATEST_START}"
            raise BadInput(where="start", expected=expected, found=str(start))
        if trouble:
            rates = self.rates.changed(tuple(trouble))
            given = {**given, "trouble": asdict(rates)}
        return self.model_copy(update=given)
