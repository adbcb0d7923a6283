"""Who measures today: each in their own measure, some less and less, some not at all for a while."""

import numpy as np
from numpy.typing import NDArray

from models.clock import DAY_US
from models.labels import About, Label
from simulators.patients.habits import Habits
from simulators.patients.population import Floats, Ints, Population
from simulators.patients.streams import Purpose, stream

NEVER_US = 2**62
YEAR_DAYS = 365.0
LAPSE_DAYS = (4.0, 24.0)


class Measurers:
    """How likely each patient is to measure, day after day.

    Whoever fades begins above their own mean and ends as far below it a year later, so that over a year the
    mean is `population.adherence`; afterwards it stays there. Lapses come on top. **Shape**: arrays are [n].
    """

    def __init__(self, population: Population, habits: Habits, begin_us: int) -> None:
        n = len(population)
        self.population = population
        self.habits = habits
        self._begin_us = begin_us
        uniform = stream(population.seed, Purpose.ADHERENCE).random((n, 2))
        own = population.adherence
        self._reach: Floats = np.where(
            uniform[:, 0] < habits.fading, uniform[:, 1] * np.minimum(own, 1.0 - own), 0.0
        )
        self._lapsed_until_us: Ints = np.zeros(n, np.int64)
        self._labels: list[Label] = []

    def chance(self, midnight_us: int) -> Floats:
        """How likely each patient is to measure on a day, who is at home and has not lapsed."""
        years = min((midnight_us - self._begin_us) / DAY_US / YEAR_DAYS, 1.0)
        return self.population.adherence + self._reach * (1.0 - 2.0 * years)

    def measuring(
        self, day: int, midnight_us: int, able: NDArray[np.bool_], likely: Floats
    ) -> NDArray[np.bool_]:
        """Who measures on a day, `likely` drawn from 0 to 1; to be asked for in order, each day once."""
        # One row per patient, whoever is able: the draws of one depend on nobody else.
        uniform = stream(self.population.seed, Purpose.LAPSES, day).random((len(able), 2))
        begins = able & (self._lapsed_until_us <= midnight_us)
        begins &= uniform[:, 0] < self.habits.lapses_per_year / YEAR_DAYS
        self._lapse(np.flatnonzero(begins), midnight_us, uniform[:, 1])
        return able & (self._lapsed_until_us <= midnight_us) & (likely < self.chance(midnight_us))

    def labels_until(self, end_us: int) -> list[Label]:
        """The lapses that began before the end."""
        return [label for label in self._labels if label.onset_us < end_us]

    def _lapse(self, rows: Ints, midnight_us: int, uniform: Floats) -> None:
        shortest, longest = LAPSE_DAYS
        days = np.rint(shortest + (longest - shortest) * uniform[rows]).astype(np.int64)
        self._lapsed_until_us[rows] = midnight_us + days * DAY_US
        for row in map(int, rows):
            until_us = int(self._lapsed_until_us[row])
            self._labels.append(absence(self.population.patient_text[row], "lapse", midnight_us, until_us))


def absence(patient_id: str, kind: str, from_us: int, until_us: int) -> Label:
    """A stretch in which nothing comes, for no reason that lies with the patient's health."""
    return Label(
        patient_id=patient_id,
        kind=kind,
        signals=("silence",),
        onset_us=from_us,
        detectable_at_us=None,
        worst_us=from_us,
        end_us=until_us,
        admitted=False,
        cut_off=False,
        about=About.PERSON,
    )
