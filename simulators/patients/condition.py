"""A condition as a readable model: what its patients are like, by which machine they get worse and better."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum, unique
from typing import Final


@unique
class State(StrEnum):
    """Where a patient stands in a condition."""

    STABLE = "stable"
    DETERIORATING = "deteriorating"
    TREATED = "treated"
    ADMITTED = "admitted"
    RECOVERING = "recovering"


@dataclass(frozen=True, slots=True)
class Trait:
    """How a quantity differs between patients: normal, cut off where it would no longer be believed."""

    mean: float
    sd: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Range:
    """A quantity that is drawn uniformly; with `skew` small amounts are more frequent than large ones.

    `absolute`: not by how much a level changes, but where it goes, whatever it was.
    """

    low: float
    high: float
    skew: bool = False
    absolute: bool = False


NONE = Range(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Effect:
    """How far an event moves what is measured at its worst.

    **Units**: those of the kind; lung function and steps as a share of the patient's own; answers in steps
    of their closed list (none 0 … severe 3; no 0, yes 1; alert 0, new confusion 1).
    """

    body_weight: Range = NONE
    systolic: Range = NONE
    diastolic: Range = NONE
    heart_rate: Range = NONE
    spo2: Range = NONE
    respiratory_rate: Range = NONE
    temperature: Range = NONE
    glucose: Range = NONE
    lung_function: Range = NONE
    steps: Range = NONE
    consciousness: Range = NONE
    symptom_dyspnoea: Range = NONE
    symptom_oedema: Range = NONE
    symptom_chest_pain: Range = NONE
    symptom_headache: Range = NONE
    symptom_vision: Range = NONE
    symptom_neurological: Range = NONE
    symptom_cough: Range = NONE
    symptom_sputum: Range = NONE
    symptom_purulence: Range = NONE
    symptom_wheeze: Range = NONE
    symptom_cold: Range = NONE
    symptom_fever: Range = NONE
    symptom_dizziness: Range = NONE
    symptom_fatigue: Range = NONE


CHANNELS: Final = tuple(field.name for field in fields(Effect))
"""What an event can move; an index into these is a channel's number."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A state on the way through an event: how long, how bad at its end, what follows with which share.

    `hold_days`: so long it stays as bad as it got. `begins` (of `treated`): after which share of the time to
    the worst somebody steps in; 1 is at the worst. `to`: what is left, at its end, of how bad it was at its
    beginning; who does not respond goes on to the worst whatever it says.

    **Units**: days.
    """

    days: Range
    then: Mapping[State, float]
    to: float = 1.0
    hold_days: Range = NONE
    begins: Range = Range(1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Event:
    """One way of getting worse: its machine, what it moves, which signals speak of it.

    It begins with `deteriorating` and is over when `stable` is reached. The course reaches `early` of the
    effect a week before its worst and diverges in that last week; one that rises in less than two weeks has
    less of an early part, in less than one none. `silent` of them show no sign whatever.

    **Units**: `rest_days` is how long it takes at least until this patient's next event of the condition.
    """

    name: str
    share: float
    phases: Mapping[State, Phase]
    effect: Effect
    signals: tuple[str, ...]
    early: float = 0.0
    silent: float = 0.0
    rest_days: float = 30.0


@dataclass(frozen=True, slots=True)
class Noise:
    """What varies without meaning anything: from day to day (with memory) and from one reading to the next.

    **Units**: those of the kind; lung function, steps and a glucose meter's reading as a share.
    """

    weight_day: float = 0.40
    systolic_day: float = 6.0
    diastolic_day: float = 5.6
    heart_rate_day: float = 5.5
    spo2_day: float = 0.5
    respiratory_rate_day: float = 1.0
    temperature_day: float = 0.15
    glucose_day: float = 0.7
    lung_function_day: float = 0.035
    steps_day: float = 0.20
    systolic_reading: float = 4.66
    diastolic_reading: float = 4.36
    heart_rate_reading: float = 4.8
    spo2_reading: float = 0.8
    respiratory_rate_reading: float = 1.2
    temperature_reading: float = 0.12
    glucose_reading: float = 0.05
    lung_function_reading: float = 0.035


@dataclass(frozen=True, slots=True)
class Adherence:
    """On which share of days people measure: most are regular, some are not."""

    regular_share: float = 0.74
    regular: Range = Range(0.55, 0.99)
    irregular: Range = Range(0.05, 0.40)


@dataclass(frozen=True, slots=True)
class Devices:
    """Which share of the patients has which device; questions are asked of all."""

    scale: float = 0.0
    cuff: float = 0.0
    oximeter: float = 0.0
    thermometer: float = 0.0
    meter: float = 0.0
    sensor: float = 0.0
    spirometer: float = 0.0
    wearable: float = 0.0


@dataclass(frozen=True, slots=True)
class Condition:
    """Who the patients are, how they vary, in which ways and how often they get worse.

    **Units**: those of the kinds; `meal_rise` in mmol/L, `peak_flow` in L/min. Defaults are
    a healthy person's.
    """

    name: str
    programme: str
    events_per_year: float
    events: tuple[Event, ...]
    devices: Devices
    weight: Trait = Trait(82, 15, 45, 150)
    systolic: Trait = Trait(126, 10, 104, 150)
    diastolic: Trait = Trait(75, 7, 56, 92)
    heart_rate: Trait = Trait(71, 7, 56, 90)
    spo2: Trait = Trait(96.8, 0.8, 94, 99)
    respiratory_rate: Trait = Trait(15, 1.5, 12, 19)
    temperature: Trait = Trait(36.6, 0.2, 36.1, 37.1)
    glucose: Trait = Trait(5.3, 0.4, 4.4, 6.2)
    meal_rise: Trait = Trait(1.8, 0.4, 0.8, 3.0)
    peak_flow: Trait = Trait(430, 70, 250, 650)
    steps: Trait = Trait(5_500, 2_000, 1_200, 14_000)
    weight_wander: Range = Range(0.3, 1.2)
    noise: Noise = Noise()
    adherence: Adherence = Adherence()
    readings_per_session: int = 1
    evening_too: bool = False
    questions: tuple[str, ...] = field(default=())
    questions_every_days: int = 7
