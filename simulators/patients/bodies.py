"""Bodies from day to day and through the day: levels that wander, moved by what patients go through."""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from models.clock import MINUTE_US
from models.kinds import KIND_BY_NAME
from simulators.patients.condition import CHANNELS, Noise
from simulators.patients.courses import Courses, Pull
from simulators.patients.labelling import YES_OR_NO
from simulators.patients.population import Floats, Ints, Population
from simulators.patients.rhythm import HOURS_24_MIN, Rhythm, meal_course
from simulators.patients.streams import Purpose, stream

WEIGHT_MEMORY = 0.975
"""How much of today's wandering weight is tomorrow's: it forgets half in about a month."""
DAY_MEMORY = 0.5
UPSET_MEMORY = 0.75
SHARED = 0.7
"""How much of its variation the diastolic pressure shares with the systolic one."""
OWN = 0.714142842854285
"""The rest, so that the squares add up to one."""
WANDERING: Final = (
    "systolic", "heart_rate", "spo2", "respiratory_rate", "temperature", "glucose", "lung_function", "steps"
)  # fmt: skip
"""What has its better and its worse days, each by itself; diastolic pressure goes with the systolic one."""
BELIEVABLE: Final[dict[str, tuple[float, float]]] = {
    "body_weight": (30, 250),
    "systolic": (70, 260),
    "diastolic": (35, 150),
    "heart_rate": (36, 210),
    "spo2": (70, 100),
    "respiratory_rate": (6, 50),
    "temperature": (34, 42),
    "glucose": (1.7, 33.0),
    "peak_flow": (40, 800),
    "fev1": (0.3, 6.0),
    "fvc": (0.6, 8.0),
    "steps": (0, 60_000),
}
"""Beyond these nobody is at home."""
RHYTHMS: Final[dict[str, Rhythm]] = {
    # highest at which minute of the day, how far above and below the middle
    "systolic": Rhythm(840, 6.0),
    "diastolic": Rhythm(840, 4.0),
    "heart_rate": Rhythm(840, 5.0),
    "respiratory_rate": Rhythm(840, 1.0),
    "temperature": Rhythm(1020, 0.3),
    "spo2": Rhythm(840, 0.6),
    "glucose": Rhythm(420, 0.3),
    "lung_function": Rhythm(900, 0.03),
}
"""Mark P; known is that pressure, pulse and temperature are lowest at night, that glucose rises at dawn."""
DAY_WEIGHT_KG = 1.0
MORNING_MIN, NIGHT_MIN = 660, 1320
"""What is eaten and drunk from the late morning until the night."""
MEALS_MIN = (480, 750, 1095)
MEAL_SHIFT_MIN = 45
LOW_GLUCOSE, SAFE_GLUCOSE = 3.9, 4.3
FLOW_PER_FEV1, FVC_PER_FEV1 = 180.0, 1.7
USUAL_YES: Final = {"symptom_cold": 0.04, "symptom_fever": 0.004, "symptom_purulence": 0.02}
RARE_YES = 0.0004
"""How often somebody answers *yes* to what alarms, or seems confused, without anything being the matter."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Patients at moments of today, and what they go through then.

    **Shape**: each array is [m]. **Units**: `minute` of the day at home.
    """

    rows: Ints
    at_us: Ints
    minute: Floats
    pulls: list[Pull]

    def moved(self, channel: str) -> Floats:
        """How far what is under way moves a channel; symptoms come late, with the square of the severity."""
        column, total = CHANNELS.index(channel), np.zeros(len(self.rows))
        for pull in self.pulls:
            late = pull.severity if channel.startswith("symptom_") else 1.0
            total[pull.moment] += pull.effects[:, column] * pull.severity * late
        return total


class Bodies:
    """What could be measured in each patient; advances one day at a time.

    **Shape**: arrays are [n]. **Units**: those of the kinds; `days` are distances from the patient's own
    level, of lung function and steps a share of it.
    """

    def __init__(self, population: Population, courses: Courses) -> None:
        n = len(population)
        self.population = population
        self.courses = courses
        self.midnight_us = 0
        self._sd = {name: self._noise(f"{name}_day") for name in (*WANDERING, "diastolic", "weight")}
        self._reading_sd = {
            name.name.removesuffix("_reading"): self._noise(name.name)
            for name in fields(Noise)
            if name.name.endswith("_reading")
        }
        first = stream(population.seed, Purpose.COURSE).standard_normal((n, 2 + len(WANDERING)))
        self.weight_slow = population.weight_wander * first[:, 0]
        self.weight_day = np.zeros(n)
        self.weight_upset = np.zeros(n)
        self.days = {name: self._sd[name] * first[:, 2 + at] for at, name in enumerate(WANDERING)}
        shared = SHARED * first[:, 2] + OWN * first[:, 1]
        self.days["diastolic"] = self._sd["diastolic"] * shared
        self.meals = np.ones((n, len(MEALS_MIN)))
        self.meal_shifts_min = np.zeros((n, len(MEALS_MIN)))

    def next_day(self, day: int, midnight_us: int) -> None:
        """Another day: the slow parts wander on, the daily ones are drawn anew."""
        self.midnight_us = midnight_us
        n, parameters = len(self.population), self.population.parameters
        chance = stream(self.population.seed, Purpose.MEASURING, day)
        normal = chance.standard_normal((n, 3 + len(WANDERING)))
        uniform = chance.random((n, 2 + 2 * len(MEALS_MIN)))
        self.weight_slow = _wander(
            self.weight_slow, self.population.weight_wander, WEIGHT_MEMORY, normal[:, 0]
        )
        self.weight_day = self._sd["weight"] * normal[:, 1]
        low, high = parameters.upset_kg
        upset = np.where(uniform[:, 1] < 0.5, -1.0, 1.0) * (
            low + (high - low) * np.abs(2 * uniform[:, 1] - 1)
        )
        upset = np.where(uniform[:, 0] < parameters.upsets_per_year / 365, upset, 0.0)
        self.weight_upset = UPSET_MEMORY * self.weight_upset + upset
        for at, name in enumerate(WANDERING):
            self.days[name] = _wander(self.days[name], self._sd[name], DAY_MEMORY, normal[:, 3 + at])
        both = SHARED * normal[:, 3] + OWN * normal[:, 2]
        self.days["diastolic"] = _wander(self.days["diastolic"], self._sd["diastolic"], DAY_MEMORY, both)
        # Half as much to once and a half as much as usual.
        self.meals = 0.5 + uniform[:, 2 : 2 + len(MEALS_MIN)]
        self.meal_shifts_min = MEAL_SHIFT_MIN * (2 * uniform[:, 2 + len(MEALS_MIN) :] - 1)

    def at(self, rows: Ints, at_us: Ints) -> Moments:
        """Patients at moments of today. **Shape**: both [m]."""
        minute = (at_us - self.midnight_us) / MINUTE_US
        return Moments(rows, at_us, minute, self.courses.pull(rows, at_us))

    def level(self, kind: str, at: Moments) -> Floats:
        """What is there to be measured, without the error of any device.

        `pulse` is `heart_rate`, `glucose_cgm` is `glucose`; `steps` are those of the day so far.
        """
        kind = {"pulse": "heart_rate", "glucose_cgm": "glucose"}.get(kind, kind)
        match kind:
            case "body_weight":
                value = self._weights(at)
            case "glucose":
                value = self._glucoses(at)
            case "peak_flow" | "fev1" | "fvc":
                value = self._flows(kind, at)
            case "steps":
                value = self._steps(at)
            case _:
                own: Floats = getattr(self.population, kind)
                value = (own + self.days[kind])[at.rows] + at.moved(kind) + RHYTHMS[kind].at(at.minute)
        return np.clip(value, *BELIEVABLE[kind])

    def reading(self, kind: str, at: Moments, chance: np.random.Generator) -> Floats:
        """What a good device would tell: the level and what varies from one reading to the next."""
        kind = {"pulse": "heart_rate", "glucose_cgm": "glucose"}.get(kind, kind)
        level = self.level(kind, at)
        match kind:
            case "body_weight" | "steps":
                return level
            case "glucose":
                noise = level * self._reading_sd["glucose"][at.rows]
            case "peak_flow" | "fev1" | "fvc":
                noise = level * self._reading_sd["lung_function"][at.rows]
            case _:
                noise = self._reading_sd[kind][at.rows]
        return np.clip(level + noise * chance.standard_normal(len(level)), *BELIEVABLE[kind])

    def pressures(self, at: Moments, chance: np.random.Generator) -> tuple[Floats, Floats]:
        """Systolic and diastolic pressure as the home's own cuff shows them, its error included."""
        normal = chance.standard_normal((len(at.rows), 2))
        bias = self.population.cuff_bias[at.rows]
        upper = self.level("systolic", at) + bias + self._reading_sd["systolic"][at.rows] * normal[:, 0]
        # A cuff that reads too high does so for both, less for the lower one.
        lower = self.level("diastolic", at) + 0.6 * bias
        own = SHARED * normal[:, 0] + OWN * normal[:, 1]
        lower = lower + self._reading_sd["diastolic"][at.rows] * own
        upper = np.clip(upper, *BELIEVABLE["systolic"])
        return upper, np.clip(np.minimum(lower, upper - 12), *BELIEVABLE["diastolic"])

    def answer(self, question: str, at: Moments, chance: np.random.Generator) -> Ints:
        """What patients say when they are asked, as the number of the answer."""
        uniform = chance.random(len(at.rows))
        moved = at.moved(question)
        if question in YES_OR_NO or question == "consciousness":
            return ((moved >= 0.5) | (uniform < USUAL_YES.get(question, RARE_YES))).astype(np.int64)
        mild = np.where(uniform < self.population.complains[at.rows], 1.0, 0.0)
        worst = len(KIND_BY_NAME[question].codes) - 1
        return np.minimum(np.rint(np.maximum(mild, moved)), worst).astype(np.int64)

    def _noise(self, name: str) -> Floats:
        factor = self.population.parameters.factors.noise

        def of(noise: Noise) -> float:
            sd: float = getattr(noise, name)
            return sd * factor

        return self.population.per_patient(lambda condition: of(condition.noise))

    def _weights(self, at: Moments) -> Floats:
        level = self.population.weight + self.weight_slow + self.weight_upset + self.weight_day
        so_far = np.clip((at.minute - MORNING_MIN) / (NIGHT_MIN - MORNING_MIN), 0.0, 1.0)
        return level[at.rows] + at.moved("body_weight") + DAY_WEIGHT_KG * so_far

    def _glucoses(self, at: Moments) -> Floats:
        own, moved = self.population.glucose[at.rows], at.moved("glucose")
        meals = np.zeros(len(at.rows))
        for number, minute in enumerate(MEALS_MIN):
            since_min = at.minute - minute - self.meal_shifts_min[at.rows, number]
            meals += self.meals[at.rows, number] * meal_course(since_min)
        away = self.days["glucose"][at.rows] + RHYTHMS["glucose"].at(at.minute)
        away += self.population.meal_rise[at.rows] * meals
        # Too low is only what was planted; and who is too low has not eaten, nor is it a high day.
        away = np.maximum(away, SAFE_GLUCOSE - own)
        return own + moved + away * np.clip(1 + moved / (own - LOW_GLUCOSE), 0.0, 1.0)

    def _flows(self, kind: str, at: Moments) -> Floats:
        moved = at.moved("lung_function")
        share = 1 + self.days["lung_function"][at.rows] + RHYTHMS["lung_function"].at(at.minute)
        # The air that can be breathed out falls less than the speed of it.
        share += 0.8 * moved if kind == "fvc" else moved
        flow = self.population.peak_flow[at.rows] * share
        return flow / {"peak_flow": 1.0, "fev1": FLOW_PER_FEV1, "fvc": FLOW_PER_FEV1 / FVC_PER_FEV1}[kind]

    def _steps(self, at: Moments) -> Floats:
        share = np.maximum(1 + self.days["steps"][at.rows] + at.moved("steps"), 0.03)
        awake = np.clip((at.minute - 420) / (HOURS_24_MIN - 540), 0.0, 1.0)
        return np.rint(self.population.steps[at.rows] * share * awake)


def _wander(value: Floats, sd: Floats, memory: float, normal: Floats) -> Floats:
    return memory * value + sd * np.sqrt(1 - memory * memory) * normal
