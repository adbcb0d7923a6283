"""A condition as a readable model: what its patients are like, and in which ways they get worse."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Trait:
    """How a quantity differs between patients: normal, cut off where it would no longer be believed."""

    mean: float
    sd: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Range:
    """A quantity that is drawn uniformly; with `skew` small amounts are more frequent than large ones."""

    low: float
    high: float
    skew: bool = False


NONE = Range(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Effect:
    """How far a deterioration moves what is measured at its worst."""

    weight_kg: Range = NONE
    systolic: Range = NONE
    diastolic: Range = NONE
    heart_rate: Range = NONE
    spo2: Range = NONE
    dyspnoea: Range = NONE


@dataclass(frozen=True, slots=True)
class Deterioration:
    """One way of getting worse: how it begins, lasts and ends, what it moves, what should notice it.

    **Units**: days. The course reaches `early` of its effect a week before its worst and diverges in that
    last week; one that rises in less than a week has no early part.
    """

    name: str
    share: float
    rise_days: Range
    hold_days: Range
    fall_days: Range
    early: float
    effect: Effect
    signals: tuple[str, ...]
    admitted: float = 0.0


@dataclass(frozen=True, slots=True)
class Condition:
    """Who the patients are and how they vary from day to day and from one reading to the next.

    **Units**: kg, mmHg, beats per minute, %. Day-to-day values wander around the patient's own level
    (autoregressive); reading SDs come on top for each reading.
    """

    programme: str
    deteriorations_per_year: float
    deteriorations: tuple[Deterioration, ...]
    weight: Trait
    systolic: Trait
    diastolic: Trait
    heart_rate: Trait
    spo2: Trait
    weight_wander: Range
    weight_day_sd: float = 0.40
    pressure_day_sd: tuple[float, float] = (6.0, 5.6)
    pressure_reading_sd: tuple[float, float] = (4.66, 4.36)
    heart_rate_day_sd: float = 5.5
    heart_rate_reading_sd: float = 4.8
    spo2_reading_sd: float = 0.8
    readings_per_session: int = 1
    evening_too: bool = False
    has_scale: float = 1.0
    has_oximeter: float = 0.0
    questions: tuple[str, ...] = field(default=())
