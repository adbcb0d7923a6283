"""What is measured, computed from who, what and when alone: the same reading however it is asked for.

Chance is a hash of patient, kind and moment, so readings may be made by patient or by day, in parts of any
size, and are the same ones. A patient gets worse for two weeks every few months, slowly, so that rules fire.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.clock import DAY_US, MINUTE_US, SECOND_US

MEAN, BETWEEN, NOISE, GAIN, PER_UNIT, LOW, HIGH, ODD, LIKE = range(9)
"""Columns of a kind's traits: the population's mean and spread, a reading's noise, what two bad weeks add,
steps per unit, bounds, what an odd reading adds, and the kind whose chance it shares."""

FIRST_SLOT_MIN, BETWEEN_SLOTS_MIN = 300, 100
OWN_HABIT_S, JITTER_S = 3_600, 1_800
"""A session is as many minutes after its slot as its patient is used to, and some more by chance: together
less than what lies between two slots."""

EPISODE_DAYS = 14
MISSED_SHARE = 0.08
ODD_ONE_IN = 2_000
OTHER_UNIT_SHARE = 0.1

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@njit(cache=True, nogil=True)
def _mixed(patient: int, kind: int, moment: int) -> Any:
    """Sixty-four bits that look like chance. **Source**: splitmix64, Steele et al. 2014."""
    x = np.uint64(patient) * np.uint64(0x9E3779B97F4A7C15)
    x += np.uint64(kind) * np.uint64(0xBF58476D1CE4E5B9) + np.uint64(moment) * np.uint64(0xD6E8FEB86659FD93)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@njit(cache=True, nogil=True)
def _below(bits: Any, limit: int) -> Any:
    return np.int64(bits >> np.uint64(33)) % limit


@njit(cache=True, nogil=True)
def _normal(bits: Any) -> float:
    """Nearly normal, mean 0 and spread 1: the sum of four even chances."""
    total = 0.0
    for i in range(4):
        total += float((bits >> np.uint64(16 * i)) & np.uint64(0xFFFF))
    return (total / 65_535.0 - 2.0) * 1.7320508


@njit(cache=True, nogil=True)
def _worse(patient: int, day: int) -> float:
    """How far a patient is into a bad fortnight: from 0 up to 1, mostly 0."""
    bits = _mixed(patient, 101, 0)
    every = 120 + _below(bits, 360)
    since = (day + _below(_mixed(patient, 102, 0), every)) % every
    return max(0.0, (since - (every - EPISODE_DAYS)) / EPISODE_DAYS)


@njit(cache=True, nogil=True)
def _value(patient: int, kind: int, moment: int, worse: float, traits: Floats) -> float:
    """A value in canonical unit, not yet in the steps of its device."""
    trait = traits[kind]
    like = int(trait[LIKE])
    chance = _mixed(patient, like, moment)
    value = trait[MEAN] + trait[BETWEEN] * _normal(_mixed(patient, like, -1))
    value += trait[GAIN] * worse + trait[NOISE] * _normal(chance)
    if chance % np.uint64(ODD_ONE_IN) == 0:
        value += trait[ODD]
    return min(max(value, trait[LOW]), trait[HIGH])


@njit(cache=True, nogil=True)
def _put(
    n: int, patient: int, kind: int, value: float, traits: Floats, unit_of: NDArray[np.int16],
    conversion: Floats, out_value: Floats, out_unit: NDArray[np.int16],
) -> None:  # fmt: skip
    """A value as its device shows it: in one of two units, in steps."""
    own = 1 if _below(_mixed(patient, kind, -2), 1_000) < 1_000 * OTHER_UNIT_SHARE else 0
    out_unit[n] = unit_of[kind, own]
    if own == 1:
        value = value * conversion[kind, 2] / conversion[kind, 1] + conversion[kind, 0]
    out_value[n] = np.rint(value * traits[kind, PER_UNIT]) / traits[kind, PER_UNIT]


@njit(cache=True, nogil=True)
def fill_home(
    patients: NDArray[np.int32], day: int, days: int, starts: Ints, kinds: NDArray[np.int16],
    sessions: NDArray[np.int8], traits: Floats, unit_of: NDArray[np.int16], conversion: Floats,
    out_patient: NDArray[np.int32], out_kind: NDArray[np.int16], out_taken_us: Ints, out_value: Floats,
    out_unit: NDArray[np.int16],
) -> int:  # fmt: skip
    """Days of measuring at home, by patient, then time; gives how many readings that are.

    **Shape**: patient p measures lines `starts[p]` to `starts[p + 1]` of `kinds` and `sessions` each day.
    """
    n = 0
    for patient in patients:
        habit_s = _below(_mixed(patient, 103, 0), OWN_HABIT_S)
        for today in range(day, day + days):
            worse = _worse(patient, today)
            for line in range(starts[patient], starts[patient + 1]):
                session = sessions[line]
                chance = _mixed(patient, 104 + session, today)
                if _below(chance, 1_000) < 1_000 * MISSED_SHARE:
                    continue
                at_s = (FIRST_SLOT_MIN + BETWEEN_SLOTS_MIN * session) * 60 + habit_s
                at_s += np.int64(chance & np.uint64(0xFFFF)) % JITTER_S
                kind = kinds[line]
                value = _value(patient, kind, today * 16 + session, worse, traits)
                _put(n, patient, kind, value, traits, unit_of, conversion, out_value, out_unit)
                out_patient[n], out_kind[n] = patient, kind
                out_taken_us[n] = today * DAY_US + at_s * SECOND_US
                n += 1
    return n


@njit(cache=True, nogil=True)
def fill_streams(
    patients: NDArray[np.int32], minute: int, minutes: int, by_patient: bool, kinds: NDArray[np.int16],
    every_min: NDArray[np.int64], traits: Floats, unit_of: NDArray[np.int16], conversion: Floats,
    out_patient: NDArray[np.int32], out_kind: NDArray[np.int16], out_taken_us: Ints, out_value: Floats,
    out_unit: NDArray[np.int16],
) -> int:  # fmt: skip
    """Minutes of wearables, by patient or in the order of time; gives how many readings that are.

    **Shape**: `kinds` and how often each is measured, `every_min`, are the same for everybody.
    """
    n = 0
    outer, inner = (patients.size, minutes) if by_patient else (minutes, patients.size)
    for i in range(outer):
        for j in range(inner):
            patient = patients[i if by_patient else j]
            now = minute + (j if by_patient else i)
            worse = _worse(patient, now // 1_440)
            for line in range(kinds.size):
                if now % every_min[line] == 0:
                    kind = kinds[line]
                    value = _value(patient, kind, now, worse, traits)
                    _put(n, patient, kind, value, traits, unit_of, conversion, out_value, out_unit)
                    out_patient[n], out_kind[n], out_taken_us[n] = patient, kind, now * MINUTE_US
                    n += 1
    return n
