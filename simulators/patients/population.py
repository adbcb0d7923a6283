"""Who the simulated patients are: everything about them that does not change from day to day, as columns."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.patients.condition import Condition, Range, Trait
from simulators.patients.heart_failure import HEART_FAILURE
from simulators.patients.hypertension import HYPERTENSION
from simulators.patients.streams import Purpose, stream, uuid_texts, uuids4

CONDITIONS: tuple[Condition, ...] = (HEART_FAILURE, HYPERTENSION)

HEART_FAILURE_SHARE = 0.5
REGULAR_SHARE = 0.74
"""Patients who send at least three weights a week (e-Vita HF)."""
CUFF_BIAS_SD = 4.82
"""Gives 30 % of home cuffs an error of 5 mmHg or more."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Population:
    """Patients as columns of equal length n.

    **Shape**: each array is [n], `patient_id` uint8[n, 16]. **Units**: kg, mmHg, beats per minute, %; times
    of day in minutes after midnight at home; `condition` is an index into CONDITIONS.
    """

    seed: int
    patient_id: NDArray[np.uint8]
    patient_text: list[str]
    condition: Ints
    weight: Floats
    systolic: Floats
    diastolic: Floats
    heart_rate: Floats
    spo2: Floats
    weight_wander: Floats
    cuff_bias: Floats
    adherence: Floats
    morning_min: Floats
    evening_min: Floats
    has_scale: NDArray[np.bool_]
    has_oximeter: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.condition)

    def per_patient(self, of: Callable[[Condition], float]) -> Floats:
        """A quantity of each patient's condition, as a column."""
        return np.array([of(condition) for condition in CONDITIONS])[self.condition]


def draw_population(seed: int, patients: int) -> Population:
    """The patients of a seed; the first ones are the same in a larger population of the same seed."""
    identities, chance = stream(seed, Purpose.IDENTITY), stream(seed, Purpose.TRAITS)
    # One row per patient, so that asking for more patients changes nothing about the first ones.
    normal = chance.standard_normal((patients, 8))
    uniform = stream(seed, Purpose.TRAITS, 0).random((patients, 8))
    condition = np.where(uniform[:, 0] < HEART_FAILURE_SHARE, 0, 1).astype(np.int64)

    def trait(of: Callable[[Condition], Trait], column: int) -> Floats:
        table = np.array([[t.mean, t.sd, t.low, t.high] for t in map(of, CONDITIONS)])[condition]
        return np.clip(table[:, 0] + table[:, 1] * normal[:, column], table[:, 2], table[:, 3])

    def share(of: Callable[[Condition], float], column: int) -> NDArray[np.bool_]:
        return uniform[:, column] < np.array([of(c) for c in CONDITIONS])[condition]

    regular = uniform[:, 1] < REGULAR_SHARE
    patient_id = uuids4(identities, patients)
    return Population(
        seed=seed,
        patient_id=patient_id,
        patient_text=uuid_texts(patient_id),
        condition=condition,
        weight=trait(lambda c: c.weight, 0),
        systolic=trait(lambda c: c.systolic, 1),
        diastolic=trait(lambda c: c.diastolic, 2),
        heart_rate=trait(lambda c: c.heart_rate, 3),
        spo2=trait(lambda c: c.spo2, 4),
        weight_wander=within([c.weight_wander for c in CONDITIONS], condition, uniform[:, 2]),
        cuff_bias=CUFF_BIAS_SD * normal[:, 5],
        adherence=np.where(regular, 0.55 + 0.44 * uniform[:, 3], 0.05 + 0.35 * uniform[:, 3]),
        # Before eleven, when a programme asks for a reading in the morning; most of the time.
        morning_min=np.clip(500 + 45 * normal[:, 6], 390, 615),
        evening_min=np.clip(1170 + 40 * normal[:, 7], 1080, 1240),
        has_scale=share(lambda c: c.has_scale, 4),
        has_oximeter=share(lambda c: c.has_oximeter, 5),
    )


def within(ranges: list[Range], index: Ints, uniform: Floats) -> Floats:
    """Amounts drawn from one range per row; small ones are more frequent where the range is skewed."""
    table = np.array([[r.low, r.high, float(r.skew)] for r in ranges])[index]
    amount = np.where(table[:, 2] > 0, uniform * uniform * np.sqrt(uniform), uniform)
    return table[:, 0] + (table[:, 1] - table[:, 0]) * amount
