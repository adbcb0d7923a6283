"""What the simulated patients show, beside what was published: `calibration()` lives them and compares."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np

from models.clock import DAY_US, MINUTE_US
from simulators.patients import region
from simulators.patients.bodies import Bodies
from simulators.patients.calendar import midnight_us
from simulators.patients.courses import Courses
from simulators.patients.lives import START, Lives, live
from simulators.patients.parameters import PARAMETERS, Parameters
from simulators.patients.population import Bools, Floats, draw_population
from simulators.patients.published import PUBLISHED, Published
from simulators.patients.region import Mix
from simulators.patients.streams import Purpose, stream

KG_PER_LB = 0.45359237
PATIENTS, DAYS = 2_000, 200
SLOW = frozenset({"fluid_overload", "decompensation_without_gain"})
EXACERBATIONS = frozenset({"exacerbation_bacterial", "exacerbation_viral"})
SOMEBODY_ELSE = 0.003
"""Share of weights that are somebody else's in real homes: of devices, not of bodies, so added here."""
Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Statistic:
    """A published figure and its simulated counterpart."""

    published: Published
    simulated: float

    @property
    def holds(self) -> bool:
        """Whether the simulated figure is near enough."""
        return bool(self.published.low <= self.simulated <= self.published.high)


def calibration(
    seed: int = 11, patients: int = PATIENTS, parameters: Parameters = PARAMETERS
) -> list[Statistic]:
    """Every figure, from fresh lives, in the order of PUBLISHED; takes some seconds."""

    def lives(condition: str, days: int, mornings: Sequence[str] = (), nights: Sequence[str] = ()) -> Lives:
        population = draw_population(seed, patients, Mix({condition: 1.0}, {}), parameters)
        return live(population, days, mornings, nights)

    failing = lives("heart_failure", DAYS, ("body_weight", "systolic", "diastolic", "pulse"))
    lungs = lives("copd", DAYS, ("spo2",), ("heart_rate", "spo2", "fvc"))
    simulated = {
        **_weights(failing),
        **_homes(failing),
        **_exacerbations(lungs),
        **_pressures(lives("hypertension_uncontrolled", 100)),
        **_glucose(seed, parameters),
        **_region(seed, parameters),
    }
    return [Statistic(published, float(simulated[published.name])) for published in PUBLISHED]


def table(statistics: Sequence[Statistic]) -> str:
    """All of it as text: published, simulated, what is tolerated; one line each."""
    name, figure = (max(len(getattr(s.published, of)) for s in statistics) for of in ("name", "figure"))
    lines: list[str] = []
    for condition in dict.fromkeys(s.published.condition for s in statistics):
        lines.append(condition)
        for one in (s for s in statistics if s.published.condition == condition):
            said = one.published
            lines.append(
                f"  {said.name:<{name}}  {said.figure:>{figure}}  {_number(one.simulated):>8}  "
                f"{_number(said.low):>8} to {_number(said.high):<8}{'' if one.holds else 'NOT HELD '}"
                f" {said.source}"
            )
    return "\n".join(lines)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"


def _weights(lives: Lives) -> Figures:
    """Heart failure: what weight does before events and otherwise."""
    before, stable = _before(lives, 14), _stable(lives, 14)
    fluid = {"fluid_overload"}
    last_week = _before(lives, 7, fluid).mean()
    lengths = [(event.worst_us - event.onset_us) / DAY_US for _, event in lives.events(fluid)]
    return {
        "weight before events, mean change in 14 days, kg": before.mean(),
        "weight before events, SD of that, kg": before.std(),
        "weight before events, share of changes below 1 kg": (before < 1.0).mean(),
        "weight otherwise, mean change in 14 days, kg": stable.mean(),
        "weight otherwise, SD of that, kg": stable.std(),
        **_odds(lives),
        "gain of the last week over that of the week before": last_week
        / (_before(lives, 14, fluid).mean() - last_week),
        "gain begins before its worst, longest, days": float(np.max(lengths)),
        "7-day mean drifts over 2 kg, share of the stable": _drifting(lives),
        "events per patient-year": len(lives.labels) / (len(lives.population) * lives.days / 365),
    }


def _homes(lives: Lives) -> Figures:
    """How people with heart failure measure at home, and how their readings scatter."""
    weekly = 7 * (~np.isnan(lives.mornings["body_weight"])).mean(axis=0)
    well = ~lives.unwell.any(axis=0) & (lives.population.adherence > 0.5)
    scatter = {kind: np.nanstd(readings[:, well], axis=0).mean() for kind, readings in lives.mornings.items()}
    return {
        "three weights a week or more, share of people": (weekly >= 3).mean(),
        "SD of systolic at home, mmHg": scatter["systolic"],
        "SD of diastolic at home, mmHg": scatter["diastolic"],
        "SD of heart rate at home, /min": scatter["pulse"],
        "cuffs that are off by 5 mmHg or more, share": (np.abs(lives.population.cuff_bias) >= 5).mean(),
    }


def _exacerbations(lives: Lives) -> Figures:
    """COPD: how exacerbations announce themselves, and how well two signs agree with them."""
    unseen = [event.detectable_at_us is None for _, event in lives.events(EXACERBATIONS)]
    fvc = lives.nights["fvc"]
    own_sd = np.nanstd(np.where(lives.unwell, np.nan, fvc), axis=0)
    sums = np.cumsum(np.vstack([np.zeros((1, fvc.shape[1])), fvc]), axis=0)
    below = np.zeros(fvc.shape, np.bool_)
    # Against the mean of seven days a week ago, lest what is falling be its own measure.
    week_ago = (sums[8:-7] - sums[1:-14])[: len(fvc) - 14] / 7
    below[14:] = fvc[14:] < week_ago - 1.645 * own_sd
    twice = below.copy()
    twice[1:] &= below[:-1]
    return {
        "exacerbations without any signal, share": float(np.mean(unseen)),
        "overnight heart rate changes ahead, days": _days_ahead(lives, lives.nights["heart_rate"], 2.0),
        "overnight saturation changes ahead, days": _days_ahead(lives, lives.nights["spo2"], -0.6),
        "saturation below 90 % agrees with events, κ": _kappa(lives, lives.mornings["spo2"] < 90),
        "FVC below its mean − 1.645 SD agrees with events, κ": _kappa(lives, twice),
    }


def _pressures(lives: Lives) -> Figures:
    """Hypertension: 174 patients for 207 days sent 30,184 measurements, which gave 17,293 alerts."""
    days = len(lives.population) * lives.days
    return {
        "measurements per patient-day": lives.pressures.sum() / days,
        "measurements of 135/85 or more per patient-day": lives.high_pressures.sum() / days,
    }


def _glucose(seed: int, parameters: Parameters, patients: int = 300, days: int = 28) -> Figures:
    """Diabetes: the time that levels spend where they should be, looked at each hour."""
    population = draw_population(seed, patients, Mix({"diabetes": 1.0}, {}), parameters)
    courses = Courses(population)
    bodies, rows = Bodies(population, courses), np.arange(patients)
    levels: list[Floats] = []
    for day in range(days):
        begin_us = midnight_us(START, day)
        courses.begin_day(day, begin_us, np.ones(patients, np.bool_))
        bodies.next_day(day, begin_us)
        for minute in range(0, 1440, 60):
            at_us = np.full(patients, begin_us + minute * MINUTE_US)
            levels.append(bodies.level("glucose", bodies.at(rows, at_us)))
    glucose = np.array(levels)
    return {
        "mean glucose, mmol/L": glucose.mean(),
        "glucose, share of time from 3.9 to 10 mmol/L": ((glucose >= 3.9) & (glucose <= 10)).mean(),
        "glucose, share of time below 3.9 mmol/L": (glucose < 3.9).mean(),
        "glucose, share of time above 13.9 mmol/L": (glucose > 13.9).mean(),
        "coefficient of variation within a person": (glucose.std(axis=0) / glucose.mean(axis=0)).mean(),
    }


def _region(seed: int, parameters: Parameters, patients: int = 1_500, days: int = 14) -> Figures:
    """The region: its size, who is followed, how much they send."""
    lives = live(draw_population(seed, patients, region.region_mix(), parameters), days)
    return {
        "people": region.people().sum(),
        "municipalities": len(region.MUNICIPALITIES),
        "wijken": len(region.wijk_codes()),
        "patients who are followed": region.patients(),
        "readings per patient-day": lives.readings.sum() / (patients * days),
    }


def _stable(lives: Lives, days: int) -> Floats:
    """Changes of weight over so many days with nothing planted in between."""
    weight = lives.mornings["body_weight"]
    well = np.array([~lives.unwell[day : day + days + 1].any(axis=0) for day in range(lives.days - days)])
    change = weight[days:] - weight[:-days]
    return change[well & ~np.isnan(change)]


def _before(lives: Lives, days: int, kinds: AbstractSet[str] = SLOW) -> Floats:
    """Changes of weight over so many days up to the morning after the worst of what comes slowly."""
    weight, found = lives.mornings["body_weight"], list[float]()
    for row, event in lives.events(kinds):
        day = lives.day_of(event.worst_us) + 1
        if days <= day < lives.days:
            found.append(float(weight[day, row] - weight[day - days, row]))
    changes = np.array(found)
    return changes[~np.isnan(changes)]


def _odds(lives: Lives) -> Figures:
    """Odds of an event by what was gained in the week before, in pounds."""
    stable = _with_others(_stable(lives, 7), lives.population.seed) / KG_PER_LB
    before = _before(lives, 7) / KG_PER_LB

    def odds(change: Floats, low: float, high: float) -> float:
        within = (change > low) & (change <= high)
        return float(within.sum() + 0.5) / float((change <= 2).sum())

    return {
        f"odds ratio of an event, gain in a week {name} lb": odds(before, low, high) / odds(stable, low, high)
        for name, low, high in ((">2 to 5", 2, 5), (">5 to 10", 5, 10), (">10", 10, np.inf))
    }


def _with_others(changes: Floats, seed: int) -> Floats:
    """At either end of the week somebody else may have stood on the scale, 15 to 40 % heavier or lighter."""
    uniform = stream(seed, Purpose.CALIBRATION).random((len(changes), 3))
    away = 83 * (0.15 + 0.25 * uniform[:, 1]) * np.where(uniform[:, 2] < 0.5, -1, 1)
    return np.where(uniform[:, 0] < 2 * SOMEBODY_ELSE, changes + away, changes)


def _drifting(lives: Lives) -> float:
    """Share of the stable whose 7-day means come more than 2 kg apart within half a year."""
    half_a_year = 168
    stable = ~lives.unwell[:half_a_year].any(axis=0) & (lives.population.adherence > 0.5)
    weight = lives.mornings["body_weight"][:half_a_year, stable]
    there = ~np.isnan(weight)
    filled = np.where(there, weight, 0.0)
    weeks, counts = (
        np.array([values[day : day + 7].sum(axis=0) for day in range(half_a_year - 6)])
        for values in (filled, there)
    )
    # A mean of one weighing is none.
    means = np.where(counts >= 3, weeks / np.maximum(counts, 1), np.nan)
    return float((np.nanmax(means, axis=0) - np.nanmin(means, axis=0) > 2).mean())


def _days_ahead(lives: Lives, nights: Floats, away: float) -> int:
    """How long before the worst the mean of all has moved for good, by `away` or more."""
    worst = [(row, lives.day_of(event.worst_us)) for row, event in lives.events(EXACERBATIONS)]
    worst = [(row, day) for row, day in worst if 45 < day < lives.days]
    usual = np.array([nights[day - 40 : day - 20, row].mean() for row, day in worst])
    for ahead in range(1, 20):
        there = np.array([nights[day - ahead, row] for row, day in worst])
        if np.sign(away) * (there - usual).mean() < abs(away):
            return ahead - 1
    return 20


def _kappa(lives: Lives, flags: Bools) -> float:
    """Cohen's κ of a sign within the week and events: weeks up to the worst, and as many of the stable."""
    weeks = [(row, lives.day_of(event.worst_us)) for row, event in lives.events(EXACERBATIONS)]
    found = [bool(flags[day - 6 : day + 1, row].any()) for row, day in weeks if 21 < day < lives.days]
    chance = stream(lives.population.seed, Purpose.CALIBRATION)
    false: list[bool] = []
    for _ in range(50 * len(found)):
        row = int(chance.integers(0, len(lives.population)))
        day = int(chance.integers(21, lives.days - 8))
        if not lives.unwell[day - 7 : day + 8, row].any():
            false.append(bool(flags[day - 6 : day + 1, row].any()))
        if len(false) == len(found):
            break
    # With as many of each, half of the agreement is by chance.
    return float(np.mean(found) - np.mean(false))
