"""What was published about such patients, each figure beside what the simulated ones show.

One function for each cohort; `calibration()` lives them all and gives every row. What has no published figure
(diabetes but for its target, frail elderly, hospital at home) is our own proposal and is not listed.
"""

from collections.abc import Iterator, Sequence, Set
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
from simulators.patients.region import Mix
from simulators.patients.streams import Purpose, stream

KG_PER_LB = 0.45359237
PATIENTS, DAYS = 2_000, 200
SLOW_KINDS = frozenset({"fluid_overload", "decompensation_without_gain"})
SOMEBODY_ELSE = 0.003
"""Share of weights that are somebody else's in real homes: in devices, not in bodies, so added here."""


@dataclass(frozen=True, slots=True)
class Statistic:
    """One published figure and its simulated counterpart; `low` and `high` are what is tolerated, and why."""

    condition: str
    name: str
    published: str
    source: str
    low: float
    high: float
    why: str
    simulated: float

    @property
    def holds(self) -> bool:
        """Whether the simulated figure is near enough."""
        return bool(self.low <= self.simulated <= self.high)


def calibration(
    seed: int = 11, patients: int = PATIENTS, parameters: Parameters = PARAMETERS
) -> list[Statistic]:
    """Every statistic, from fresh lives; takes some seconds."""

    def lives(condition: str, days: int, mornings: Sequence[str], nights: Sequence[str] = ()) -> Lives:
        population = draw_population(seed, patients, Mix({condition: 1.0}, {}), parameters)
        return live(population, days, mornings, nights)

    failing = lives("heart_failure", DAYS, ("body_weight", "systolic", "diastolic", "pulse"))
    lungs = lives("copd", DAYS, ("spo2", "symptom_dyspnoea"), ("heart_rate", "spo2", "fvc"))
    pressures = lives("hypertension_uncontrolled", 100, ())
    return [
        *weights(failing),
        *homes(failing),
        *exacerbations(lungs),
        *agreement(lungs),
        *dutch_cohort(pressures),
        *sugar(seed, parameters),
        *the_region(seed, parameters),
    ]


def weights(lives: Lives) -> Iterator[Statistic]:
    """Heart failure: what weight does before events and otherwise."""

    def row(name: str, published: str, source: str, low: float, high: float, why: str, value: float) -> Statistic:
        return Statistic("heart_failure", name, published, source, low, high, why, float(value))

    before, stable = _before(lives, 14), _stable(lives, 14)
    cohort = "one draw of some 200 events; the source has as many patients"
    yield row("weight before events, mean change in 14 days, kg", "0.9", "Zhang 2009", 0.5, 1.4, cohort, before.mean())
    yield row("  its SD, kg", "2.1", "Zhang 2009", 1.6, 2.6, cohort, before.std())
    yield row(
        "  share below 1 kg", "0.52", "Zhang 2009, were it normal", 0.42, 0.70, "gains are skewed: many come without",
        (before < 1.0).mean(),
    )  # fmt: skip
    yield row(
        "weight otherwise, mean change in 14 days, kg", "-0.2", "Zhang 2009", -0.3, 0.1,
        "the source begins at discharge, when weight still falls", stable.mean(),
    )  # fmt: skip
    yield row("  its SD, kg", "1.1", "Zhang 2009", 0.9, 1.3, "sources of 74 to 168 patients", stable.std())
    yield from _odds(lives)
    fluid = {"fluid_overload"}
    week = _before(lives, 7, fluid).mean()
    earlier = _before(lives, 14, fluid).mean() - week
    yield row(
        "gain of the last week over that of the week before", "diverges in the last week", "Chaudhry 2007",
        1.5, 20.0, "said in words; here from a hundred events that scatter by 2 kg", week / earlier,
    )  # fmt: skip
    begins = [(e.worst_us - e.onset_us) / DAY_US for _, e in lives.events({"fluid_overload"})]
    yield row(
        "gain begins before its worst, days, longest", "about 30", "Chaudhry 2007", 26, 35,
        "three days more for who does not respond", max(begins),
    )  # fmt: skip
    yield row(
        "7-day mean drifts over 2 kg, share of the stable", "0.75", "Ledwidge 2013", 0.63, 0.87,
        "87 patients, over months that are not stated; half a year here", _drifting(lives),
    )  # fmt: skip
    yield row(
        "events per patient-year", "0.16 to 0.97", "by cohort", 0.16, 0.97, "as published",
        len(lives.labels) / (len(lives.population) * lives.days / 365),
    )  # fmt: skip


def homes(lives: Lives) -> Iterator[Statistic]:
    """How people with heart failure measure at home, and what their readings scatter like."""
    source = "published for home measuring"
    weekly = 7 * (~np.isnan(lives.mornings["body_weight"])).mean(axis=0)
    yield Statistic(
        "heart_failure", "three weights a week or more, share of patients", "0.74", "e-Vita HF", 0.70, 0.78,
        "a draw of 2,000", float((weekly >= 3).mean()),
    )  # fmt: skip
    well = ~lives.unwell.any(axis=0) & (lives.population.adherence > 0.5)
    for kind, name, sd in (
        ("systolic", "systolic", 7.6), ("diastolic", "diastolic", 7.1), ("pulse", "heart rate", 7.3)
    ):  # fmt: skip
        scatter = float(np.nanstd(lives.mornings[kind][:, well], axis=0).mean())
        why = "within a person, who was well and measured mostly"
        yield Statistic(
            "heart_failure", f"SD of {name} at home", str(sd), source, sd - 0.5, sd + 0.5, why, scatter
        )
    off = float((np.abs(lives.population.cuff_bias) >= 5).mean())
    yield Statistic(
        "heart_failure", "cuffs that are off by 5 mmHg or more", "0.30", source, 0.26, 0.34, "a draw of 2,000", off
    )  # fmt: skip


def exacerbations(lives: Lives) -> Iterator[Statistic]:
    """COPD: how exacerbations announce themselves."""
    events = lives.events({"exacerbation_bacterial", "exacerbation_viral"})
    unseen = float(np.mean([event.detectable_at_us is None for _, event in events]))
    yield Statistic(
        "copd", "exacerbations without any signal", "0.20", "telemonitoring studies", 0.15, 0.27,
        "one draw; some of the others stay below what can be seen", unseen,
    )  # fmt: skip
    for kind, name, away in (("heart_rate", "heart rate", 2.0), ("spo2", "saturation", -0.6)):
        days = _days_ahead(lives, lives.nights[kind], away)
        yield Statistic(
            "copd", f"overnight {name} changes so many days ahead", "about 7", "Al Rajeh 2020", 4, 10,
            "the group's mean, before the worst; a few patients in the source", days,
        )  # fmt: skip


def agreement(lives: Lives) -> Iterator[Statistic]:
    """COPD: how well two signs agree with events, weeks up to the worst against as many weeks of the stable."""
    low = lives.mornings["spo2"] < 90
    yield Statistic(
        "copd", "saturation below 90 % agrees with events, κ", "0.47 to 0.56", "Cooper 2020", 0.42, 0.62,
        "what makes a pair of weeks is not stated", _kappa(lives, low),
    )  # fmt: skip
    fvc = lives.nights["fvc"]
    own_sd = np.nanstd(np.where(lives.unwell, np.nan, fvc), axis=0)
    sums = np.cumsum(np.vstack([np.zeros((1, fvc.shape[1])), fvc]), axis=0)
    below = np.zeros(fvc.shape, np.bool_)
    # Against the mean of the seven days a week ago, lest what is falling be its own measure.
    below[14:] = fvc[14:] < (sums[8:-7] - sums[1:-14])[: len(fvc) - 14] / 7 - 1.645 * own_sd
    twice = below.copy()
    twice[1:] &= below[:-1]
    yield Statistic(
        "copd", "FVC below its mean − 1.645 SD agrees with events, κ", "0.75", "Cooper 2020", 0.55, 0.80,
        "one event in five has no sign, so 0.80 is the most; two days in a row here", _kappa(lives, twice),
    )  # fmt: skip


def dutch_cohort(lives: Lives) -> Iterator[Statistic]:
    """Hypertension: 174 patients for 207 days, 30,184 measurements, 17,293 alerts."""
    days = len(lives.population) * lives.days
    name = "hypertension_uncontrolled"
    yield Statistic(
        name, "measurements per patient-day", "0.84", "Dutch programme, 174 patients", 0.81, 0.87,
        "a draw", float(lives.rounds.sum() / days),
    )  # fmt: skip
    yield Statistic(
        name, "measurements of at least 135 or 85 per patient-day", "0.48 alerts", "the same", 0.44, 0.52,
        "an alert for each such measurement", float(lives.above.sum() / days),
    )  # fmt: skip


def sugar(seed: int, parameters: Parameters) -> Iterator[Statistic]:
    """Diabetes: no statistic of a population is at hand, but a target that most come near."""
    population = draw_population(seed, 300, Mix({"diabetes": 1.0}, {}), parameters)
    courses = Courses(population)
    bodies, everybody = Bodies(population, courses), np.arange(300)
    levels: list[Floats] = []
    for day in range(28):
        begin_us = midnight_us(START, day)
        courses.begin_day(day, begin_us, np.ones(300, np.bool_))
        bodies.next_day(day, begin_us)
        for minute in range(0, 1440, 60):
            at_us = np.full(300, begin_us + minute * MINUTE_US)
            levels.append(bodies.level("glucose", bodies.at(everybody, at_us)))
    glucose = np.array(levels)
    yield Statistic(
        "diabetes", "share of time from 3.9 to 10 mmol/L", "target above 0.70", "Battelino 2023", 0.58, 0.80,
        "a target, not a population: who is followed is about there", float(((glucose >= 3.9) & (glucose <= 10)).mean()),
    )  # fmt: skip
    yield Statistic(
        "diabetes", "share of time below 3.9 mmol/L", "target below 0.04", "Battelino 2023", 0.001, 0.04,
        "a target; all of it is planted", float((glucose < 3.9).mean()),
    )  # fmt: skip


def the_region(seed: int, parameters: Parameters) -> Iterator[Statistic]:
    """The region: its size, who is followed, how much they send."""
    plan = "the region's plan"
    people = int(region.people().sum())
    yield Statistic("region", "people", "852,000", plan, 852_000, 852_000, "exactly", people)
    wijken = len(region.wijk_codes())
    yield Statistic("region", "wijken", "78", plan, 78, 78, "exactly", wijken)
    yield Statistic("region", "municipalities", "5", plan, 5, 5, "exactly", len(region.MUNICIPALITIES))
    yield Statistic(
        "region", "patients who are followed", "40,000", "sized by", 36_000, 46_000, "a proposal", region.patients()
    )  # fmt: skip
    population = draw_population(seed, 1_500, region.region_mix(), parameters)
    lives = live(population, 14, ())
    yield Statistic(
        "region", "readings per patient and day", "1 to 10", "home measurers; a region-year of 73 million is 5",
        1, 10, "as published", float(lives.readings.sum() / (1_500 * 14)),
    )  # fmt: skip


def _stable(lives: Lives, days: int) -> Floats:
    """Changes of weight over so many days with nothing planted in between."""
    weight = lives.mornings["body_weight"]
    well = np.array([~lives.unwell[day : day + days + 1].any(axis=0) for day in range(lives.days - days)])
    change = weight[days:] - weight[:-days]
    return change[well & ~np.isnan(change)]


def _before(lives: Lives, days: int, kinds: Set[str] = SLOW_KINDS) -> Floats:
    """Changes of weight over so many days up to the morning after the worst of what comes slowly."""
    weight, found = lives.mornings["body_weight"], list[float]()
    for row, event in lives.events(kinds):
        day = lives.day_of(event.worst_us) + 1
        if days <= day < lives.days:
            found.append(float(weight[day, row] - weight[day - days, row]))
    changes = np.array(found)
    return changes[~np.isnan(changes)]


def _odds(lives: Lives) -> Iterator[Statistic]:
    """Odds of an event by what was gained in the week before, in pounds."""
    chance = stream(lives.population.seed, Purpose.CALIBRATION)
    stable, before = _stable(lives, 7), _before(lives, 7)
    # At either end of the week somebody else may have stood on the scale, 15 to 40 % heavier or lighter.
    other = chance.random(len(stable)) < 2 * SOMEBODY_ELSE
    by_kg = 83 * (0.15 + 0.25 * chance.random(len(stable))) * np.where(chance.random(len(stable)) < 0.5, -1, 1)
    stable = np.where(other, stable + by_kg, stable) / KG_PER_LB
    before = before / KG_PER_LB

    def odds(change: Floats, low: float, high: float) -> float:
        within = (change > low) & (change <= high)
        return float(within.sum() + 0.5) / float((change <= 2).sum())

    why = (
        "Zhang's SD of the stable and Chaudhry's odds do not go together: were the stable as quiet as 1.1 kg in 14 "
        "days, no more than 2 % of them would gain 5 lb in a week"
    )
    for low, high, published, most in ((2, 5, 2.77, 4.5), (5, 10, 4.46, 16.0), (10, 99, 7.65, 24.0)):
        name = f"odds ratio of an event after a gain of >{low} to {high} lb in a week"
        yield Statistic(
            "heart_failure", name, str(published), "Chaudhry 2007", 0.5 * published, most, why,
            odds(before, low, high) / odds(stable, low, high),
        )  # fmt: skip


def _drifting(lives: Lives) -> float:
    """Share of the stable whose 7-day means are more than 2 kg apart within half a year."""
    half_a_year = 168
    stable = ~lives.unwell[:half_a_year].any(axis=0) & (lives.population.adherence > 0.5)
    weight = lives.mornings["body_weight"][:half_a_year, stable]
    there = ~np.isnan(weight)
    filled = np.where(there, weight, 0.0)
    weeks = np.array([filled[day : day + 7].sum(axis=0) for day in range(half_a_year - 6)])
    counts = np.array([there[day : day + 7].sum(axis=0) for day in range(half_a_year - 6)])
    # A mean of one weighing is none.
    means = np.where(counts >= 3, weeks / np.maximum(counts, 1), np.nan)
    return float((np.nanmax(means, axis=0) - np.nanmin(means, axis=0) > 2).mean())


def _days_ahead(lives: Lives, nights: Floats, away: float) -> float:
    """How long before the worst the group's mean has moved for good, by `away` or more."""
    events = lives.events({"exacerbation_bacterial", "exacerbation_viral"})
    worst = [(row, lives.day_of(event.worst_us)) for row, event in events]
    worst = [(row, day) for row, day in worst if 45 < day < lives.days]
    usual = np.array([nights[day - 40 : day - 20, row].mean() for row, day in worst])
    ahead = 0
    while ahead < 20:
        there = np.array([nights[day - ahead - 1, row] for row, day in worst])
        if np.sign(away) * (there - usual).mean() < abs(away):
            break
        ahead += 1
    return float(ahead)


def _kappa(lives: Lives, flags: Bools) -> float:
    """Cohen's κ between events and a sign that was there in the week, over weeks of both kinds, as many of each."""
    events = lives.events({"exacerbation_bacterial", "exacerbation_viral"})
    weeks = [(row, lives.day_of(event.worst_us)) for row, event in events]
    found = [flags[day - 6 : day + 1, row].any() for row, day in weeks if 21 < day < lives.days]
    chance = stream(lives.population.seed, Purpose.CALIBRATION)
    false: list[bool] = []
    while len(false) < len(found):
        row, day = int(chance.integers(0, flags.shape[1])), int(chance.integers(21, lives.days - 8))
        if not lives.unwell[day - 7 : day + 8, row].any():
            false.append(bool(flags[day - 6 : day + 1, row].any()))
    # With as many of each, half of the agreement is by chance.
    return float(np.mean(found) - np.mean(false))


def table(statistics: Sequence[Statistic]) -> str:
    """All of it as text, one line each."""
    widths = [max(len(s.name) for s in statistics), max(len(s.published) for s in statistics)]
    lines: list[str] = []
    for condition in dict.fromkeys(s.condition for s in statistics):
        lines.append(condition)
        lines += [
            f"  {s.name:<{widths[0]}}  {s.published:>{widths[1]}}  {s.simulated:>10,.3g}  "
            f"{s.low:g} to {s.high:g}{'' if s.holds else '  ← NOT HELD'}  ({s.source})"
            for s in statistics
            if s.condition == condition
        ]
    return "\n".join(lines)
