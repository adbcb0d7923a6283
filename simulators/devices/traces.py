"""Levels through a whole day, as sensors follow them: from bodies at anchors, without steps at midnight."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.clock import MINUTE_US
from simulators.patients.bodies import Bodies
from simulators.patients.population import Floats, Ints

ANCHOR_MIN: Final = 15
"""Bodies change slowly enough to be asked four times an hour."""
SMOOTHED_MIN: Final = 180.0
"""Bodies are drawn anew each midnight; a sensor sees that change come over three hours."""

Bools = NDArray[np.bool_]
Numbers = NDArray[np.int64] | NDArray[np.float64]


class Traces:
    """The levels of whoever wears a sensor, day after day.

    **Shape**: `_last` [kinds, n], what was true at `_last_us` [n].
    """

    def __init__(self, bodies: Bodies, kinds: Sequence[str], patients: int) -> None:
        self.bodies = bodies
        self.kinds = kinds
        self._last = np.zeros((len(kinds), patients))
        self._last_us = np.full(patients, -1, np.int64)

    def day(self, rows: Ints, midnight_us: int, until_us: int, lag_us: int = 0) -> list[Floats]:
        """Each kind's levels at the anchors from midnight to midnight, `lag_us` ago.

        **Shape**: [len(rows), anchors], the last one is the next midnight.
        """
        anchors_us = np.arange(midnight_us, until_us + 1, ANCHOR_MIN * MINUTE_US, dtype=np.int64)
        at = self.bodies.at(
            np.repeat(rows, len(anchors_us)), np.tile(anchors_us - lag_us, len(rows)).astype(np.int64)
        )
        fading = np.maximum(1 - (anchors_us - midnight_us) / (SMOOTHED_MIN * MINUTE_US), 0.0)
        goes_on = self._last_us[rows] == midnight_us
        found: list[Floats] = []
        for number, kind in enumerate(self.kinds):
            levels = self.bodies.level(kind, at).reshape(len(rows), len(anchors_us))
            step = np.where(goes_on, self._last[number, rows] - levels[:, 0], 0.0)
            self._last[number, rows] = levels[:, -1]
            found.append(levels + step[:, None] * fading)
        self._last_us[rows] = until_us
        return found


def between(anchors: Floats, parts: int) -> Floats:
    """Values in a straight line from each anchor to the next, the last anchor left out.

    **Shape**: [m, anchors] gives [m, (anchors − 1) × parts].

    >>> between(np.array([[0.0, 3.0, 0.0]]), 3)
    array([[0., 1., 2., 3., 2., 1.]])
    """
    step = np.diff(anchors, axis=1) / parts
    return (anchors[:, :-1, None] + step[:, :, None] * np.arange(parts)).reshape(len(anchors), -1)


def window(slots: int, step_min: int, from_min: Numbers, until_min: Numbers | float = np.inf) -> Bools:
    """Which slots of a day lie between two minutes, for each row. **Shape**: [m, slots].

    >>> window(4, 5, np.array([5.0]), np.array([15.0]))
    array([[False,  True,  True, False]])
    """
    minute = step_min * np.arange(slots, dtype=np.int64)
    until = np.asarray(until_min, np.float64)
    return (minute >= from_min[:, None]) & (minute < (until[:, None] if until.ndim else until))


def within(limits: tuple[float, float], uniform: Floats) -> Floats:
    """Amounts between two limits."""
    return limits[0] + (limits[1] - limits[0]) * uniform
