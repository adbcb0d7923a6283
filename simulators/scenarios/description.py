"""What a scenario's file says: who is simulated, what they do, what goes wrong, what is planted."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, time
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from alerting.yaml_files import Problem
from models.findings import Signal
from models.labels import About
from simulators.devices.trouble import Rates
from simulators.patients.condition import CHANNELS, Range
from simulators.patients.conditions import CONDITIONS
from simulators.patients.habits import Habits
from simulators.patients.parameters import GROUPS

MOST_PATIENTS = 1_000_000
LONGEST_DAYS = 3_650
TIMES = "times"
"""In `trouble`: how often all that can go wrong does, beside what is usual."""
DEFAULT_START = date(2026, 3, 2)
"""A Monday, so that two runs without dates are the same run; the clocks go forward in its fourth week."""

Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(ge=0, le=1_000)]
Days = Annotated[float, Field(ge=0, le=LONGEST_DAYS)]
Between = tuple[float, float]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


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

    vendor: Annotated[str, Field(min_length=1)]
    day: Annotated[int, Field(ge=0, lt=LONGEST_DAYS)]
    at: time
    hours: Annotated[float, Field(gt=0, le=24 * 14)]


class PlantedEvent(_Part):
    """An event that the file plants: one that is known by its `kind`, or an own one with an effect.

    Numbers may be a pair, from and to, of which each patient gets their own. `patients` counts from 0;
    without it `share` of all, or of those with `condition`.

    **Units**: days; effects as in `condition.Effect`.
    """

    kind: Name
    day: Annotated[int, Field(ge=0, lt=LONGEST_DAYS)]
    at: time = time(0)
    patients: list[Annotated[int, Field(ge=0, lt=MOST_PATIENTS)]] | None = None
    condition: str | None = None
    share: Share = 1.0
    effect: dict[str, float | Between] = {}
    rise_days: Days | Between = 3.0
    hold_days: Days | Between = 1.0
    fall_days: Days | Between = 3.0
    admitted_days: Days | Between | None = None
    early: Share = 0.0
    signals: list[Signal] = []
    about: About = About.PATIENT


class Description(_Part):
    """A scenario as its file says it. `name`: left out, the file's."""

    name: str = ""
    about: Annotated[str, Field(min_length=1, max_length=200)]
    start: date = DEFAULT_START
    days: Annotated[int, Field(ge=1, le=LONGEST_DAYS)] = 30
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 7
    patients: Annotated[int, Field(ge=1, le=MOST_PATIENTS)] | None = None
    region: Region | None = None
    conditions: dict[str, Share] = {}
    comorbidity: dict[str, Share] = {}
    deteriorations: Rate = 1.0
    people: People = People()
    trouble: dict[str, Rate] = {}
    vary: dict[str, Annotated[float, Field(gt=0, le=10)]] = {}
    outage: list[OutageAt] = []
    event: list[PlantedEvent] = []

    @property
    def rates(self) -> Rates:
        """How often something goes wrong: so many times as usual, but for what is said by its name."""
        usual = Rates().times(self.trouble.get(TIMES, 1.0))
        return replace(usual, **{name: rate for name, rate in self.trouble.items() if name != TIMES})

    def changed(self, trouble: Sequence[str] = (), **fields: Any) -> Self:
        """With other values where they are given; `trouble` as NAME=SHARE. **Raises**: BadInput."""
        given: Mapping[str, Any] = {name: value for name, value in fields.items() if value is not None}
        if trouble:
            rates = self.rates.changed(tuple(trouble))
            given = {**given, "trouble": asdict(rates)}
        return self.model_copy(update=given)
