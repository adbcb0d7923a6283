"""Bodies from day to day: levels that wander around each patient's own, moved by what they go through."""

import numpy as np

from simulators.patients.deteriorations import CHANNELS, Deteriorations
from simulators.patients.population import Floats, Ints, Population
from simulators.patients.streams import Purpose, stream

WEIGHT_MEMORY = 0.975
"""How much of today's wandering weight is tomorrow's: it forgets half in about a month."""
DAY_MEMORY = 0.5
UPSETS_PER_YEAR = 4.0
UPSET_KG = (0.8, 3.6)
UPSET_MEMORY = 0.75
"""A salty dinner or an upset stomach: harmless, up or down at once, gone in a week; what rules mistake."""
SHARED = 0.7
"""How much of its variation the diastolic pressure shares with the systolic one."""
OWN = 0.714142842854285
"""The rest, so that the squares add up to one."""


class Bodies:
    """Weight, pressure, heart rate and saturation of each patient; advances one day at a time.

    **Shape**: each array is [n]. **Units**: kg, mmHg, beats per minute, %; all are distances from the
    patient's own level.
    """

    def __init__(self, population: Population, deteriorations: Deteriorations) -> None:
        n = len(population)
        self.population = population
        self.deteriorations = deteriorations
        first = stream(population.seed, Purpose.COURSE).standard_normal((n, 4))
        self.weight_slow = population.weight_wander * first[:, 0]
        self.weight_day = np.zeros(n)
        self.weight_upset = np.zeros(n)
        self.systolic_sd, self.diastolic_sd = (
            population.per_patient(lambda c, i=i: c.pressure_day_sd[i]) for i in (0, 1)
        )
        self.heart_rate_sd = population.per_patient(lambda c: c.heart_rate_day_sd)
        self.weight_day_sd = population.per_patient(lambda c: c.weight_day_sd)
        self.systolic = self.systolic_sd * first[:, 1]
        self.diastolic = self.diastolic_sd * (SHARED * first[:, 1] + OWN * first[:, 2])
        self.heart_rate = self.heart_rate_sd * first[:, 3]
        self.reading_sd = {
            "systolic": population.per_patient(lambda c: c.pressure_reading_sd[0]),
            "diastolic": population.per_patient(lambda c: c.pressure_reading_sd[1]),
            "heart_rate": population.per_patient(lambda c: c.heart_rate_reading_sd),
            "spo2": population.per_patient(lambda c: c.spo2_reading_sd),
        }

    def next_day(self, day: int) -> None:
        """Another day: the slow parts wander on, the daily ones are drawn anew."""
        chance = stream(self.population.seed, Purpose.MEASURING, day)
        normal = chance.standard_normal((len(self.population), 5))
        uniform = chance.random((len(self.population), 2))
        self.weight_slow = _wander(
            self.weight_slow, self.population.weight_wander, WEIGHT_MEMORY, normal[:, 0]
        )
        self.weight_day = self.weight_day_sd * normal[:, 1]
        low, high = UPSET_KG
        upset = np.where(uniform[:, 1] < 0.5, -1.0, 1.0) * (
            low + (high - low) * np.abs(2 * uniform[:, 1] - 1)
        )
        upset = np.where(uniform[:, 0] < UPSETS_PER_YEAR / 365, upset, 0.0)
        self.weight_upset = UPSET_MEMORY * self.weight_upset + upset
        self.systolic = _wander(self.systolic, self.systolic_sd, DAY_MEMORY, normal[:, 2])
        both = SHARED * normal[:, 2] + OWN * normal[:, 3]
        self.diastolic = _wander(self.diastolic, self.diastolic_sd, DAY_MEMORY, both)
        self.heart_rate = _wander(self.heart_rate, self.heart_rate_sd, DAY_MEMORY, normal[:, 4])

    def weights(self, rows: Ints, moved: Floats) -> Floats:
        """True weights. **Shape**: `rows` [m], `moved` [m, channels]."""
        level = self.population.weight + self.weight_slow + self.weight_upset + self.weight_day
        return level[rows] + moved[:, CHANNELS.index("weight_kg")]

    def pressures(self, rows: Ints, moved: Floats, chance: np.random.Generator) -> tuple[Floats, Floats]:
        """Systolic and diastolic pressure as the home's own cuff shows them, its error included."""
        normal = chance.standard_normal((len(rows), 2))
        systolic = self.population.systolic + self.systolic + self.population.cuff_bias
        # A cuff that reads too high does so for both, less for the lower one.
        diastolic = self.population.diastolic + self.diastolic + 0.6 * self.population.cuff_bias
        upper = systolic[rows] + moved[:, CHANNELS.index("systolic")]
        lower = diastolic[rows] + moved[:, CHANNELS.index("diastolic")]
        upper += self.reading_sd["systolic"][rows] * normal[:, 0]
        lower += self.reading_sd["diastolic"][rows] * (SHARED * normal[:, 0] + OWN * normal[:, 1])
        upper = np.clip(upper, 70, 260)
        return upper, np.clip(np.minimum(lower, upper - 12), 35, 150)

    def heart_rates(self, rows: Ints, moved: Floats, chance: np.random.Generator) -> Floats:
        """Beats per minute."""
        level = (self.population.heart_rate + self.heart_rate)[rows] + moved[:, CHANNELS.index("heart_rate")]
        return np.clip(
            level + self.reading_sd["heart_rate"][rows] * chance.standard_normal(len(rows)), 36, 210
        )

    def saturations(self, rows: Ints, moved: Floats, chance: np.random.Generator) -> Floats:
        """Oxygen saturation in %."""
        level = self.population.spo2[rows] + moved[:, CHANNELS.index("spo2")]
        return np.clip(level + self.reading_sd["spo2"][rows] * chance.standard_normal(len(rows)), 70, 100)


def _wander(value: Floats, sd: Floats, memory: float, normal: Floats) -> Floats:
    return memory * value + sd * np.sqrt(1 - memory * memory) * normal
