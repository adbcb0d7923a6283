"""What returns each day: a wave over 24 hours, what a meal does; in arithmetic that is alike everywhere."""

from dataclasses import dataclass

import numpy as np

from simulators.patients.population import Floats

HOURS_24_MIN = 1440
MEAL_MIN = 210.0
"""A meal is over after three and a half hours; its highest is after 70 minutes."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A wave over the day. **Units**: `highest_min` minutes after midnight; `reach` in the kind's unit."""

    highest_min: float
    reach: float

    def at(self, minute: Floats) -> Floats:
        """How far above the middle of the day.

        Two parabolas, not a sine, which not every machine rounds alike; nowhere are they 0.06 apart.

        >>> Rhythm(840, 6.0).at(np.array([840.0, 480.0, 120.0]))
        array([ 6.,  0., -6.])
        """
        phase = (minute - self.highest_min) / HOURS_24_MIN + 0.25
        phase = 4 * (phase - np.floor(phase))
        up = np.where(phase < 2, phase, phase - 2) - 1
        return self.reach * np.where(phase < 2, 1 - up * up, up * up - 1)


def meal_course(since_min: Floats) -> Floats:
    """How far a meal has raised glucose, as a share of the most it does.

    >>> meal_course(np.array([-1.0, 0.0, 70.0, 140.0, 210.0]))
    array([0. , 0. , 1. , 0.5, 0. ])
    """
    x = np.clip(since_min / MEAL_MIN, 0.0, 1.0)
    return 6.75 * x * (1 - x) * (1 - x)
